import { z } from 'zod';
import { routes, type Route, type RouteName } from '../contract/routes.js';
// Their schemas are registered when they are loaded, and referred to by the routes' own.
import { ErrorBody } from '../contract/shared.js';
import '../contract/items.js';
import { errorCodes } from '../errors.js';
import { statusOf } from './errors.js';

type Json = Record<string, unknown>;

/** Any route may answer with these, and with the second ones where it takes a body. */
const usual = [400, 401, 403, 405, 408, 413, 417, 431, 500, 503, 507];
const withBody = [429];

/** OpenAPI 3.1, made from the table of routes and its schemas. */
export function openApiDocument(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, { io: 'input', unrepresentable: 'any', uri: (id) => `#/components/schemas/${id}` }) as unknown as { schemas: Record<string, Json> };
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mixspace',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: `Texts and pictures in one vector space.\n\nErrors are \`{"error": {"message", "type", "param", "code"}}\`; the codes:\n\n${Object.entries(errorCodes)
        .map(([code, meaning]) => `- \`${code}\` (${statusOf[code as keyof typeof statusOf]}): ${meaning}`)
        .join('\n')}`,
    },
    servers: [{ url: '/' }],
    security: [{}, { key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, schema]) => [id, plain(schema)])),
    },
  };
}

function operation(name: RouteName, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query'), ...(route.events ? [lastEventId] : [])],
    ...(route.body ? { requestBody: requestBody(route) } : {}),
    ...(route.upload === undefined ? {} : { requestBody: { required: true, content: { [route.upload]: {} } } }),
    responses: {
      [route.status]: {
        description: 'Success',
        ...(route.response ? { content: { 'application/json': { schema: reference(route.response) } } } : {}),
        ...(route.bytes ? { content: { [route.bytes]: {} } } : {}),
        ...(route.formats ? { content: Object.fromEntries(Object.values(route.formats).map((type) => [type, {}])) } : {}),
        ...(route.events ? { content: { 'text/event-stream': { schema: eventStream(route.events) } } } : {}),
      },
      ...(route.events ? { 204: { description: 'Nothing comes behind that event.' } } : {}),
      ...Object.fromEntries(
        [...new Set([...usual, ...(route.body ? withBody : []), ...(route.errors ?? [])])].sort((a, b) => a - b).map((status) => [
          status,
          {
            description: Object.entries(errorCodes).filter(([code]) => statusOf[code as keyof typeof statusOf] === status).map(([, meaning]) => meaning).join(' '),
            content: { 'application/json': { schema: reference(ErrorBody) } },
          },
        ]),
      ),
    },
  };
}

const lastEventId = { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string', description: 'The id of the last event that was seen: the stream goes on behind it.' } };

function eventStream({ names, data }: NonNullable<Route['events']>): Json {
  const shown = names.map((name) => `\`${name}\``).join(', ');
  return { type: 'string', description: `Server-sent events ${shown}, each with JSON as its data.`, contentMediaType: 'application/json', contentSchema: reference(data) };
}

function requestBody(route: Route): Json {
  const content: Json = { 'application/json': { schema: reference(route.body!) } };
  if (route.multipart) {
    const { file, part, description } = route.multipart;
    const binary = { type: 'string', format: 'binary' };
    content['multipart/form-data'] = {
      schema: {
        type: 'object',
        description,
        properties: {
          file: file === 'many' ? { type: 'array', items: binary, minItems: 1 } : binary,
          ...(part ? { [part]: { type: 'string', description: 'JSON', contentMediaType: 'application/json' } } : {}),
        },
        ...(file === 'many' ? { required: ['file'] } : {}),
      },
    };
  }
  for (const type of route.uploads ?? []) content[type] = {};
  return { required: true, content };
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query'): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, each]) => ({
    name,
    in: where,
    required: where === 'path' || !(each as z.ZodType).safeParse(undefined).success,
    schema: reference(each as z.ZodType),
  }));
}

/** By name where the schema has one. */
function reference(schema: z.ZodType): Json {
  const id = z.globalRegistry.get(schema)?.id;
  return id === undefined ? plain(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })) : { $ref: `#/components/schemas/${id}` };
}

/** Without what says where it comes from; the schemas it names stand among the components. */
function plain(schema: Json): Json {
  const { $schema: _schema, $id: _id, id: _name, $defs: _defs, ...rest } = schema;
  return JSON.parse(JSON.stringify(rest), (key, value: unknown) => (key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : value)) as Json;
}

import { z } from 'zod';
import { routes, type Route, type RouteName } from '../contract/routes.js';
import { FileNote } from '../contract/items.js';
import { ErrorBody, Metadata } from '../contract/shared.js';
import { settings } from '../config.js';
import { errorCodes } from '../errors.js';
import { statusOf } from './errors.js';
import { descriptionOf, summaryOf, tagOf, tagsOf } from './openapi-words.js';

type Json = Record<string, unknown>;

/** Any route may answer with these, and with the second ones where it takes a body. */
const usual = [400, 401, 403, 405, 408, 413, 417, 431, 500, 503, 507];
const withBody = [429];

/** How many entries a list may have, where a setting says so. */
export interface SetLimits {
  inputs: number;
  items: number;
  labels: number;
}
const defaults: SetLimits = { inputs: settings.maxInputs.fallback(), items: settings.maxItems.fallback(), labels: settings.maxLabels.fallback() };

/** Lists that a setting bounds, by schema and property. */
const boundLists: Record<string, Record<string, keyof SetLimits>> = {
  EmbeddingsRequest: { input: 'inputs' },
  ClassifyRequest: { input: 'inputs', labels: 'labels' },
  NewClassifier: { labels: 'labels' },
  ClassifyCollectionRequest: { labels: 'labels' },
  ItemsRequest: { items: 'items' },
};

const binary = { type: 'string', format: 'binary' };

/** OpenAPI 3.1, made from the table of routes and its schemas, with the limits of this service. */
export function openApiDocument(limits = defaults): Json {
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
      contact: { name: 'mixspace' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: `Texts and pictures in one vector space.\n\nErrors are \`{"error": {"message", "type", "param", "code"}}\`; the codes:\n\n${Object.entries(errorCodes)
        .map(([code, meaning]) => `- \`${code}\` (${statusOf[code as keyof typeof statusOf]}): ${meaning}`)
        .join('\n')}`,
    },
    servers: [{ url: '/' }],
    security: [{}, { key: [] }],
    tags: tagsOf(Object.keys(paths)),
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'Where keys are set, each call of `/v1` needs one.' } },
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, schema]) => [id, bounded(plain(schema), boundLists[id], limits)])),
    },
  };
}

function operation(name: RouteName, route: Route): Json {
  return {
    operationId: name,
    tags: [tagOf(route.path)],
    summary: summaryOf(route),
    description: descriptionOf(route),
    parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query'), ...(route.events ? [lastEventId] : []), ...(route.body ? [contentEncoding] : [])],
    ...(route.body ? { requestBody: requestBody(route) } : {}),
    ...(route.upload === undefined ? {} : { requestBody: { required: true, content: { [route.upload]: { schema: binary } } } }),
    responses: {
      [route.status]: {
        description: 'Success',
        ...(route.response ? { content: { 'application/json': { schema: reference(route.response) } } } : {}),
        ...(route.bytes ? { content: { [route.bytes]: { schema: binary } } } : {}),
        ...(route.formats ? { content: Object.fromEntries(Object.values(route.formats).map((type) => [type, { schema: binary }])) } : {}),
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

const contentEncoding = { name: 'Content-Encoding', in: 'header', required: false, schema: { type: 'string', enum: ['identity', 'gzip', 'deflate', 'br'], description: 'How the body is compressed; `identity` where it is not.' } };

function eventStream({ names, data }: NonNullable<Route['events']>): Json {
  const shown = names.map((name) => `\`${name}\``).join(', ');
  return { type: 'string', description: `Server-sent events ${shown}, each with JSON as its data.`, contentMediaType: 'application/json', contentSchema: reference(data) };
}

function requestBody(route: Route): Json {
  const content: Json = { 'application/json': { schema: reference(route.body!) } };
  if (route.multipart) content['multipart/form-data'] = multipartBody(route.body!, route.multipart);
  for (const type of route.uploads ?? []) content[type] = { schema: binary };
  return { required: true, content };
}

/** One object is told by its schema, so that generated clients build it; of a list they would send a part for each. */
function multipartBody(body: z.ZodType, { file, part, description }: NonNullable<Route['multipart']>): Json {
  const notes = { anyOf: [{ type: 'array', items: reference(FileNote) }, { type: 'object', additionalProperties: reference(Metadata) }] };
  const json = part === 'request' ? reference(body) : { type: 'string', description: 'JSON', contentMediaType: 'application/json', contentSchema: notes };
  return {
    schema: {
      type: 'object',
      description,
      properties: { file: file === 'many' ? { type: 'array', items: binary, minItems: 1 } : binary, ...(part ? { [part]: json } : {}) },
      ...(file === 'many' ? { required: ['file'] } : {}),
    },
    ...(part === 'request' ? { encoding: { request: { contentType: 'application/json' } } } : {}),
  };
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
  return JSON.parse(JSON.stringify(rest), (key, value: unknown) => (key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : simpler(value))) as Json;
}

/** The same said as generators of clients read it: tuples of one kind as lists, what may be anything without alternatives, numbers in a query as numbers. */
function simpler(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { prefixItems, anyOf, ...rest } = value as { prefixItems?: Json[]; anyOf?: Json[]; type?: string; pattern?: string };
  if (Array.isArray(prefixItems) && new Set(prefixItems.map((each) => JSON.stringify(each))).size === 1) return { ...rest, items: prefixItems[0], minItems: prefixItems.length, maxItems: prefixItems.length };
  if (Array.isArray(anyOf) && anyOf.some((each) => Object.keys(each).length === 0)) return rest;
  if (rest.type === 'integer' && rest.pattern !== undefined) return { ...rest, pattern: undefined };
  return value;
}

/** It, or the first of its alternatives, and theirs, that is a list. */
function listIn(schema: Json): Json | undefined {
  if (schema['type'] === 'array') return schema;
  for (const each of (schema['anyOf'] ?? []) as Json[]) {
    const found = listIn(each);
    if (found) return found;
  }
  return undefined;
}

function bounded(schema: Json, lists: Record<string, keyof SetLimits> | undefined, limits: SetLimits): Json {
  const properties = schema['properties'] as Record<string, Json>;
  for (const [name, limit] of Object.entries(lists ?? {})) {
    listIn(properties[name]!)!['maxItems'] = limits[limit];
  }
  return schema;
}

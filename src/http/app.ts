import path from 'node:path';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import express, { type Express, type Request, type RequestHandler, type Response, type Router } from 'express';
import type { Config } from '../config.js';
import { routes, scopeOf, type Route, type RouteName } from '../contract/routes.js';
import { MixspaceError } from '../errors.js';
import type { McpEndpoint } from '../mcp/endpoint.js';
import type { JobContext } from '../operations/context.js';
import type { Readiness } from '../operations/readiness.js';
import type { Telemetry } from '../telemetry.js';
import { sendJson, sendPicture, sendStream, type SentBytes } from './answers.js';
import { accessGuard, accessOf, keyGuard, knownAccess, neededScope } from './access/guard.js';
import type { KeyRing } from './access/key-ring.js';
import { isMultipart, isUploaded, jsonBody, orUploaded, uploadedBody, type BodyLimits } from './bodies.js';
import { failed, within } from './callbacks.js';
import { docs } from './docs.js';
import type { EventStreams, ServerEvent } from './event-streams.js';
import { errorHandler, notPercentEncoded, refuse, unknownPath } from './errors.js';
import { hostGuard, originGuard, ownMachineGuard } from './guards.js';
import { handlersOf, type Call } from './handlers.js';
import { jsonBounds } from './json/bounds.js';
import { mcpRoute, postAlone, rpcError } from './mcp.js';
import { openApiDocument } from './openapi.js';
import { parse } from './parse.js';
import { publicPath, publicPathOf } from './public-path.js';
import { isAscii, readQuery } from './query-string.js';
import { securityHeaders } from './security-headers.js';
import { boundUploads, uploadOf, Uploads } from './uploads.js';
import { mountWires } from './wires/wires.js';

const dashboard = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../dashboard');

export interface AppParts {
  config: Config;
  keys: KeyRing;
  context: JobContext;
  readiness: Readiness;
  telemetry: Telemetry;
}

interface Endpoint {
  route: Route;
  handle: (call: Call<RouteName>) => unknown;
}

interface Surroundings {
  context: JobContext;
  keys: KeyRing;
  streams: EventStreams;
}

export function createApp({ config, keys, context, readiness, telemetry }: AppParts, { streams, mcp }: { streams: EventStreams; mcp: McpEndpoint }): Express {
  const app = express();
  app.disable('x-powered-by');
  // Answers are of now; to digest each would cost as much as to write it.
  app.disable('etag');
  app.set('query parser', readQuery);
  if (config.trustedProxies.length > 0) app.set('trust proxy', config.trustedProxies);
  app.use(measure(telemetry));
  app.use(publicPath(config));
  app.use(securityHeaders);
  app.use(hostGuard(config));
  app.use(originGuard(config));

  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', (_request, response) => {
    const problem = readiness.problem();
    response.status(problem === undefined ? 200 : 503).json(problem === undefined ? { status: 'ready' } : { status: 'not ready', reason: problem });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(telemetry.registry.contentType).send(await telemetry.registry.metrics());
  });
  let document: object | undefined;
  // What is the same for everyone; answers are not, and would be held up.
  const compressed = compression();
  app.get('/openapi.json', compressed, (request, response) => void response.json({ ...(document ??= openApiDocument(context.limits)), servers: [{ url: publicPathOf(request) || '/' }] }));
  app.use('/docs', compressed, docs());

  app.use('/v1', keyGuard(keys));
  app.use('/v1/models/pull', ownMachineGuard(config, keys));
  const uploads = new Uploads(config.maxUploads);
  telemetry.gauge('mixspace_upload_bytes', 'Bytes of request bodies that are read or held', () => uploads.bytes);
  telemetry.gauge('mixspace_event_streams', 'Streams of events that are open', () => streams.open);
  const bounds = {
    held: boundUploads(uploads, { body: config.maxBody, uploadTimeout: config.uploadTimeout }, telemetry.log),
    streamed: boundUploads(undefined, { body: config.maxBackup, uploadTimeout: config.uploadTimeout }, telemetry.log),
    imported: boundUploads(undefined, { body: config.maxImport, uploadTimeout: config.uploadTimeout }, telemetry.log),
  };
  const limits: BodyLimits = { body: config.maxBody, backup: config.maxBackup, import: config.maxImport, picture: config.maxPicture, files: config.maxItems, json: jsonBounds({ ...context.limits, values: config.maxValues }) };
  mountRoutes(app, { context, keys, streams }, bounds, limits);
  mountWires(app, { config, context, readiness, keys, limits, bounds: bounds.held, log: telemetry.log });
  // The calls that it makes are counted by themselves.
  app.use('/mcp', keyGuard(keys, { isCounted: false }));
  app.post('/mcp', bounds.held, jsonBody(limits), mcpRoute(mcp, telemetry.log));
  app.all('/mcp', postAlone);
  app.use('/mcp', errorHandler(telemetry.log, rpcError));
  app.use('/v1', unknownPath);
  app.use(compressed, express.static(dashboard, { index: 'index.html', setHeaders: (response) => void response.setHeader('Cache-Control', 'no-cache') }));
  app.use(unknownPath);
  app.use(errorHandler(telemetry.log));
  return app;
}

function mountRoutes(app: Router, around: Surroundings, bounds: Record<'held' | 'streamed' | 'imported', RequestHandler>, limits: BodyLimits): void {
  const handlers = handlersOf(around.context, around.keys, limits);
  const readJson = jsonBody(limits);
  const methods = new Map<string, Set<string>>();

  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const at = route.path.replace(/\{(\w+)\}/g, ':$1');
    methods.set(at, (methods.get(at) ?? new Set()).add(route.method.toUpperCase()));
    const handle = handlers[name];
    const readers = route.upload !== undefined ? [bounds.streamed, uploadedBody(route.upload)] : route.uploads !== undefined ? orUploaded(route.uploads, bounds.imported, [bounds.held, readJson]) : route.body ? [bounds.held, readJson] : [];
    const guard = accessGuard({ scope: scopeOf(route), isWhole: route.isWhole === true }, route.path.startsWith('/v1/collections/{name}'));
    app[route.method](at, guard, ...readers, async (request: Request, response: Response) => {
      const upload = uploadOf(request);
      upload?.hold();
      try {
        await answer(around, { route, handle }, request, response);
      } finally {
        upload?.release();
      }
    });
  }
  for (const [at, allowed] of methods) {
    app.all(at, (request, response) => {
      const list = [...allowed].join(', ');
      response.setHeader('Allow', list);
      refuse(request, response, new MixspaceError('method_not_allowed', `${request.method} is not for this path; ${list} is.`));
    });
  }
}

async function answer({ context, streams }: Surroundings, { route, handle }: Endpoint, request: Request, response: Response): Promise<void> {
  const isInParts = route.body !== undefined && isMultipart(request);
  if (isInParts && !route.multipart) throw new MixspaceError('invalid_request', 'Send JSON, as Content-Type: application/json.');
  if (!isAscii(request.path)) throw notPercentEncoded();
  const leaving = new AbortController();
  const leave = within(failed(context.log), () => leaving.abort());
  response.on('close', leave);
  const call = {
    params: route.params ? parse(route.params, request.params) : undefined,
    query: route.query ? parse(route.query, request.query) : undefined,
    body: route.body && !isInParts && !isUploaded(route.uploads, request) ? parse(route.body, request.body) : undefined,
    request,
    access: accessOf(request),
    caller: { signal: leaving.signal },
  } as unknown as Call<RouteName>;
  const result = await handle(call);
  // The caller has gone, or was told meanwhile what is wrong with the body.
  if (response.destroyed || response.headersSent) return;
  // Streams are still being made; of all else nothing is left to abort.
  if (!route.events && !route.formats) response.off('close', leave);
  if (route.events) return streams.send(request, response, result as AsyncIterable<ServerEvent> | undefined);
  if (route.formats) return sendStream(response, route.formats[(call.query as unknown as { format?: string } | undefined)?.format ?? Object.keys(route.formats)[0]!]!, result as AsyncIterable<Uint8Array>, context.log);
  if (route.bytes) sendPicture(request, response, result as SentBytes);
  else if (route.status === 204) response.status(204).end();
  else sendJson(response, route.status, result);
}

function measure(telemetry: Telemetry): express.RequestHandler {
  return (request, response, next) => {
    const began = performance.now();
    const tell = within(failed(telemetry.log), () => {
      const seconds = (performance.now() - began) / 1000;
      const route = (request.route as { path?: string } | undefined)?.path ?? (request.originalUrl.startsWith('/v1') ? 'unknown' : request.path === '/' ? '/' : 'static');
      telemetry.request({ method: request.method, route, status: response.statusCode }, seconds);
      const by = knownAccess(response)?.name;
      const changes = by !== undefined && request.method !== 'GET' && (neededScope(response) ?? 'read') !== 'read';
      telemetry.log(changes ? 'info' : 'debug', !changes ? 'Request.' : response.statusCode < 400 ? 'A change.' : 'A change was refused.', { ...(by === undefined ? {} : { by }), method: request.method, path: request.path, status: response.statusCode, ms: Math.round(seconds * 1000) });
    });
    response.on('close', tell);
    next();
  };
}

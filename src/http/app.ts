import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import express, { type Express, type Request, type RequestHandler, type Response, type Router } from 'express';
import type { Config } from '../config.js';
import { routes, type Route, type RouteName } from '../contract/routes.js';
import { MixspaceError, toMixspaceError } from '../errors.js';
import type { JobContext } from '../operations/context.js';
import type { Readiness } from '../operations/readiness.js';
import type { Log, Telemetry } from '../telemetry.js';
import { isMultipart, isUploaded, jsonBody, orUploaded, uploadedBody, type BodyLimits } from './bodies.js';
import { failed, within } from './callbacks.js';
import { docs } from './docs.js';
import { knownTags, tagOf } from './entity-tags.js';
import type { EventStreams, ServerEvent } from './event-streams.js';
import { errorHandler, notPercentEncoded, refuse, unknownPath } from './errors.js';
import { hostGuard, keyGuard, originGuard, ownMachineGuard } from './guards.js';
import { handlersOf, type Call } from './handlers.js';
import { jsonBounds } from './json/bounds.js';
import { openApiDocument } from './openapi.js';
import { parse } from './parse.js';
import { isAscii, readQuery } from './query-string.js';
import { securityHeaders } from './security-headers.js';
import { boundUploads, uploadOf, Uploads } from './uploads.js';

const dashboard = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../dashboard');

export interface AppParts {
  config: Config;
  context: JobContext;
  readiness: Readiness;
  telemetry: Telemetry;
}

/** Milliseconds that the reader of a stream may take nothing, before it is cut off. */
const readerPatienceMs = 60_000;

interface Endpoint {
  route: Route;
  handle: (call: Call<RouteName>) => unknown;
}

interface Surroundings {
  context: JobContext;
  streams: EventStreams;
}

export function createApp({ config, context, readiness, telemetry }: AppParts, streams: EventStreams): Express {
  const app = express();
  app.disable('x-powered-by');
  // Answers are of now; to digest each would cost as much as to write it.
  app.disable('etag');
  app.set('query parser', readQuery);
  app.use(measure(telemetry));
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
  app.get('/openapi.json', compressed, (_request, response) => void response.json((document ??= openApiDocument(context.limits))));
  app.use('/docs', compressed, docs());

  app.use('/v1', keyGuard(config));
  app.use('/v1/models/pull', ownMachineGuard(config));
  const uploads = new Uploads(config.maxUploads);
  telemetry.gauge('mixspace_upload_bytes', 'Bytes of request bodies that are read or held', () => uploads.bytes);
  telemetry.gauge('mixspace_event_streams', 'Streams of events that are open', () => streams.open);
  const bounds = {
    held: boundUploads(uploads, { body: config.maxBody, uploadTimeout: config.uploadTimeout }, telemetry.log),
    streamed: boundUploads(undefined, { body: config.maxBackup, uploadTimeout: config.uploadTimeout }, telemetry.log),
    imported: boundUploads(undefined, { body: config.maxImport, uploadTimeout: config.uploadTimeout }, telemetry.log),
  };
  mountRoutes(app, { context, streams }, bounds, { body: config.maxBody, backup: config.maxBackup, import: config.maxImport, picture: config.maxPicture, files: config.maxItems, json: jsonBounds({ ...context.limits, values: config.maxValues }) });
  app.use('/v1', unknownPath);
  app.use(compressed, express.static(dashboard, { index: 'index.html', setHeaders: (response) => void response.setHeader('Cache-Control', 'no-cache') }));
  app.use(unknownPath);
  app.use(errorHandler(telemetry.log));
  return app;
}

function mountRoutes(app: Router, around: Surroundings, bounds: Record<'held' | 'streamed' | 'imported', RequestHandler>, limits: BodyLimits): void {
  const handlers = handlersOf(around.context, limits);
  const readJson = jsonBody(limits);
  const methods = new Map<string, Set<string>>();

  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const at = route.path.replace(/\{(\w+)\}/g, ':$1');
    methods.set(at, (methods.get(at) ?? new Set()).add(route.method.toUpperCase()));
    const handle = handlers[name];
    const readers = route.upload !== undefined ? [bounds.streamed, uploadedBody(route.upload)] : route.uploads !== undefined ? orUploaded(route.uploads, bounds.imported, [bounds.held, readJson]) : route.body ? [bounds.held, readJson] : [];
    app[route.method](at, ...readers, async (request: Request, response: Response) => {
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

/** As Express would, but that it looks for no cached copy and copies nothing. */
function sendJson(response: Response, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/**
 * As fast as it is taken. What goes wrong before anything is sent is told as ever; on the way it ends the connection, so
 * that no reader takes a part for the whole. Whoever makes the chunks is let go however it ends.
 */
async function sendStream(response: Response, type: string, chunks: AsyncIterable<Uint8Array>, log: Log): Promise<void> {
  const headers = { 'Content-Type': type, 'Cache-Control': 'no-store' };
  if (response.req.method === 'HEAD') return void response.writeHead(200, headers).end();
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (response.destroyed) return;
    response.writeHead(200, headers);
    response.setTimeout(readerPatienceMs, () => response.destroy());
    const all = async function* (): AsyncGenerator<Uint8Array> {
      for (let next = first; !next.done; next = await iterator.next()) yield next.value;
    };
    await pipeline(Readable.from(all()), response);
  } catch (error) {
    const isReaderGone = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (isReaderGone) return;
    if (response.headersSent) log('warn', 'An answer broke off: its reader has a part of it.', { path: response.req.path, reason: toMixspaceError(error).message });
    throw error;
  } finally {
    await iterator.return?.();
  }
}

/** `bytes` undefined: those of the tag, which the caller has. */
type SentBytes = { bytes: Uint8Array | undefined; mediaType: string; cacheControl?: string; tag?: string };

/**
 * Whatever the bytes are, a browser must take them for a picture and nothing that acts. It may keep them, and asks each time
 * whether they are still what they were: what was deleted is shown no more.
 */
function sendPicture(request: Request, response: Response, { bytes, mediaType, cacheControl = 'private, no-cache', ...sent }: SentBytes): void {
  const tag = cacheControl === 'no-store' ? undefined : (sent.tag ?? (bytes && tagOf(bytes)));
  response.setHeader('Content-Type', mediaType);
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  response.setHeader('Cache-Control', cacheControl);
  if (tag !== undefined) response.setHeader('ETag', `"${tag}"`);
  if (!bytes || (tag !== undefined && knownTags(request).includes(tag))) response.status(304).end();
  else response.end(bytes);
}

function measure(telemetry: Telemetry): express.RequestHandler {
  return (request, response, next) => {
    const began = performance.now();
    const tell = within(failed(telemetry.log), () => {
      const seconds = (performance.now() - began) / 1000;
      const route = (request.route as { path?: string } | undefined)?.path ?? (request.originalUrl.startsWith('/v1') ? 'unknown' : request.path === '/' ? '/' : 'static');
      telemetry.request({ method: request.method, route, status: response.statusCode }, seconds);
      telemetry.log('debug', 'Request.', { method: request.method, path: request.path, status: response.statusCode, ms: Math.round(seconds * 1000) });
    });
    response.on('close', tell);
    next();
  };
}

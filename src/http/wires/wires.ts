import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import type { Config } from '../../config.js';
import { keylessWires } from '../../domain/wires.js';
import type { Log } from '../../telemetry.js';
import { readOnlyAccess } from '../access/access.js';
import { accessGuard, accessOf, keyGuard, knownAccess, setAccess } from '../access/guard.js';
import type { KeyRing } from '../access/key-ring.js';
import { sendJson } from '../answers.js';
import { jsonBody, jsonOfAnyType } from '../bodies.js';
import { failed, within } from '../callbacks.js';
import { errorHandler } from '../errors.js';
import { parse } from '../parse.js';
import { uploadOf } from '../uploads.js';
import { clipRetrieval } from './clip-retrieval.js';
import { cohere } from './cohere.js';
import { immich } from './immich.js';
import { ollama } from './ollama.js';
import { rerankWire } from './rerank.js';
import { tei } from './tei.js';
import { voyage } from './voyage.js';
import { weaviate } from './weaviate.js';
import type { Wire, WireParts, WireRoute } from './wire.js';

const wires: Wire[] = [tei, ollama, cohere, voyage, rerankWire, immich, weaviate, clipRetrieval];

export interface WiresParts extends WireParts {
  config: Pick<Config, 'wires' | 'openWires'>;
  keys: KeyRing;
  /** Bounds the bytes of bodies; before any of them is read. */
  bounds: RequestHandler;
  log: Log;
}

/** The routes of the wires that are on, each with errors as its clients read them. */
export function mountWires(app: Router, parts: WiresParts): void {
  for (const wire of wires) {
    const isKeyless = keylessWires.includes(wire.name);
    const isOpened = parts.config.openWires.includes(wire.name);
    if (!parts.config.wires.includes(wire.name) || (isKeyless && !parts.keys.isOpen && !isOpened)) continue;
    const router = express.Router();
    const guard = isKeyless && !parts.keys.isOpen ? openedGuard : keyed(keyGuard(parts.keys));
    for (const route of wire.routes(parts)) {
      router[route.method](route.path, guard, accessGuard({ scope: route.scope }, false), ...readersOf(route, parts), (request, response) => answer(route, parts, request, response));
    }
    router.use(wireErrors(wire, parts.log));
    app.use(router);
  }
}

/** Once: what lies under /v1 has been asked for its key already. */
const keyed = (guard: RequestHandler): RequestHandler => (request, response, next) => (knownAccess(response) ? next() : guard(request, response, next));

/** Of a wire whose clients can send no key, and that was opened by name. */
const openedGuard: RequestHandler = (_request, response, next) => {
  setAccess(response, readOnlyAccess);
  next();
};

function readersOf({ method, reads }: WireRoute, { bounds, limits }: WiresParts): RequestHandler[] {
  if (method === 'get') return [];
  return [bounds, ...(reads === 'own' ? [] : [reads === 'any-type' ? jsonOfAnyType(limits) : jsonBody(limits)])];
}

async function answer(route: WireRoute, { log }: WiresParts, request: express.Request, response: express.Response): Promise<void> {
  const upload = uploadOf(request);
  upload?.hold();
  try {
    const leaving = new AbortController();
    const leave = within(failed(log), () => leaving.abort());
    response.on('close', leave);
    const body: unknown = route.body && parse(route.body, request.body);
    const result: unknown = await route.answer({ body, request, access: accessOf(request), caller: { signal: leaving.signal } });
    if (response.destroyed || response.headersSent) return;
    response.off('close', leave);
    if (typeof result === 'string') response.type('text').send(result);
    else sendJson(response, 200, result);
  } finally {
    upload?.release();
  }
}

const wireErrors = ({ errorBody, fields = {} }: Wire, log: Log): ErrorRequestHandler =>
  errorHandler(log, (error) => {
    const [head] = /^\w+/.exec(error.param ?? '') ?? [];
    const field = head === undefined ? undefined : fields[head];
    return errorBody(field === undefined ? error : error.renamed(field + error.param!.slice(head!.length)));
  });

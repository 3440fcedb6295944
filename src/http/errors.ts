import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { ErrorBody } from '../contract/shared.js';
import { MixspaceError, toMixspaceError, type ErrorCode, traceOf } from '../errors.js';
import type { Log } from '../telemetry.js';

const drainMs = 5_000;

/** The one table from codes to statuses. */
export const statusOf: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  timeout: 408,
  too_large: 413,
  expectation_failed: 417,
  headers_too_large: 431,
  unsupported_media: 415,
  damaged_media: 415,
  unprocessable: 422,
  overloaded: 429,
  internal: 500,
  not_ready: 503,
  disk_full: 507,
};

const typeOf: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'authentication_error',
  forbidden: 'permission_error',
  not_found: 'not_found_error',
  overloaded: 'rate_limit_error',
  internal: 'server_error',
  not_ready: 'server_error',
  disk_full: 'server_error',
};

/** api.md's error object. */
export function errorBody(error: MixspaceError): ErrorBody {
  return { error: { message: error.message, type: typeOf[error.code] ?? 'invalid_request_error', param: error.param ?? null, code: error.code }, detail: error.message };
}

/** How an error is written for those who call a path. */
export type ErrorShape = (error: MixspaceError) => object;

/** Express need not have seen the request. */
function sendError(response: ServerResponse, error: MixspaceError, shape: ErrorShape): void {
  if (error.retryAfter !== undefined) response.setHeader('Retry-After', String(Math.max(1, Math.ceil(error.retryAfter))));
  // RFC 9110, section 15.5.2.
  if (error.code === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer');
  const body = Buffer.from(JSON.stringify(shape(error)));
  response.statusCode = statusOf[error.code];
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  response.write(body);
}

/** As it was asked for, wherever it is mounted. */
const pathOf = ({ originalUrl }: Request): string => originalUrl.split('?', 1)[0]!;

export const unknownPath: RequestHandler = (request, response) => {
  refuse(request, response, new MixspaceError('not_found', `There is nothing at ${pathOf(request).slice(0, 200)}; /docs lists what there is.`));
};

/** `shape`: as those who read them have errors. */
export function errorHandler(log: Log, shape: ErrorShape = errorBody): ErrorRequestHandler {
  return (thrown, request, response, _next) => {
    const about = { method: request.method, path: pathOf(request) };
    if (response.destroyed && isOfHangingUp(thrown)) return log('debug', 'The caller hung up.', about);
    const error = ofExpress(thrown) ?? toMixspaceError(thrown);
    if (error.code === 'internal') log('error', 'A request failed.', { ...about, error: traceOf(thrown), ...(error.cause === undefined || error.cause === thrown ? {} : { cause: traceOf(error.cause) }) });
    // Half an answer that looks whole would be worse than one that is cut.
    if (response.headersSent) return void (response.writableEnded || response.destroy());
    if (!response.destroyed) refuse(request, response, error, shape);
  };
}

/** What is thrown because nobody waits any more; what a defect throws while the caller leaves is not. */
function isOfHangingUp(thrown: unknown): boolean {
  const { name, code } = (thrown ?? {}) as { name?: string; code?: string };
  if (thrown instanceof MixspaceError) return thrown.code !== 'internal';
  return name === 'AbortError' || ['ECONNABORTED', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '');
}

/** Answers with the error, whether or not the body has arrived. */
export function refuse(request: IncomingMessage, response: ServerResponse, error: MixspaceError, shape: ErrorShape = errorBody): void {
  sendError(response, error, shape);
  if (request.complete) response.end();
  else drain(request, response);
}

/**
 * A client still sending would lose the answer, which it has whole, if its connection were closed: what comes is thrown
 * away, for a while, and only then is the answer over.
 */
function drain(request: IncomingMessage, response: ServerResponse): void {
  const over = (): void => void response.end();
  request.once('end', over).once('close', over);
  setTimeout(cut, drainMs, request).unref();
  request.unpipe();
  // It does not flow while a reader waits for more, nor once that has gone, unless somebody takes what comes.
  request.removeAllListeners('readable');
  request.on('data', throwAway);
  request.resume();
}

function throwAway(): void {}

function cut(request: IncomingMessage): void {
  if (!request.complete) request.destroy();
}

/** What Express throws: `{status}`. */
function ofExpress(thrown: unknown): MixspaceError | undefined {
  const { status } = (thrown ?? {}) as { status?: number };
  if (thrown instanceof MixspaceError || typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  if (thrown instanceof URIError) return notPercentEncoded();
  return new MixspaceError('invalid_request', 'The request cannot be read.');
}

export function notPercentEncoded(): MixspaceError {
  return new MixspaceError('invalid_request', 'The path is to be UTF-8, percent-encoded.', { param: 'path' });
}

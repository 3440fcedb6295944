import type { Request, RequestHandler } from 'express';
import { MixspaceError } from '../errors.js';
import type { JsonBounds } from './json/bounds.js';
import { readJsonBody } from './json/read.js';

const json = 'application/json';
const parts = 'multipart/form-data';

export interface BodyLimits {
  /** Bytes. */
  body: number;
  picture: number;
  backup: number;
  import: number;
  files: number;
  json: JsonBounds;
}

/** The body is left to its route, which reads it as it comes. */
export function uploadedBody(type: string): RequestHandler {
  return (request, _response, next) => {
    if (!request.is(type)) throw new MixspaceError('invalid_request', `Send the file itself, as Content-Type: ${type}.`);
    next();
  };
}

/** Whether the body is left to its route, which reads it as it comes, although it could be JSON. */
export const isUploaded = (types: readonly string[] | undefined, request: Request): boolean => types !== undefined && Boolean(request.is([...types]));

/** One chain of readers for bodies of the types, the other for all else. */
export function orUploaded(types: readonly string[], uploaded: RequestHandler, others: RequestHandler[]): RequestHandler[] {
  return [
    (request, response, next) => (isUploaded(types, request) ? uploaded(request, response, next) : next()),
    ...others.map((other): RequestHandler => (request, response, next) => (isUploaded(types, request) ? next() : other(request, response, next))),
  ];
}

/** `request.body` is the JSON sent; a multipart body is left to its route. */
export function jsonBody(limits: BodyLimits): RequestHandler {
  return async (request, _response, next) => {
    // Some clients of sister APIs send none.
    const type = request.headers['content-type'] === undefined ? json : request.is([json, parts]);
    if (!type) throw new MixspaceError('invalid_request', 'Send JSON, as Content-Type: application/json.');
    if (type === json) request.body = await readJsonBody(request, limits.body, limits.json);
    next();
  };
}

/** JSON from clients that name no type of their body, or another. */
export function jsonOfAnyType(limits: BodyLimits): RequestHandler {
  return async (request, _response, next) => {
    request.body = await readJsonBody(request, limits.body, limits.json);
    next();
  };
}

export const isMultipart = (request: Request): boolean => Boolean(request.is(parts));

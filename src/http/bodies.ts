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

export const isMultipart = (request: Request): boolean => Boolean(request.is(parts));

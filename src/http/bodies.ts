import express, { type Request, type RequestHandler } from 'express';
import { MixspaceError } from '../errors.js';

export interface BodyLimits {
  /** Bytes. */
  body: number;
  picture: number;
  files: number;
}

export function jsonBody(limits: BodyLimits): RequestHandler {
  const read = express.json({ limit: limits.body, strict: false, type: 'application/json' });
  return (request, response, next) => {
    if (isMultipart(request)) return next();
    if (!request.is('application/json')) throw new MixspaceError('invalid_request', 'Send JSON, as Content-Type: application/json.');
    read(request, response, next);
  };
}

export const isMultipart = (request: Request): boolean => Boolean(request.is('multipart/form-data'));

import { createHash } from 'node:crypto';
import { MixspaceError } from '../errors.js';

/** A place in a listing, opaque to clients, that is good only for the request it came from. */
export function sealCursor(place: (string | number)[], scope: unknown): string {
  return Buffer.from(JSON.stringify([digest(scope), ...place])).toString('base64url');
}

/** @throws MixspaceError `invalid_request`: unreadable, or of another request. */
export function openCursor(cursor: string, scope: unknown): unknown[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parts = undefined;
  }
  if (!Array.isArray(parts)) throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  const [own, ...place] = parts as unknown[];
  if (own !== digest(scope)) throw new MixspaceError('invalid_request', 'The cursor belongs to another request: send the same query, filter and settings with it.', { param: 'cursor' });
  return place;
}

function digest(scope: unknown): string {
  return createHash('sha256').update(JSON.stringify(scope)).digest('base64url').slice(0, 16);
}

import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MixspaceError } from '../errors.js';

/** Longer strings, and lists of more numbers, enter a digest by their own, made in parts between the event loop's turns. */
const shortEnough = 1_024;
const charactersPerTurn = 2 ** 19;

/** A place in a listing, opaque to clients, that is good only for the request it came from. */
export async function sealCursor(place: (string | number)[], scope: unknown): Promise<string> {
  return Buffer.from(JSON.stringify([await digest(scope), ...place])).toString('base64url');
}

/** @throws MixspaceError `invalid_request`: unreadable, or of another request. */
export async function openCursor(cursor: string, scope: unknown): Promise<unknown[]> {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parts = undefined;
  }
  if (!Array.isArray(parts)) throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  const [own, ...place] = parts as unknown[];
  if (own !== (await digest(scope))) throw new MixspaceError('invalid_request', 'The cursor belongs to another request: send the same query, filter and settings with it.', { param: 'cursor' });
  return place;
}

async function digest(scope: unknown): Promise<string> {
  return createHash('sha256').update(JSON.stringify(await shortened(scope))).digest('base64url').slice(0, 16);
}

async function shortened(value: unknown): Promise<unknown> {
  if (typeof value === 'string') return value.length > shortEnough ? textDigest(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (value.length > shortEnough && typeof value[0] === 'number') return createHash('sha256').update(Float64Array.from(value as number[])).digest('hex');
    return Promise.all(value.map(shortened));
  }
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, each]) => [key, await shortened(each)] as const)));
}

async function textDigest(text: string): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < text.length; at += charactersPerTurn) {
    if (at > 0) await nextTurn();
    hash.update(text.slice(at, at + charactersPerTurn), 'utf16le');
  }
  return hash.digest('hex');
}

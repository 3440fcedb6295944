import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MixspaceError } from '../../errors.js';
import { bodyStream } from '../body-stream.js';
import { headerParameters } from '../header-parameters.js';
import type { JsonBounds } from './bounds.js';
import { JsonReader, type JsonNames } from './reader.js';

/** Some milliseconds of reading at most. */
const bytesPerTurn = 2 ** 16;
const turnMs = 4;
const charsets = ['utf-8', 'utf8', 'us-ascii', 'ascii'];

/**
 * The JSON of a request's body, read while it comes and is inflated.
 * @param limit of its bytes, before and after inflating.
 * @throws MixspaceError `invalid_request`, `too_large`, `overloaded`.
 */
export async function readJsonBody(request: IncomingMessage, limit: number, bounds: JsonBounds): Promise<unknown> {
  const charset = headerParameters(request.headers['content-type'] ?? '')?.parameters.get('charset') ?? 'utf-8';
  if (!charsets.includes(charset.toLowerCase())) throw new MixspaceError('invalid_request', 'Send the body as UTF-8.', { param: 'Content-Type' });
  const reader = new JsonReader(bounds, { text: 'The body' });
  let turnBegan = performance.now();
  for await (const chunk of bodyStream(request, limit)) {
    reader.write(chunk);
    // Many chunks may have come in one turn of the event loop.
    if (performance.now() - turnBegan < turnMs) continue;
    await nextTurn();
    turnBegan = performance.now();
  }
  return reader.end();
}

/** JSON that is there already. @throws MixspaceError `invalid_request`, `too_large`. */
export async function readJson(bytes: Uint8Array, bounds: JsonBounds, names: JsonNames): Promise<unknown> {
  const reader = new JsonReader(bounds, names);
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < all.length; at += bytesPerTurn) {
    if (at > 0) await nextTurn();
    reader.write(all.subarray(at, at + bytesPerTurn));
  }
  return reader.end();
}

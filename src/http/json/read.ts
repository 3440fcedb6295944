import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { MixspaceError } from '../../errors.js';
import type { JsonBounds } from './bounds.js';
import { JsonReader, type JsonNames } from './reader.js';

/** Some milliseconds of reading at most. */
const bytesPerTurn = 2 ** 16;
const turnMs = 4;
const inflaters: Record<string, (() => Transform) | undefined> = {
  gzip: () => createGunzip({ chunkSize: bytesPerTurn }),
  'x-gzip': () => createGunzip({ chunkSize: bytesPerTurn }),
  deflate: () => createInflate({ chunkSize: bytesPerTurn }),
  br: () => createBrotliDecompress({ chunkSize: bytesPerTurn }),
};
const charsets = ['utf-8', 'utf8', 'us-ascii', 'ascii'];

const tooLong = (limit: number): MixspaceError => new MixspaceError('too_large', `A request body is at most ${limit} bytes.`);
const unreadable = (): MixspaceError => new MixspaceError('invalid_request', 'Send the body as UTF-8, plain or compressed by gzip, deflate or brotli.');

/**
 * The JSON of a request's body, read while it comes and is inflated.
 * @param limit of its bytes, before and after inflating.
 * @throws MixspaceError `invalid_request`, `too_large`.
 */
export function readJsonBody(request: IncomingMessage, limit: number, bounds: JsonBounds): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong(limit);
    const inflater = inflaterOf(request);
    const reader = new JsonReader(bounds, { text: 'The body' });
    let sentBytes = 0;
    let inflatedBytes = 0;
    let turnBegan = performance.now();
    let isOver = false;

    const over = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      request.off('data', take).off('end', end).off('aborted', leave).off('error', leave);
      if (inflater) {
        request.unpipe(inflater);
        inflater.off('data', read).off('end', end).destroy();
      }
      settle();
    };
    const refuse = (error: unknown): void => over(() => reject(error as Error));
    const guarded =
      <A extends unknown[]>(work: (...given: A) => void) =>
      (...given: A): void => {
        try {
          if (!isOver) work(...given);
        } catch (error) {
          refuse(error);
        }
      };
    const read = guarded((chunk: Buffer): void => {
      inflatedBytes += chunk.length;
      if (inflatedBytes > limit) throw tooLong(limit);
      reader.write(chunk);
    });
    const take = guarded((chunk: Buffer): void => {
      sentBytes += chunk.length;
      if (sentBytes > limit) throw tooLong(limit);
      if (inflater) return;
      read(chunk);
      if (performance.now() - turnBegan < turnMs) return;
      // Many chunks may come in one turn of the event loop.
      request.pause();
      setImmediate(() => {
        turnBegan = performance.now();
        request.resume();
      });
    });
    const end = guarded((): void => {
      const value = reader.end();
      over(() => resolve(value));
    });
    const leave = (): void => refuse(new MixspaceError('invalid_request', 'The caller hung up.'));

    request.on('data', take).on('aborted', leave).on('error', leave);
    if (inflater) {
      inflater.on('data', read).on('end', end);
      // It stays: what was refused may yet turn out to be broken.
      inflater.on('error', () => refuse(new MixspaceError('invalid_request', `The body is not ${request.headers['content-encoding']} that can be read.`)));
      request.pipe(inflater);
    } else request.on('end', end);
  });
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

function inflaterOf({ headers }: IncomingMessage): Transform | undefined {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !charsets.includes(charset.toLowerCase())) throw unreadable();
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return undefined;
  const inflater = Object.hasOwn(inflaters, encoding) ? inflaters[encoding] : undefined;
  if (!inflater) throw unreadable();
  return inflater();
}

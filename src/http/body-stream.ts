import type { IncomingMessage } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { MixspaceError } from '../errors.js';
import { uploadOf } from './uploads.js';

const inflaters = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

/**
 * The bytes of a request's body, inflated where it came compressed. Leaving the loop over them early leaves the request
 * open for its answer; a caller who hangs up, and damaged compression, throw in the loop.
 * @param limit Bytes, inflated ones.
 * @throws MixspaceError `invalid_request` (an encoding that is not read, damaged compression), `too_large`, `overloaded`.
 */
export function bodyStream(request: IncomingMessage, limit: number): AsyncIterable<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  if (Object.hasOwn(inflaters, encoding)) return inflated(request, encoding as keyof typeof inflaters, limit);
  throw new MixspaceError('invalid_request', 'Send the body plain or compressed by gzip, deflate or brotli.', { param: 'Content-Encoding' });
}

async function* inflated(request: IncomingMessage, encoding: keyof typeof inflaters, limit: number): AsyncGenerator<Buffer> {
  let total = 0;
  // What goes wrong on the way is thrown by the loop below.
  const bytes = pipeline(Readable.from(chunksOf(request), { objectMode: false }), inflaters[encoding](), () => undefined);
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      total += chunk.length;
      uploadOf(request)?.inflate(chunk.length);
      if (total > limit) throw new MixspaceError('too_large', `A request body is at most ${limit} bytes, also when it comes compressed.`);
      yield chunk;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR')) {
      throw new MixspaceError('invalid_request', `The body is not what its Content-Encoding says (${encoding}), or is cut.`, { param: 'Content-Encoding', cause: error });
    }
    throw error;
  }
}

/** However a stream of it ends, by a throw into it as well, the request stays open: its iterator alone would be thrown into, and destroy it. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer, void> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

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
export async function* bodyStream(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return yield* chunksOf(request);
  const inflate = Object.hasOwn(inflaters, encoding) ? inflaters[encoding as keyof typeof inflaters] : undefined;
  if (!inflate) throw new MixspaceError('invalid_request', 'Send the body plain or compressed by gzip, deflate or brotli.', { param: 'Content-Encoding' });

  let total = 0;
  // What goes wrong on the way is thrown by the loop below.
  const inflated = pipeline(Readable.from(chunksOf(request), { objectMode: false }), inflate(), () => undefined);
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
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

/** However the loop over it is left, by a throw into it as well, the request stays open: its iterator alone would be thrown into, and destroy it. */
async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer, void> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

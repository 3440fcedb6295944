/** How results are sent. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { toMixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import { knownTags, tagOf } from './entity-tags.js';

/** Milliseconds that the reader of a stream may take nothing, before it is cut off. */
export const readerPatienceMs = 60_000;

/** As Express would, but that it looks for no cached copy and copies nothing. */
export function sendJson(response: Response, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/**
 * As fast as it is taken. What goes wrong before anything is sent is told as ever; on the way it ends the connection, so
 * that no reader takes a part for the whole. Whoever makes the chunks is let go however it ends.
 */
export async function sendStream(response: Response, type: string, chunks: AsyncIterable<Uint8Array>, log: Log): Promise<void> {
  const headers = { 'Content-Type': type, 'Cache-Control': 'no-store' };
  if (response.req.method === 'HEAD') return void response.writeHead(200, headers).end();
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (response.destroyed) return;
    response.writeHead(200, headers);
    response.setTimeout(readerPatienceMs, () => response.destroy());
    const all = async function* (): AsyncGenerator<Uint8Array> {
      for (let next = first; !next.done; next = await iterator.next()) yield next.value;
    };
    await pipeline(Readable.from(all()), response);
  } catch (error) {
    const isReaderGone = ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (isReaderGone) return;
    if (response.headersSent) log('warn', 'An answer broke off: its reader has a part of it.', { path: response.req.path, reason: toMixspaceError(error).message });
    throw error;
  } finally {
    await iterator.return?.();
  }
}

/** `bytes` undefined: those of the tag, which the caller has. */
export type SentBytes = { bytes: Uint8Array | undefined; mediaType: string; cacheControl?: string; tag?: string };

/**
 * Whatever the bytes are, a browser must take them for a picture and nothing that acts. It may keep them, and asks each time
 * whether they are still what they were: what was deleted is shown no more.
 */
export function sendPicture(request: Request, response: Response, { bytes, mediaType, cacheControl = 'private, no-cache', ...sent }: SentBytes): void {
  const tag = cacheControl === 'no-store' ? undefined : (sent.tag ?? (bytes && tagOf(bytes)));
  response.setHeader('Content-Type', mediaType);
  response.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
  response.setHeader('Cache-Control', cacheControl);
  if (tag !== undefined) response.setHeader('ETag', `"${tag}"`);
  if (!bytes || (tag !== undefined && knownTags(request).includes(tag))) response.status(304).end();
  else response.end(bytes);
}

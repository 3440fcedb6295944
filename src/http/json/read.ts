import type { IncomingMessage } from 'node:http';
import { MixspaceError } from '../../errors.js';
import { bodyStream } from '../body-stream.js';
import { headerParameters } from '../header-parameters.js';
import { uploadOf } from '../uploads.js';
import type { JsonBounds } from './bounds.js';
import { JsonReader, type JsonNames } from './reader.js';
import { inTurn } from './time-slices.js';

/** Some milliseconds of reading at most. */
const bytesPerTurn = 2 ** 16;
/** Of memory, roughly: a number in a list; an empty object takes four times as much. */
const bytesPerValue = 16;
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
  let counted = 0;
  for await (const chunk of bodyStream(request, limit)) {
    await readInTurns(reader, chunk);
    uploadOf(request)?.inflate((reader.values - counted) * bytesPerValue);
    counted = reader.values;
  }
  return reader.end();
}

/** JSON that is there already. @throws MixspaceError `invalid_request`, `too_large`. */
export async function readJson(bytes: Uint8Array, bounds: JsonBounds, names: JsonNames): Promise<unknown> {
  const reader = new JsonReader(bounds, names);
  await readInTurns(reader, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return reader.end();
}

async function readInTurns(reader: JsonReader, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += bytesPerTurn) await inTurn(() => reader.write(bytes.subarray(at, at + bytesPerTurn)));
}

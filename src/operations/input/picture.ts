import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../context.js';
import { decodeBase64 } from './base64.js';
import { fetchPicture } from './fetch-picture.js';

const longestScheme = 64;
const longestUrl = 8_192;
/** The beginning of a data URI, up to its comma. */
const longestDataUri = 256;
const dataUri = /^data:([^,]{0,200}),/i;

/** A string that begins as a picture's data URI is one, as some clients send it in a text's place; every other is text. */
export function pictureIn(input: string): { image: string } | undefined {
  return /^data:image\//i.test(input.slice(0, 16)) ? { image: input } : undefined;
}

/**
 * The bytes of `image`: an https URL, a data URI or base64.
 * @throws MixspaceError `invalid_request` (not base64), `unprocessable` (URL refused), `too_large`.
 */
export async function imageBytes(context: Context, image: string, caller: Caller): Promise<Uint8Array> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(image.slice(0, longestScheme))) {
    if (image.length > longestUrl) throw new MixspaceError('invalid_request', `A URL has at most ${longestUrl} characters.`);
    if (!URL.canParse(image)) throw new MixspaceError('invalid_request', 'The picture looks like a URL, but is none.');
    return fetchPicture(image, { allow: context.fetch.allow, timeoutMs: context.fetch.timeoutMs, maxBytes: context.limits.picture }, caller.signal);
  }
  const uri = dataUri.exec(image.slice(0, longestDataUri));
  if (uri && !/;base64$/i.test(uri[1]!)) throw new MixspaceError('invalid_request', 'A data URI holds its picture as base64.');
  if (!uri && /^data:/i.test(image)) throw new MixspaceError('invalid_request', 'The data URI has no comma before its data.');
  const encoded = uri ? image.slice(uri[0].length) : image;
  const bytes = await decodeBase64(encoded, context.limits.picture);
  if (bytes === 'longer') throw tooLarge(context);
  if (bytes === undefined) throw new MixspaceError('invalid_request', 'A picture is an https URL, a data URI or base64; this is neither.');
  return bytes;
}

function tooLarge(context: Context): MixspaceError {
  return new MixspaceError('too_large', `A picture is at most ${context.limits.picture} bytes.`);
}

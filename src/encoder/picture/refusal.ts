/** What a decoder's error becomes for the caller: a picture that is damaged, or one of a kind that is not read. */
import { MixspaceError } from '../../errors.js';
import { damaged, nameOf, type MediaType, type RawMediaType } from './media-type.js';

export const decodeSeconds = 30;

/** `kind`: what the file's header shows that it holds and decoders do not have; with it, no error says that the file is broken. */
export function refusal(mediaType: MediaType | RawMediaType, error: unknown, kind?: string): MixspaceError {
  if (error instanceof MixspaceError) return error;
  const name = nameOf(mediaType);
  const message = String((error as Error).message);
  if (/timeout/i.test(message)) return new MixspaceError('unprocessable', `The ${name} took longer than ${decodeSeconds} s to decode and was given up.`, { cause: error });
  if (kind !== undefined) return unsupported(mediaType, kind, error);
  if (unknownKind.test(message)) return new MixspaceError('unsupported_media', `The ${name} is of a kind that is not read${causeOf(error)}.`, { cause: error });
  if (/premature end|truncat|unexpected end|end of (stream|file|image)/i.test(message)) return damaged(`The ${name} is truncated: its end is missing.`, error);
  return damaged(`The ${name} is broken or truncated and cannot be decoded${causeOf(error)}.`, error);
}

/** Of a sound file: `kind` is what it has that is not read. */
export function unsupported(mediaType: MediaType | RawMediaType, kind: string, cause?: unknown): MixspaceError {
  return new MixspaceError('unsupported_media', `The ${nameOf(mediaType)} has ${kind}, which is not supported. Saved otherwise, it is read.`, cause === undefined ? {} : { cause });
}

/**
 * What decoders say of whole files that they cannot read. Of a head that is broken sharp says that its format is unsupported,
 * and of broken codes and markers other decoders say so.
 */
const unknownKind = /unsupported (?!image format|marker)|(?<!data \()not (supported|configured|implemented)|not a whole number of bytes|no known route|samples out of range|exceeds channel limit/i;

/** The decoder's last line, without the names of its parts before it, in brackets; nothing where it says nothing. */
function causeOf(error: unknown): string {
  const lines = String((error as Error).message).trim().split('\n');
  const last = (lines.at(-1) ?? '').replace(/^([\w ]+:\s*)+/, '').slice(0, 120);
  return last === '' || /unknown error|unsupported image format/i.test(last) ? '' : ` (${last})`;
}

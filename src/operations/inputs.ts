import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Input } from '../contract/common.js';
import type { Priority } from '../domain/priority.js';
import type { ModelVersion, TextEmbedding } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import { mapLimited } from '../map-limited.js';
import type { Context, Caller } from './context.js';
import { fetchPicture } from './fetch-picture.js';

/** @throws MixspaceError `too_large`, which names the limit. */
export function checkCount(field: string, count: number, limit: number): void {
  if (count > limit) throw new MixspaceError('too_large', `A request takes at most ${limit} ${field === 'input' ? 'inputs' : field}; this one has ${count}.`, { param: field });
}

/** @throws MixspaceError `too_large`. */
export function checkMetadata(context: Context, metadata: Record<string, unknown> | undefined): void {
  const limit = context.limits.metadata;
  if (metadata === undefined || (leastJsonBytes(metadata, limit) <= limit && Buffer.byteLength(JSON.stringify(metadata)) <= limit)) return;
  throw new MixspaceError('too_large', `Metadata is at most ${limit} bytes of JSON; this has more.`, { param: 'metadata' });
}

/** What a value's JSON has at least, counted until it is more than `enough`. */
function leastJsonBytes(value: unknown, enough: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && bytes <= enough; i++) bytes += 1 + leastJsonBytes(value[i], enough - bytes);
  } else {
    for (const key in value) {
      if (bytes > enough) break;
      bytes += key.length + 4 + leastJsonBytes((value as Record<string, unknown>)[key], enough - bytes);
    }
  }
  return bytes - 1;
}

/** @throws MixspaceError `too_large`. */
export function checkedText(context: Context, text: string): string {
  // A UTF-16 unit is 1 to 3 bytes of UTF-8: most texts need no counting.
  const limit = context.limits.text;
  if (text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit)) {
    throw new MixspaceError('too_large', `A text is at most ${limit} bytes of UTF-8.`);
  }
  return text;
}

const longestScheme = 64;
const longestUrl = 8_192;
/** The beginning of a data URI, up to its comma. */
const longestDataUri = 256;
/** Some milliseconds of decoding; whole groups of four. */
const charactersPerTurn = 2 ** 20;
const dataUri = /^data:([^,]{0,200}),/i;

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
  if (encoded.length > (context.limits.picture * 4) / 3 + 1024) throw tooLarge(context);
  const bytes = await decodeBase64(encoded);
  if (bytes === undefined) throw new MixspaceError('invalid_request', 'A picture is an https URL, a data URI or base64; this is neither.');
  if (bytes.length > context.limits.picture) throw tooLarge(context);
  return bytes;
}

function tooLarge(context: Context): MixspaceError {
  return new MixspaceError('too_large', `A picture is at most ${context.limits.picture} bytes.`);
}

/** Both alphabets, padding optional, white space ignored; undefined for anything else. Node's decoder alone skips what it does not know. */
async function decodeBase64(text: string): Promise<Uint8Array | undefined> {
  const parts: Buffer[] = [];
  let rest = '';
  for (let at = 0; at < text.length || at === 0; at += charactersPerTurn) {
    if (at > 0) await nextTurn();
    const isLast = at + charactersPerTurn >= text.length;
    let piece = rest + text.slice(at, at + charactersPerTurn);
    let [group, bytes] = firstGroups(piece, isLast);
    // What the decoder skipped is missing from its answer: in long pieces that tells without looking at each character.
    if (bytes.length !== base64Length(group) || piece.length < 4096) {
      piece = piece.replace(/\s+/g, '');
      [group, bytes] = firstGroups(piece, isLast);
      if (bytes.length !== base64Length(group) || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(group)) return undefined;
    }
    if (!isLast && group.endsWith('=')) return undefined;
    rest = piece.slice(group.length);
    parts.push(bytes);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}

function firstGroups(piece: string, isLast: boolean): [text: string, bytes: Buffer] {
  const text = isLast ? piece : piece.slice(0, piece.length & ~3);
  return [text, Buffer.from(text, 'base64')];
}

function base64Length(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / 4);
}

export type Resolved = { text: string } | { image: Uint8Array };

/** Texts checked, pictures read; the first bad one throws, told by its place: `input[3].image`. */
export async function resolveInputs(context: Context, inputs: Input[], caller: Caller, field: (index: number) => string): Promise<Resolved[]> {
  return mapLimited(inputs, 8, async (input, index) => {
    try {
      if (typeof input === 'string') return { text: checkedText(context, input) };
      if ('text' in input) return { text: checkedText(context, input.text) };
      return { image: await imageBytes(context, input.image, caller) };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      throw error.at(typeof input === 'string' ? field(index) : `${field(index)}.${'text' in input ? 'text' : 'image'}`);
    }
  });
}

/** Texts and pictures embedded, in the order given, a picture as a text of no tokens; the first bad picture throws, told by its place. */
export async function encodeInputs(
  context: Context,
  model: ModelVersion,
  inputs: Resolved[],
  priority: Priority,
  caller: Caller,
  field: (index: number) => string,
): Promise<TextEmbedding[]> {
  const textAt: number[] = [];
  const imageAt: number[] = [];
  inputs.forEach((input, index) => ('text' in input ? textAt : imageAt).push(index));
  const options = { priority, signal: caller.signal };
  const [texts, images] = await Promise.all([
    textAt.length ? context.encoder.encodeTexts(model, textAt.map((index) => (inputs[index] as { text: string }).text), options) : [],
    imageAt.length ? context.encoder.encodeImages(model, imageAt.map((index) => (inputs[index] as { image: Uint8Array }).image), options) : [],
  ]);
  const results = new Array<TextEmbedding>(inputs.length);
  textAt.forEach((index, i) => (results[index] = texts[i]!));
  imageAt.forEach((index, i) => {
    const outcome = images[i]!;
    if (!outcome.ok) throw outcome.error.at(`${field(index)}.image`);
    const { embedding, norm } = outcome.value;
    results[index] = { embedding, norm, tokens: 0, truncated: false };
  });
  return results;
}

/** Few inputs are a person's or a page's; many are a batch job. */
export function priorityOf(count: number): Priority {
  return count <= 8 ? 'interactive' : 'bulk';
}

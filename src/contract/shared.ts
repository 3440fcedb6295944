import { z } from 'zod';
import { modalities } from '../domain/modality.js';
import { limits } from './limits.js';
import { isObject, list } from './zod-helpers.js';

const encoder = new TextEncoder();
/** A UTF-16 unit is at least one byte of UTF-8: what is longer than the limit by these need not be counted. */
const isAtMost = (text: string, bytes: number): boolean => text.length <= bytes && encoder.encode(text).length <= bytes;
// A lone surrogate has no UTF-8 form: stored and read again it would be another id.
const wellFormed = (text: string): boolean => !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);

const hasControl = (text: string): boolean => /[\u0000-\u001F\u007F-\u009F]/.test(text);

export const Id = z
  .string()
  .refine((id) => id.length > 0 && isAtMost(id, limits.idBytes), { error: `An id is 1 to ${limits.idBytes} bytes of UTF-8.`, abort: true })
  .refine((id) => !hasControl(id), 'An id has no control characters.')
  .refine(wellFormed, 'An id is well-formed Unicode.')
  .refine((id) => id !== '.' && id !== '..', 'An id is not "." or "..": no URL can name it.')
  .meta({ id: 'Id', description: `1 to ${limits.idBytes} bytes of UTF-8 without control characters; not "." or "..".`, minLength: 1, maxLength: limits.idBytes });

export const CollectionName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, `A collection's name is 1 to ${limits.nameLength} letters, digits, ".", "_" or "-", and begins with a letter or digit.`)
  .meta({ id: 'CollectionName' });

export const ClassifierName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, `A classifier's name is 1 to ${limits.nameLength} letters, digits, ".", "_" or "-", and begins with a letter or digit.`)
  .meta({ id: 'ClassifierName' });

export const Modality = z.enum(modalities).meta({ id: 'Modality' });
export type Modality = z.infer<typeof Modality>;

export const Metadata = z
  .custom<Record<string, unknown>>(isObject, { error: ({ input }) => (input === undefined ? 'It is missing.' : 'Metadata is a JSON object.') })
  .meta({ id: 'Metadata', description: 'Any JSON object, by default of at most 64 kB. Every key is kept.', type: 'object', additionalProperties: {} });
export type Metadata = z.infer<typeof Metadata>;

export const Source = z
  .string()
  .min(1)
  .refine((source) => isAtMost(source, limits.sourceBytes), { error: `A source is at most ${limits.sourceBytes} bytes of UTF-8.`, abort: true })
  .refine(wellFormed, 'A source is well-formed Unicode.')
  .meta({ description: 'Where it came from: a path, a URL, a file name.', maxLength: limits.sourceBytes });

/** An array of numbers, checked in one plain loop: a request may hold a thousand of a thousand. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const longestBase64 = Math.ceil((limits.dimensions * 4) / 3) * 4;
export const Embedding = z
  .custom<number[] | string>((value) => {
    if (typeof value === 'string') return value.length <= longestBase64 && value !== '' && base64.test(value);
    if (!Array.isArray(value) || value.length === 0 || value.length > limits.dimensions) return false;
    for (let i = 0; i < value.length; i++) if (typeof value[i] !== 'number') return false;
    return true;
  }, `An embedding is a list of 1 to ${limits.dimensions} numbers, or these as little-endian float32 in base64.`)
  .meta({
    id: 'Embedding',
    anyOf: [
      { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: limits.dimensions },
      { type: 'string', minLength: 1, maxLength: longestBase64, pattern: base64.source, description: 'Little-endian float32 in base64.' },
    ],
  });

/** A model's name. The longest directory name is 255 bytes. */
export const ModelId = z.string().min(1).max(limits.modelLength);

export const Fingerprint = z.string().min(1).max(128).meta({ description: "The embedding space's fingerprint, as `/v1/models` and `/v1/embeddings` tell it." });

const picture = z.string().meta({ description: 'An https URL, a data URI, or base64.' });
const TextInput = z.strictObject({ text: z.string() });
const ImageInput = z.strictObject({ image: picture });
/** The same picture under the names by which clients of sister APIs send it. */
const BytesInput = z.strictObject({ bytes: picture });
const UrlInput = z.strictObject({ url: picture });
const ImageUrl = z.strictObject({ url: picture, detail: z.unknown().optional() }).meta({ id: 'ImageUrl' });
const ImageUrlInput = z.strictObject({ type: z.literal('image_url'), image_url: z.union([picture, ImageUrl]) });
const TextPartInput = z.strictObject({ type: z.literal('text'), text: z.string() });

/** Of one text or one picture, wherever either is sent. */
export const oneForms = [z.string(), TextInput, ImageInput, BytesInput, UrlInput, ImageUrlInput, TextPartInput] as const;
/** Texts and pictures that are one input together. */
export const MixedInput = z.strictObject({ content: list(z.union(oneForms, { error: 'A part of content is a string, {"type": "text", "text"} or a picture in one of its forms.' })).min(1).max(limits.contentParts, `content has at most ${limits.contentParts} parts.`) });

/** The forms that an input may have, for errors. */
export const inputForms = 'a string, {"text": string} or {"image": string} (an https URL, a data URI or base64), also named "bytes" or "url", or {"type": "image_url", "image_url": {"url": string}}, or several of these as {"content": [...]}';

/** A string is text, unless it is a picture's data URI. Which field an object holds decides its schema, so that errors name the right one. */
export const Input = z
  .union([...oneForms, MixedInput], { error: `An input is ${inputForms}, exactly one.` })
  .meta({ id: 'Input', description: 'A string (text; one that begins `data:image/` is a picture), `{"text"}` or `{"image"}`: exactly one. A picture may also be named as sister APIs do: `{"bytes"}`, `{"url"}`, `{"type": "image_url", "image_url": {"url"}}`. `{"content": [...]}` is several of these as one: their embeddings are added and normalised.' });
export type Input = z.infer<typeof Input>;
export type OneInput = Exclude<Input, { content: unknown }>;

/** Tokens are known here and refused as 422 by the operation, with a reason; the schema alone would only say that they are no inputs. */
export const TokenArray = z
  .custom<number[]>((value) => Array.isArray(value) && value.length > 0 && value.every(Number.isInteger))
  .meta({ id: 'TokenArray', type: 'array', items: { type: 'integer' }, minItems: 1, description: 'Token ids: known, and refused (422); send the text.' });

export const Usage = z.object({ prompt_tokens: z.number().int(), total_tokens: z.number().int() }).meta({ id: 'Usage' });

export const ErrorBody = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
    detail: z.string().meta({ description: 'The message again, where clients of sister APIs look for it.' }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof ErrorBody>;

export const Box = z.tuple([z.number(), z.number(), z.number(), z.number()]).meta({ id: 'Box', description: 'x, y, width, height: fractions, 0..1, of the picture as it is shown, after EXIF orientation.' });

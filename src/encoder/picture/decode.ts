import exif from 'exif-reader';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { MixspaceError } from '../../errors.js';
import { flattenOnWhite, fromCmyk, fromSixteenBits } from './colors.js';
import { mediaTypeOf, unreadable, type MediaType } from './media-type.js';
import type { Bitmap } from './resize.js';

/** One thread a picture: the encoder workers are what runs in parallel. No cache: a picture comes once. */
export function settleDecoder(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

export interface PictureLimits {
  pictureBytes: number;
  /** Width times height as the header tells them. */
  picturePixels: number;
}

/** What the header tells, before a pixel is decoded. */
export interface PictureHeader {
  mediaType: MediaType;
  /** After EXIF orientation. */
  width: number;
  height: number;
  /** EXIF DateTimeOriginal, `YYYY-MM-DDTHH:MM:SS`. */
  takenAt: string | undefined;
  metadata: Metadata;
}

/**
 * Decoded pictures above this are halved, quartered ... by the decoder until they fit, so that one picture does not
 * take the memory of all others. 64 megapixels of RGB stay exact.
 */
const decodedBytesLimit = 192 * 2 ** 20;

/** Progressive and interlaced pictures lie in memory whole while they are decoded, 4 bytes a pixel as measured. */
const progressivePixels = 70e6;

const decodeSeconds = 30;

/** Throws `too_large` above a limit, `unsupported_media` for what is no picture. */
export async function readHeader(bytes: Uint8Array, limits: PictureLimits): Promise<PictureHeader> {
  if (bytes.length > limits.pictureBytes) {
    throw new MixspaceError('too_large', `The picture has ${bytes.length} bytes; at most ${limits.pictureBytes} are read.`);
  }
  const mediaType = mediaTypeOf(bytes);
  let metadata: Metadata;
  try {
    metadata = await open(bytes).metadata();
  } catch (error) {
    throw refusal(mediaType, error);
  }
  const pixels = metadata.width * metadata.height;
  if (pixels > limits.picturePixels) {
    throw new MixspaceError('too_large', `The picture has ${metadata.width} x ${metadata.height} pixels; at most ${Math.floor(limits.picturePixels / 1e6)} megapixels are decoded.`);
  }
  if (metadata.isProgressive && pixels > progressivePixels) {
    throw new MixspaceError('too_large', `The picture is ${mediaType === 'image/png' ? 'interlaced' : 'progressive'} and has ${metadata.width} x ${metadata.height} pixels; of that kind at most ${progressivePixels / 1e6} megapixels are decoded. Saved without it, larger ones are.`);
  }
  const { width, height } = metadata.autoOrient;
  return { mediaType, width, height, takenAt: takenAt(metadata.exif), metadata };
}

/**
 * 8-bit grey or RGB as the reference sees it: upright, no color profile applied, CMYK by plain arithmetic, 16 bits
 * divided by 257, transparency on white, the first frame. Throws `unsupported_media` for broken and truncated pictures.
 */
export async function decode(bytes: Uint8Array, header: PictureHeader): Promise<Bitmap> {
  const { metadata } = header;
  const grey = metadata.channels === 1 && !metadata.hasAlpha;
  const deep = metadata.depth === 'ushort';
  const cmyk = metadata.space === 'cmyk';
  const shrink = shrinkToFit(decodedBytes(header));

  let pipeline = open(bytes).timeout({ seconds: decodeSeconds });
  if (cmyk) pipeline = pipeline.pipelineColourspace('cmyk').toColourspace('cmyk');
  else if (deep) pipeline = pipeline.toColourspace(grey ? 'grey16' : 'rgb16');
  else if (grey) pipeline = pipeline.toColourspace('b-w');
  pipeline = pipeline.autoOrient();
  if (shrink > 1) pipeline = pipeline.resize(Math.ceil(header.width / shrink), Math.ceil(header.height / shrink), { fit: 'fill' });

  const { data, info } = await pipeline
    .raw({ depth: deep && !cmyk ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw refusal(header.mediaType, error);
    });
  const samples = deep && !cmyk ? fromSixteenBits(data) : data;
  const { width, height } = info;
  if (cmyk) return { pixels: fromCmyk(samples, info.channels), width, height, channels: 3 };
  if (info.channels === 2 || info.channels === 4) {
    const channels = info.channels === 2 ? 1 : 3;
    return { pixels: flattenOnWhite(samples, channels), width, height, channels };
  }
  return { pixels: samples, width, height, channels: info.channels === 1 ? 1 : 3 };
}

/** Bytes that decoding takes at its height: samples as decoded, twice where turning needs the whole picture. */
export function decodedBytes({ width, height, metadata }: PictureHeader): number {
  const channels = metadata.channels === 2 ? 4 : metadata.channels;
  const sampleBytes = metadata.depth === 'ushort' ? 2 : 1;
  const turned = (metadata.orientation ?? 1) > 2 ? 2 : 1;
  return width * height * channels * sampleBytes * turned;
}

function shrinkToFit(bytes: number): number {
  let shrink = 1;
  while (bytes / shrink ** 2 > decodedBytesLimit) shrink *= 2;
  return shrink;
}

/** A WebP of at most 320 pixels a side, from pixels already decoded; never larger than the picture. */
export async function thumbnailOf({ pixels, width, height, channels }: Bitmap): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width, height, channels } }).resize(320, 320, { fit: 'inside', withoutEnlargement: true }).webp({ quality: 80, effort: 2 }).toBuffer();
}

/** `error` refuses what is truncated or damaged and lets mere warnings pass. The pixel limit is checked before, with a sentence. */
function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: false, pages: 1 });
}

function refusal(mediaType: MediaType, error: unknown): MixspaceError {
  const name = nameOf(mediaType);
  const message = String((error as Error).message);
  if (/timeout/i.test(message)) return unreadable(`The ${name} took longer than ${decodeSeconds} s to decode and was given up.`, error);
  if (/premature end|truncat|unexpected end|end of (stream|file|image)/i.test(message)) return unreadable(`The ${name} is truncated: its end is missing.`, error);
  return unreadable(`The ${name} is broken or truncated and cannot be decoded${causeOf(error)}.`, error);
}

function nameOf(mediaType: MediaType): string {
  const name = mediaType.slice('image/'.length);
  return name === 'webp' ? 'WebP' : name.toUpperCase();
}

/** The decoder's last line, without the names of its parts before it, in brackets; nothing where it says nothing. */
function causeOf(error: unknown): string {
  const lines = String((error as Error).message).trim().split('\n');
  const last = (lines.at(-1) ?? '').replace(/^([\w ]+:\s*)+/, '').slice(0, 120);
  return last === '' || /unknown error|unsupported image format/i.test(last) ? '' : ` (${last})`;
}

function takenAt(block: Buffer | undefined): string | undefined {
  if (!block) return undefined;
  try {
    const taken = exif(block).Photo?.DateTimeOriginal;
    return taken instanceof Date && !Number.isNaN(taken.getTime()) ? taken.toISOString().slice(0, 19) : undefined;
  } catch {
    return undefined;
  }
}

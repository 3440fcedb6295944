import sharp, { type Metadata, type Sharp } from 'sharp';
import { MixspaceError } from '../../errors.js';
import { chromaLayout, smoothChroma } from './chroma.js';
import { flattenOnWhite, fromCmyk, fromSixteenBits } from './colors.js';
import { requireAffordable } from './decode-cost.js';
import { decodeHeic } from './heic.js';
import { damaged, mediaTypeOf, nameOf, type MediaType } from './media-type.js';
import { uprightSize, type Bitmap, type Orientation } from './resize.js';

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
  /** Upright: after EXIF orientation. */
  width: number;
  height: number;
  /** As stored, until it is turned upright. */
  stored: { width: number; height: number; orientation: Orientation };
  metadata: Metadata;
}

/** More than this is decoded in strips, so that one picture does not take the memory of all others. */
const stripBytes = 192 * 2 ** 20;

/** Progressive, interlaced and HEIC pictures lie in memory whole while they are decoded, 4 to 7 bytes a pixel as measured. */
const wholePixels = 70e6;

export const decodeSeconds = 30;

const thumbnailSize = { width: 320, height: 320, fit: 'inside', withoutEnlargement: true } as const;
const thumbnailFormat = { quality: 80, effort: 2 } as const;

/** Throws `too_large` above a limit, `unsupported_media` for what is no picture, `damaged_media` for one that is broken. */
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
  const kind = wholeKind(mediaType, metadata);
  if (kind !== undefined && pixels > wholePixels) {
    throw new MixspaceError('too_large', `The picture is ${kind} and has ${metadata.width} x ${metadata.height} pixels; of that kind at most ${wholePixels / 1e6} megapixels are decoded. Saved otherwise, larger ones are.`);
  }
  requireAffordable(bytes, mediaType, metadata);
  const stored = { width: metadata.width, height: metadata.height, orientation: orientationOf(metadata) };
  return { mediaType, ...uprightSize(stored), stored, metadata };
}

/** What makes the decoder keep the whole picture. */
function wholeKind(mediaType: MediaType, metadata: Metadata): string | undefined {
  if (isHevc(metadata)) return 'HEIC';
  if (!metadata.isProgressive) return undefined;
  return mediaType === 'image/png' ? 'interlaced' : 'progressive';
}

/** sharp reads the headers of these, and has no decoder for them. */
const isHevc = ({ compression }: Metadata): boolean => compression === 'hevc';

/** Some whole rows of a picture, as stored. */
export interface Strip {
  top: number;
  height: number;
}

/** One for most pictures. */
export function stripsOf(header: PictureHeader): Strip[] {
  const { height } = header.stored;
  const count = isHevc(header.metadata) ? 1 : Math.ceil(decodedBytes(header) / stripBytes);
  const each = Math.ceil(height / count);
  return Array.from({ length: Math.ceil(height / each) }, (_, i) => ({ top: i * each, height: Math.min(each, height - i * each) }));
}

/** The whole picture, as `decodeStrip` gives it. */
export function decode(bytes: Uint8Array, header: PictureHeader): Promise<Bitmap> {
  return decodeStrip(bytes, header, { top: 0, height: header.stored.height });
}

/**
 * 8-bit grey or RGB as the reference sees it: no color profile applied, CMYK by plain arithmetic, 16 bits as
 * `fromSixteenBits` says, transparency on white, the first frame; not turned upright yet. Throws `damaged_media` for broken and
 * truncated pictures.
 */
export async function decodeStrip(bytes: Uint8Array, header: PictureHeader, strip: Strip): Promise<Bitmap> {
  const { metadata, stored } = header;
  if (isHevc(metadata)) return decodeHevc(bytes, header);
  const grey = metadata.channels === 1 && !metadata.hasAlpha;
  const deep = metadata.depth === 'ushort';
  const cmyk = metadata.space === 'cmyk';

  let pipeline = open(bytes).timeout({ seconds: decodeSeconds });
  if (cmyk) pipeline = pipeline.pipelineColourspace('cmyk').toColourspace('cmyk');
  else if (deep) pipeline = pipeline.toColourspace(grey ? 'grey16' : 'rgb16');
  else if (grey) pipeline = pipeline.toColourspace('b-w');
  if (strip.height < stored.height) pipeline = pipeline.extract({ left: 0, top: strip.top, width: stored.width, height: strip.height });

  const { data, info } = await pipeline
    .raw({ depth: deep && !cmyk ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw refusal(header.mediaType, error);
    });
  const { width, height } = info;
  const { orientation } = stored;
  const samples = deep && !cmyk ? fromSixteenBits(data, grey ? 'rounded' : 'cut') : data;
  if (header.mediaType === 'image/avif' && !deep && height === stored.height && (info.channels === 3 || info.channels === 4)) {
    const layout = chromaLayout(bytes, width, height);
    if (layout) smoothChroma(samples, width, height, info.channels, layout);
  }
  if (cmyk) return { pixels: fromCmyk(samples, info.channels), width, height, channels: 3, orientation };
  if (info.channels === 2 || info.channels === 4) {
    const channels = info.channels === 2 ? 1 : 3;
    return { pixels: flattenOnWhite(samples, channels), width, height, channels, orientation };
  }
  return { pixels: samples, width, height, channels: info.channels === 1 ? 1 : 3, orientation };
}

function decodeHevc(bytes: Uint8Array, { mediaType, stored }: PictureHeader): Bitmap {
  try {
    const { pixels, width, height, channels } = decodeHeic(bytes);
    if (width !== stored.width || height !== stored.height) throw new Error(`It has ${width} x ${height} pixels, not ${stored.width} x ${stored.height} as its header says`);
    return { pixels: channels === 4 ? flattenOnWhite(pixels, 3) : pixels, width, height, channels: 3, orientation: 1 };
  } catch (error) {
    throw refusal(mediaType, error);
  }
}

/** Bytes that the picture takes when it is decoded whole. */
export function decodedBytes({ stored: { width, height }, metadata }: PictureHeader): number {
  const channels = metadata.channels === 2 ? 4 : metadata.channels;
  const sampleBytes = metadata.depth === 'ushort' ? 2 : 1;
  return width * height * channels * sampleBytes;
}

/** What EXIF says, else XMP, as Pillow reads them. AVIF and HEIC say it in the container alone, and their decoder turns them. */
function orientationOf({ format, orientation, xmpAsString }: Metadata): Orientation {
  if (format === 'heif') return 1;
  const said = orientation ?? Number(/tiff:Orientation(?:="|>)([0-9])/.exec(xmpAsString ?? '')?.[1] ?? 1);
  return said >= 1 && said <= 8 ? (said as Orientation) : 1;
}

/** How sharp turns a picture upright. Called after its `resize`, it turns the small result, and mirrors before it rotates. */
const turns: Record<Orientation, { flip?: true; flop?: true; rotate?: number }> = {
  1: {},
  2: { flop: true },
  3: { rotate: 180 },
  4: { flip: true },
  5: { flip: true, rotate: 90 },
  6: { rotate: 90 },
  7: { flop: true, rotate: 90 },
  8: { rotate: 270 },
};

/** A WebP of at most 320 pixels a side, upright; never larger than the picture. From pixels already decoded, whole. */
export async function thumbnailOf({ pixels, width, height, channels, orientation }: Bitmap): Promise<Uint8Array> {
  return thumbnail(sharp(pixels, { raw: { width, height, channels } }), orientation);
}

/** The same of a picture that was not decoded whole in its own size. */
export async function thumbnailFrom(bytes: Uint8Array, { stored }: PictureHeader): Promise<Uint8Array> {
  return thumbnail(open(bytes).flatten({ background: '#fff' }), stored.orientation);
}

function thumbnail(source: Sharp, orientation: Orientation): Promise<Uint8Array> {
  const { flip = false, flop = false, rotate = 0 } = turns[orientation];
  return source.resize(thumbnailSize).flip(flip).flop(flop).rotate(rotate).webp(thumbnailFormat).toBuffer();
}

/** `error` refuses what is truncated or damaged and lets mere warnings pass. The pixel limit is checked before, with a sentence. */
export function open(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: false, pages: 1 });
}

export function refusal(mediaType: MediaType, error: unknown): MixspaceError {
  const name = nameOf(mediaType);
  const message = String((error as Error).message);
  if (/timeout/i.test(message)) return new MixspaceError('unprocessable', `The ${name} took longer than ${decodeSeconds} s to decode and was given up.`, { cause: error });
  if (unknownKind.test(message)) return new MixspaceError('unsupported_media', `The ${name} is of a kind that is not read${causeOf(error)}.`, { cause: error });
  if (/premature end|truncat|unexpected end|end of (stream|file|image)/i.test(message)) return damaged(`The ${name} is truncated: its end is missing.`, error);
  return damaged(`The ${name} is broken or truncated and cannot be decoded${causeOf(error)}.`, error);
}

/** What decoders say of whole files that they cannot read. Of a head that is broken sharp says that its format is unsupported. */
const unknownKind = /unsupported (?!image format)|not (supported|configured|implemented)/i;

/** The decoder's last line, without the names of its parts before it, in brackets; nothing where it says nothing. */
function causeOf(error: unknown): string {
  const lines = String((error as Error).message).trim().split('\n');
  const last = (lines.at(-1) ?? '').replace(/^([\w ]+:\s*)+/, '').slice(0, 120);
  return last === '' || /unknown error|unsupported image format/i.test(last) ? '' : ` (${last})`;
}

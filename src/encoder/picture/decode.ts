import sharp, { type Metadata } from 'sharp';
import { MixspaceError } from '../../errors.js';
import { readAvif, type Avif } from './avif.js';
import { firstOf, flattenOnWhite, fromCmyk, fromSixteenBits } from './colors.js';
import { requireAffordable, type CostFacts } from './decode-cost.js';
import { decodeAvif } from './decode-avif.js';
import { asOrientation, orientationInXmp } from './exif-orientation.js';
import { decodeGif, readGif, type Gif } from './gif.js';
import { decodeHeic } from './heic.js';
import { unreadHeifKind } from './heif-kinds.js';
import { faultBehindScan, unsupportedJpeg } from './jpeg-markers.js';
import { damaged, mediaTypeOf, type MediaType, type RawMediaType } from './media-type.js';
import { isApplePng, readPng, type PngFacts } from './png-chunks.js';
import { readRaw } from './raw-preview.js';
import { refusal, unsupported } from './refusal.js';
import { uprightSize, type Bitmap, type Orientation } from './resize.js';
import { open, samplesOf, type SamplesAsked, type Strip } from './samples.js';
import { fromTiffColors } from './tiff-colors.js';
import { readTiff, type TiffSamples } from './tiff.js';
import { isConverted } from './yuv.js';

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

/** What reads the samples: libvips alone, where it reads them as the reference does, or what stands beside it. */
type Form = { kind: 'libvips' } | { kind: 'png'; png: PngFacts } | { kind: 'hevc' } | { kind: 'gif'; gif: Gif } | { kind: 'avif'; avif: Avif } | { kind: 'tiff'; tiff: TiffSamples };

/** What the header tells, before a pixel is decoded. */
export interface PictureHeader {
  mediaType: MediaType | RawMediaType;
  /** Upright: after EXIF orientation. */
  width: number;
  height: number;
  /** As stored, until it is turned upright. */
  stored: { width: number; height: number; orientation: Orientation };
  metadata: CostFacts & Pick<Metadata, 'pages' | 'exif' | 'xmp'>;
  form: Form;
  /** What libvips is given in place of the file's bytes. */
  source?: Uint8Array;
}

/** More than this is decoded in strips, so that one picture does not take the memory of all others. */
const stripBytes = 192 * 2 ** 20;

/** Progressive, interlaced and HEIC pictures lie in memory whole while they are decoded, 4 to 7 bytes a pixel as measured. */
const wholePixels = 70e6;

/**
 * Throws `too_large` above a limit, `unsupported_media` for what is no picture or one of a kind that is not read, by its
 * name, `damaged_media` for one that is broken.
 */
export async function readHeader(bytes: Uint8Array, limits: PictureLimits): Promise<PictureHeader> {
  if (bytes.length > limits.pictureBytes) {
    throw new MixspaceError('too_large', `The picture has ${bytes.length} bytes; at most ${limits.pictureBytes} are read.`);
  }
  const raw = readRaw(bytes);
  if (raw) {
    const { preview, mediaType, orientation } = raw;
    const header = await readHeader(preview, limits);
    const stored = { ...header.stored, orientation: orientation ?? header.stored.orientation };
    return { ...header, mediaType, ...uprightSize(stored), stored, source: preview };
  }
  const mediaType = mediaTypeOf(bytes);
  const { form, source } = formOf(mediaType, bytes);
  const metadata = form.kind === 'gif' ? gifFacts(form.gif) : await metadataOf(mediaType, form, bytes, source);
  const { width, height } = metadata;
  const pixels = width * height;
  if (pixels > limits.picturePixels) {
    throw new MixspaceError('too_large', `The picture has ${width} x ${height} pixels; at most ${Math.floor(limits.picturePixels / 1e6)} megapixels are decoded.`);
  }
  const isHevc = metadata.compression === 'hevc';
  const kind = isHevc ? 'HEIC' : wholeKind(mediaType, form, metadata);
  if (kind !== undefined && pixels > wholePixels) {
    throw new MixspaceError('too_large', `The picture is ${kind} and has ${width} x ${height} pixels; of that kind at most ${wholePixels / 1e6} megapixels are decoded. Saved otherwise, larger ones are.`);
  }
  requireAffordable(bytes, mediaType, metadata);
  if (mediaType === 'image/jpeg') refuseFaulty(bytes);
  const stored = { width, height, orientation: orientationOf(mediaType, form, metadata) };
  return { mediaType, ...uprightSize(stored), stored, metadata, form: isHevc ? { kind: 'hevc' } : form, ...(source === undefined ? {} : { source }) };
}

/** @throws MixspaceError `unsupported_media`, `damaged_media` */
function formOf(mediaType: MediaType, bytes: Uint8Array): { form: Form; source?: Uint8Array } {
  switch (mediaType) {
    case 'image/jpeg': {
      const kind = unsupportedJpeg(bytes);
      if (kind !== undefined) throw unsupported(mediaType, kind);
      break;
    }
    case 'image/png':
      if (isApplePng(bytes)) throw unsupported(mediaType, "Apple's own form for its devices (CgBI)");
      return { form: { kind: 'png', png: pngOf(bytes) } };
    case 'image/gif':
      return { form: { kind: 'gif', gif: readGif(bytes) } };
    case 'image/tiff': {
      const tiff = readTiff(bytes);
      return { form: { kind: 'tiff', tiff }, source: tiff.source };
    }
    case 'image/avif':
    case 'image/heic': {
      const avif = avifOf(mediaType, bytes);
      if (avif && isConverted(avif.color.colors)) return { form: { kind: 'avif', avif } };
    }
  }
  return { form: { kind: 'libvips' } };
}

type Facts = CostFacts & Pick<Metadata, 'pages' | 'exif' | 'xmp' | 'orientation' | 'xmpAsString' | 'compression'>;

async function metadataOf(mediaType: MediaType, form: Form, bytes: Uint8Array, source = bytes): Promise<Facts> {
  const read = open(source).metadata();
  if (form.kind !== 'avif') {
    return read.catch((error: unknown) => {
      throw refusal(mediaType, error, unreadHeifKind(mediaType, bytes));
    });
  }
  // Of a sequence libvips reads nothing.
  const { exif, xmp } = await read.catch((): Partial<Metadata> => ({}));
  const { width, height, color, alpha } = form.avif;
  const depth = color.samples.bits > 8 ? 'ushort' : 'uchar';
  return { width, height, channels: color.samples.monochrome ? 1 : 3, depth, space: 'srgb', hasAlpha: alpha !== undefined, isProgressive: false, compression: 'av1', ...(exif ? { exif } : {}), ...(xmp ? { xmp } : {}) };
}

const gifFacts = ({ width, height, transparent }: Gif): Facts => ({ width, height, channels: 3, depth: 'uchar', space: 'srgb', hasAlpha: transparent !== undefined, isProgressive: false });

/** HEIC's own decoder says what is broken there. */
function avifOf(mediaType: MediaType, bytes: Uint8Array): Avif | undefined {
  try {
    return readAvif(bytes);
  } catch (error) {
    if (mediaType === 'image/heic') return undefined;
    throw refusal(mediaType, error, unreadHeifKind(mediaType, bytes));
  }
}

function pngOf(bytes: Uint8Array): PngFacts {
  const png = readPng(bytes);
  if (png.isDamaged) throw damaged('The PNG is broken: before its pixels there is a checksum that is not right.');
  return png;
}

/** Throws `damaged_media` for a fault that a decoder does not see. */
function refuseFaulty(jpeg: Uint8Array): void {
  const fault = faultBehindScan(jpeg);
  if (fault === 'cut') throw damaged('The JPEG is truncated: its end is missing.');
  if (fault === 'broken') throw damaged('The JPEG is broken: within or behind its pixels there is a marker that cannot be.');
}

/** What makes the decoder keep the whole picture. */
function wholeKind(mediaType: MediaType, form: Form, { isProgressive }: Facts): string | undefined {
  if (form.kind === 'tiff' && form.tiff.colors) return 'a TIFF of other colors than grey and RGB';
  if (!isProgressive) return undefined;
  return mediaType === 'image/png' ? 'interlaced' : 'progressive';
}

/** One for most pictures. */
export function stripsOf(header: PictureHeader): Strip[] {
  const { height } = header.stored;
  const { form } = header;
  const isWhole = form.kind === 'hevc' || form.kind === 'avif' || (form.kind === 'tiff' && form.tiff.colors !== undefined);
  const count = isWhole ? 1 : Math.ceil(decodedBytes(header) / stripBytes);
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
  const { form, stored, mediaType } = header;
  try {
    if (form.kind === 'hevc') return decodeHevc(bytes, header);
    if (form.kind === 'avif') return await decodeAvif(form.avif);
    if (form.kind === 'gif') return { pixels: decodeGif(bytes, form.gif, strip), width: stored.width, height: strip.height, channels: 3, orientation: 1 };
    return await decodeByLibvips(bytes, header, strip);
  } catch (error) {
    throw refusal(mediaType, error, unreadHeifKind(mediaType, bytes));
  }
}

async function decodeByLibvips(bytes: Uint8Array, { metadata, stored, form, source = bytes }: PictureHeader, strip: Strip): Promise<Bitmap> {
  const grey = metadata.channels === 1 && !metadata.hasAlpha;
  const deep = metadata.depth === 'ushort';
  const cmyk = metadata.space === 'cmyk';
  const tiff = form.kind === 'tiff' ? form.tiff : undefined;
  const asked: SamplesAsked = { deep: deep && !cmyk };
  if (cmyk) asked.colors = 'cmyk';
  else if (deep) asked.colors = grey ? 'grey16' : 'rgb16';
  else if (grey) asked.colors = 'b-w';
  if (strip.height < stored.height) asked.rows = { ...strip, width: stored.width };

  const { data, info } = tiff ? await tiffSamples(source, asked) : await samplesOf(source, asked);
  const { width, height, channels: stride } = info;
  const rest = { width, height, orientation: stored.orientation };
  if (tiff?.colors) return { pixels: fromTiffColors(data, stride, tiff.colors), channels: 3, ...rest };
  const samples = asked.deep ? fromSixteenBits(data, grey ? 'rounded' : 'cut') : data;
  if (cmyk) return { pixels: fromCmyk(samples, stride), channels: 3, ...rest };
  const channels = stride < 3 ? 1 : 3;
  const alpha = stride > channels && (tiff === undefined || tiff.alpha);
  if (!alpha) return { pixels: firstOf(samples, stride, channels), channels, ...rest };
  return { pixels: flattenOnWhite(firstOf(samples, stride, channels + 1), channels), channels, ...rest };
}

/** libvips lets a tile that libtiff cannot decode pass as if it were a warning, and calls those by another name: such pictures are decoded once more. */
async function tiffSamples(source: Uint8Array, asked: SamplesAsked): ReturnType<typeof samplesOf> {
  try {
    return await samplesOf(source, { ...asked, failOn: 'warning' });
  } catch (error) {
    if (!/warning treated as error/i.test((error as Error).message)) throw error;
    return samplesOf(source, asked);
  }
}

function decodeHevc(bytes: Uint8Array, { stored }: PictureHeader): Bitmap {
  const { pixels, width, height, channels } = decodeHeic(bytes);
  if (width !== stored.width || height !== stored.height) throw new Error(`It has ${width} x ${height} pixels, not ${stored.width} x ${stored.height} as its header says`);
  return { pixels: channels === 4 ? flattenOnWhite(pixels, 3) : pixels, width, height, channels: 3, orientation: 1 };
}

/** Bytes that the picture takes when it is decoded whole. */
export function decodedBytes({ stored: { width, height }, metadata }: Pick<PictureHeader, 'stored' | 'metadata'>): number {
  const channels = metadata.channels === 2 ? 4 : metadata.channels;
  const sampleBytes = metadata.depth === 'ushort' ? 2 : 1;
  return width * height * channels * sampleBytes;
}

/** What EXIF says, else XMP, as Pillow reads them. AVIF and HEIC say it in the container alone; HEIC's decoder turns them. */
function orientationOf(mediaType: MediaType, form: Form, { orientation, xmpAsString }: Facts): Orientation {
  if (form.kind === 'avif') return form.avif.orientation;
  if (form.kind === 'png') return form.png.orientation;
  if (mediaType === 'image/avif' || mediaType === 'image/heic' || form.kind === 'gif') return 1;
  return asOrientation(orientation) ?? orientationInXmp(xmpAsString) ?? 1;
}

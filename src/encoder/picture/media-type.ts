import { MixspaceError } from '../../errors.js';
import { foreignMedia, isoMedia } from './foreign-media.js';

export type MediaType = 'image/jpeg' | 'image/png' | 'image/webp' | 'image/avif' | 'image/heic' | 'image/gif' | 'image/tiff';

/** Of cameras' raw files, of which the preview is read. */
export type RawMediaType = `image/x-${'adobe-dng' | 'canon-cr2' | 'canon-cr3' | 'fuji-raf' | 'olympus-orf' | 'panasonic-rw2' | 'raw'}`;

const readable = 'JPEG, PNG, WebP, AVIF, HEIC, GIF and TIFF are read.';

/** The first bytes, as Latin letters, decide; names and declared types do not. Throws `unsupported_media` for what is not read. */
export function mediaTypeOf(bytes: Uint8Array): MediaType {
  if (bytes.length === 0) throw unreadable('The picture is empty: it has no bytes.');
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'image/gif';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (/^(II[*+]\0|MM\0[*+])/.test(head)) return 'image/tiff';
  if (head.startsWith('ftyp', 4)) return isoMediaType(head);
  throw unreadable(refusal(head));
}

/** ISO base media file: the brands of its first box tell AVIF from HEIC (ISO/IEC 23008-12). */
function isoMediaType(head: string): MediaType {
  const boxLength = Math.min(Buffer.from(head.slice(0, 4), 'latin1').readUInt32BE(), head.length);
  const brands = [head.slice(8, 12), ...(head.slice(16, boxLength).match(/.{4}/gs) ?? [])];
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'image/avif';
  if (brands.some((brand) => /^(he[iv][cmsx]|mif1|msf1)$/.test(brand))) return 'image/heic';
  throw unreadable(notRead(isoMedia(brands)));
}

function refusal(head: string): string {
  if (head.includes('%PDF-')) return `The file is a PDF, not a picture: ${readable}`;
  if (/<svg[\s>]/i.test(head)) return `The picture is an SVG drawing, which is not read: render it to PNG first. ${readable}`;
  const foreign = foreignMedia(head);
  if (foreign !== undefined) return notRead(foreign);
  if (/^[\t\n\r\x20-\x7e]*$/.test(head)) return `The file is text, not a picture: ${readable}`;
  return `The bytes are no picture of a known format: ${readable}`;
}

function notRead(what: string): string {
  if (/\bvideo\b/.test(what)) return `The file is ${what}, not a picture; a frame of it, saved as a picture, is read. ${readable}`;
  return /picture/.test(what) ? `The file is ${what}, which is not supported: ${readable}` : `The file is ${what}, not a picture: ${readable}`;
}

export function nameOf(mediaType: MediaType | RawMediaType): string {
  if (mediaType.startsWith('image/x-')) return 'preview in the raw file';
  const name = mediaType.slice('image/'.length);
  return name === 'webp' ? 'WebP' : name.toUpperCase();
}

function unreadable(message: string): MixspaceError {
  return new MixspaceError('unsupported_media', message);
}

/** Of a format that is read, and broken. */
export function damaged(message: string, cause?: unknown): MixspaceError {
  return new MixspaceError('damaged_media', message, cause === undefined ? {} : { cause });
}

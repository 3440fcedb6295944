/** What a picture will cost, by its header: small files that are made to take long are refused before a pixel is decoded. */
import type { Metadata } from 'sharp';
import { MixspaceError } from '../../errors.js';
import { nameOf, type MediaType } from './media-type.js';

/**
 * Seconds of one core a megapixel, thumbnail included, as measured with flat pictures of 40 to 100 megapixels (sharp 0.35,
 * an x86-64 server): files of so few bytes are flat.
 */
const seconds: Record<MediaType, number> = {
  'image/jpeg': 0.008,
  'image/png': 0.01,
  'image/tiff': 0.01,
  'image/webp': 0.025,
  'image/gif': 0.045,
  'image/avif': 0.05,
  'image/heic': 0.06,
};

/** What comes on top of that for pictures of these kinds. */
const more = { deep: 0.025, alpha: 0.02, cmyk: 0.04, interlaced: 0.035, scan: 0.001 };

/** Any picture may take a second, and one more for each megabyte that was sent. */
const free = 1;
const perByte = 1e-6;

/** What decides of a picture's header. */
export type CostFacts = Pick<Metadata, 'width' | 'height' | 'channels' | 'depth' | 'space' | 'hasAlpha' | 'isProgressive' | 'compression'>;

/** Throws `too_large` for a picture that would take far longer to decode than its bytes account for. */
export function requireAffordable(bytes: Uint8Array, mediaType: MediaType, metadata: CostFacts): void {
  const { width, height } = metadata;
  const each = secondsPerMegapixel(bytes, mediaType, metadata);
  const most = (free + bytes.length * perByte) / each;
  if ((width * height) / 1e6 <= most) return;
  const shown = most >= 1 ? String(Math.floor(most)) : most.toPrecision(1);
  throw new MixspaceError(
    'too_large',
    `The picture has ${width} x ${height} pixels in ${bytes.length} bytes of ${nameOf(mediaType)}, which would take too long; in so few bytes at most ${shown} megapixels of that kind are decoded. Made smaller, or saved as a baseline JPEG, it is read.`,
  );
}

function secondsPerMegapixel(bytes: Uint8Array, mediaType: MediaType, { depth, hasAlpha, space, isProgressive }: CostFacts): number {
  let sum = seconds[mediaType];
  if (depth !== 'uchar') sum += more.deep;
  if (hasAlpha && mediaType !== 'image/gif') sum += more.alpha;
  if (space === 'cmyk') sum += more.cmyk;
  if (isProgressive && mediaType === 'image/png') sum += more.interlaced;
  if (isProgressive && mediaType === 'image/jpeg') sum += more.scan * scansOf(bytes);
  return sum;
}

/** A progressive JPEG is gone through once a scan, and there can be thousands. */
function scansOf(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let count = 0;
  for (let at = file.indexOf(startOfScan); at >= 0; at = file.indexOf(startOfScan, at + 2)) count++;
  return count;
}

const startOfScan = Buffer.from([0xff, 0xda]);

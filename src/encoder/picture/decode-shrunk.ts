/** Large pictures decoded small: the decoder's own shrinking and libvips' resize, near the reference's pixels and not equal to them. */
import type { Interpolation } from './axis-weights.js';
import type { PictureHeader } from './decode.js';
import { decodeSeconds, refusal } from './refusal.js';
import { open } from './samples.js';
import { fitOf, type Preprocessing } from './preprocess.js';
import { swapped, type Bitmap } from './resize.js';

/** Nearer the input's size there is little to win. */
const leastReduction = 2;

/** libvips' cubic is Catmull-Rom, which is Keys' cubic with a = -0.5. */
const kernels = { bicubic: 'cubic', bilinear: 'linear' } as const satisfies Record<Interpolation, string>;

const shrinking: readonly string[] = ['image/jpeg', 'image/webp', 'image/png'];

/** Plain 8-bit grey or RGB, reduced by `leastReduction` or more both ways. */
export function canShrink({ mediaType, width, height, metadata }: PictureHeader, preprocessing: Preprocessing): boolean {
  const plain = shrinking.includes(mediaType) && metadata.depth === 'uchar' && !metadata.hasAlpha && (metadata.pages ?? 1) === 1;
  if (!plain || (metadata.space !== 'srgb' && metadata.space !== 'b-w')) return false;
  const fit = fitOf(width, height, preprocessing);
  return width >= leastReduction * fit.width && height >= leastReduction * fit.height;
}

/**
 * The whole picture, as stored and not turned upright yet, of the size that `fitOf` says, so that only the window is left to be cut out of it.
 * JPEG and WebP are shrunk while they are decoded, by no more than leaves a reduction by 2 to the kernel (`fastShrinkOnLoad: false`):
 * the whole way saves little more and is much further off, above all of WebP.
 * Throws `damaged_media` as `decode` does.
 */
export async function decodeShrunk(bytes: Uint8Array, header: PictureHeader, preprocessing: Preprocessing): Promise<Bitmap> {
  const { orientation } = header.stored;
  const fit = fitOf(header.width, header.height, preprocessing);
  const [width, height] = swapped(orientation) ? [fit.height, fit.width] : [fit.width, fit.height];
  const { data, info } = await open(bytes)
    .timeout({ seconds: decodeSeconds })
    .resize(width, height, { fit: 'fill', kernel: kernels[preprocessing.interpolation], fastShrinkOnLoad: false })
    .toColourspace(header.metadata.channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw refusal(header.mediaType, error);
    });
  return { pixels: data, width, height, channels: info.channels === 1 ? 1 : 3, orientation };
}

import sharp, { type Sharp } from 'sharp';
import type { PictureHeader } from './decode.js';
import { open } from './samples.js';
import type { Bitmap, Orientation } from './resize.js';

const thumbnailSize = { width: 320, height: 320, fit: 'inside', withoutEnlargement: true } as const;
const thumbnailFormat = { quality: 80, effort: 2 } as const;

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
export async function thumbnailFrom(bytes: Uint8Array, { stored, source = bytes }: PictureHeader): Promise<Uint8Array> {
  return thumbnail(open(source).flatten({ background: '#fff' }), stored.orientation);
}

function thumbnail(source: Sharp, orientation: Orientation): Promise<Uint8Array> {
  const { flip = false, flop = false, rotate = 0 } = turns[orientation];
  return source.resize(thumbnailSize).flip(flip).flop(flop).rotate(rotate).webp(thumbnailFormat).toBuffer();
}

import type { Avif, Av1Plane } from './avif.js';
import { stillOf } from './avif-still.js';
import { flattenOnWhite, fromSixteenBits, unmultiply } from './colors.js';
import { samplesOf } from './samples.js';
import type { Bitmap } from './resize.js';
import { toGrey, toRgb } from './yuv.js';

/** The whole picture, not turned upright yet. Throws what the decoder throws. */
export async function decodeAvif({ width, height, orientation, color, alpha, premultiplied }: Avif): Promise<Bitmap> {
  const plain = color.samples.monochrome ? await greyOf(color, color.colors.fullRange) : await rgbOf(color);
  const channels = color.samples.monochrome ? 1 : 3;
  if (!alpha) return { pixels: plain, width, height, channels, orientation };
  const opacity = await greyOf(alpha, alpha.colors.fullRange);
  if (premultiplied) unmultiply(plain, channels, opacity);
  return { pixels: flattenOnWhite(joined(plain, channels, opacity), channels), width, height, channels, orientation };
}

async function greyOf(plane: Av1Plane, fullRange: boolean): Promise<Uint8Array> {
  const { bytes, deep } = await canvasOf(plane);
  const { bits } = plane.samples;
  if (!deep) return toGrey(bytes.subarray(1), 3, 255, fullRange);
  const samples = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  for (let i = 0; i < samples.length; i++) samples[i]! >>= 16 - bits;
  return toGrey(samples.subarray(1), 3, 2 ** bits - 1, fullRange);
}

async function rgbOf(plane: Av1Plane): Promise<Uint8Array> {
  const { bytes, deep } = await canvasOf(plane);
  const samples = deep ? fromSixteenBits(bytes, 'cut') : bytes;
  toRgb({ samples, width: plane.width, height: plane.height }, plane.colors, plane.samples);
  return samples;
}

/** Color of red, luma, color of blue of each pixel, each as it is, 8 bits or the upper ones of 16. */
async function canvasOf({ width, height, columns, tiles, samples }: Av1Plane): Promise<{ bytes: Uint8Array; deep: boolean }> {
  const deep = samples.bits > 8;
  const pixel = deep ? 6 : 3;
  const [only] = tiles;
  if (tiles.length === 1 && only!.width === width && only!.height === height) return { bytes: await tileOf(only!, deep), deep };
  const bytes = new Uint8Array(width * height * pixel);
  for (const [i, tile] of tiles.entries()) {
    const decoded = await tileOf(tile, deep);
    const left = (i % columns) * tile.width;
    const top = Math.floor(i / columns) * tile.height;
    const length = Math.min(tile.width, width - left) * pixel;
    for (let y = 0; y < tile.height && top + y < height && length > 0; y++) {
      const from = y * tile.width * pixel;
      bytes.set(decoded.subarray(from, from + length), ((top + y) * width + left) * pixel);
    }
  }
  return { bytes, deep };
}

async function tileOf(tile: Av1Plane['tiles'][number], deep: boolean): Promise<Uint8Array> {
  const { data, info } = await samplesOf(stillOf(tile), { colors: deep ? 'rgb16' : 'srgb', deep });
  if (info.width !== tile.width || info.height !== tile.height || info.channels !== 3) throw new Error('Its size is not what its header says');
  return data;
}

function joined(plain: Uint8Array, channels: 1 | 3, opacity: Uint8Array): Uint8Array {
  const out = new Uint8Array(opacity.length * (channels + 1));
  for (let i = 0, from = 0, to = 0; i < opacity.length; i++) {
    for (let c = 0; c < channels; c++) out[to++] = plain[from++]!;
    out[to++] = opacity[i]!;
  }
  return out;
}

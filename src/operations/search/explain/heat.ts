/** Where in a picture its score lies: how far it falls when a part is hidden (occlusion sensitivity, Zeiler and Fergus 2014). */
import sharp from 'sharp';
import type { ModelVersion } from '../../../encoder/encoder.js';
import type { Context } from '../../context.js';
import { similarTo } from '../relevance/background.js';

/** Cells of a side; of a picture of fewer pixels one each. */
const cells = 7;
/** Thumbnails are at most 320 px wide and high. */
const mostPixels = 512 * 512;
/** Of the map's longer side, pixels. */
const mapSide = 160;
/** The map's color, from transparent where nothing falls to this alpha where most does. */
const color = [255, 64, 0] as const;
const mostAlpha = 200;

export interface Heat {
  /** Base64. */
  png: string;
  /** Of it, pixels: the picture's proportions. */
  width: number;
  height: number;
  /** The thumbnail's own score. */
  score: number;
  /** Rows from the top of cells from the left: the score less that with the cell hidden. */
  falls: number[][];
}

/**
 * `thumbnail`: what the service keeps, since models look at hardly more pixels than it has; each cell is hidden by the mean color of all of it.
 * @returns undefined where it cannot be encoded.
 */
export async function heatOf(context: Context, model: ModelVersion, thumbnail: Uint8Array, { embedding, signal }: { embedding: Float32Array; signal: AbortSignal }): Promise<Heat | undefined> {
  const { data, info } = await sharp(thumbnail, { limitInputPixels: mostPixels }).flatten({ background: '#ffffff' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const [rows, columns] = [edgesOf(height), edgesOf(width)];
  const mean = meanOf(data, channels);
  const hidden = rows.flatMap(([top, bottom]) => columns.map(([left, right]) => covered(data, { width, channels, top, bottom, left, right }, mean)));
  const pictures = await Promise.all([data, ...hidden].map((pixels) => sharp(pixels, { raw: { width, height, channels } }).png({ compressionLevel: 0 }).toBuffer()));
  const outcomes = await context.encoder.encodeImages(model, pictures, { priority: 'interactive', signal });
  const scores = outcomes.flatMap((outcome) => (outcome.ok ? [similarTo(outcome.value.embedding, embedding)] : []));
  if (scores.length < outcomes.length) return undefined;
  const [score, ...others] = scores as [number, ...number[]];
  const falls = rows.map((_, row) => columns.map((_, column) => score - others[row * columns.length + column]!));
  return { ...(await mapOf(falls, { width, height })), score, falls };
}

/** From where to where, of so many pixels. */
function edgesOf(pixels: number): [from: number, to: number][] {
  const count = Math.min(cells, pixels);
  return Array.from({ length: count }, (_, i) => [Math.floor((i * pixels) / count), Math.floor(((i + 1) * pixels) / count)]);
}

function meanOf(pixels: Uint8Array, channels: number): number[] {
  const sums = new Array<number>(channels).fill(0);
  for (let i = 0; i < pixels.length; i++) sums[i % channels]! += pixels[i]!;
  return sums.map((sum) => Math.round((sum * channels) / pixels.length));
}

function covered(pixels: Uint8Array, { width, channels, top, bottom, left, right }: Record<'width' | 'channels' | 'top' | 'bottom' | 'left' | 'right', number>, mean: number[]): Buffer {
  const copy = Buffer.from(pixels);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) copy.set(mean, (y * width + x) * channels);
  }
  return copy;
}

async function mapOf(falls: number[][], picture: { width: number; height: number }): Promise<Pick<Heat, 'png' | 'width' | 'height'>> {
  const scale = mapSide / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((pixels) => Math.max(1, Math.round(pixels * scale))) as [number, number];
  const greatest = Math.max(...falls.flat(), Number.EPSILON);
  const pixels = Buffer.from(falls.flat().flatMap((fall) => [...color, Math.round((Math.max(0, fall) / greatest) * mostAlpha)]));
  const map = sharp(pixels, { raw: { width: falls[0]!.length, height: falls.length, channels: 4 } }).resize(width, height, { fit: 'fill', kernel: 'cubic' });
  return { png: (await map.png({ compressionLevel: 9 }).toBuffer()).toString('base64'), width, height };
}

import type { Interpolation } from './axis-weights.js';
import { Resizing, uprightSize, type Bitmap, type BitmapShape, type Window } from './resize.js';

export type Rgb = [number, number, number];

/** From a decoded picture to the tower's input, as the model's reference does it. */
export interface Preprocessing {
  geometry: 'crop' | 'squash';
  interpolation: Interpolation;
  /** Side of the square that the tower takes, pixels. */
  size: number;
  /** With `crop`: the length of the shortest edge before the middle is cut out; at least `size`. */
  shortestEdge: number;
  /** Of values divided by 255. */
  mean: Rgb;
  std: Rgb;
}

/** What the upright picture is resized to, pixels, and the square of it that the tower sees. */
export interface Fit {
  width: number;
  height: number;
  window: Window;
}

/** For an upright picture of so many pixels. */
export function fitOf(width: number, height: number, { geometry, size, shortestEdge }: Preprocessing): Fit {
  if (geometry === 'squash') return { width: size, height: size, window: { left: 0, top: 0, width: size, height: size } };
  const short = Math.min(width, height);
  // transformers' get_resize_output_image_size: the long edge is cut off, not rounded.
  const scaled = (edge: number) => (edge === short ? shortestEdge : Math.floor((edge * shortestEdge) / short));
  const fitted = { width: scaled(width), height: scaled(height) };
  return { ...fitted, window: { left: Math.floor((fitted.width - size) / 2), top: Math.floor((fitted.height - size) / 2), width: size, height: size } };
}

/** Takes the picture's stored rows, and gives the square the tower sees: 8 bits a sample, before mean and standard deviation. */
export function fitting(source: BitmapShape, preprocessing: Preprocessing): Resizing {
  const upright = uprightSize(source);
  const { width, height, window } = fitOf(upright.width, upright.height, preprocessing);
  return new Resizing(source, width, height, window, preprocessing.interpolation);
}

/** The same of a picture that is decoded whole. */
export function fitSquare(picture: Bitmap, preprocessing: Preprocessing): Bitmap {
  const square = fitting(picture, preprocessing);
  square.take(picture.pixels);
  return square.finish();
}

/** Writes the square into `tensor` at `offset` as three planes of (value / 255 - mean) / std. */
export function writeTensor(square: Bitmap, { mean, std }: Preprocessing, tensor: Float32Array, offset: number): void {
  const { pixels, channels } = square;
  const plane = square.width * square.height;
  const values = new Float32Array(256);
  for (let c = 0; c < 3; c++) {
    for (let v = 0; v < 256; v++) values[v] = (v / 255 - mean[c]!) / std[c]!;
    const start = offset + c * plane;
    for (let i = 0, p = channels === 3 ? c : 0; i < plane; i++, p += channels) tensor[start + i] = values[pixels[p]!]!;
  }
}

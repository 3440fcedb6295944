import type { Interpolation } from './axis-weights.js';
import type { PreprocessSpeed } from './speed.js';
import { Resizing, uprightSize, type Bitmap, type BitmapShape, type Window } from './resize.js';

export type Rgb = [number, number, number];

/** From a decoded picture to the tower's input, as the model's reference does it. */
export interface Preprocessing {
  /** `crop`: shortest edge to `shortestEdge`, then the middle; `squash`: both edges to `size`; `pad`: longest edge to `size`, then a frame. */
  geometry: 'crop' | 'squash' | 'pad';
  interpolation: Interpolation;
  /** Side of the square that the tower takes, pixels. */
  size: number;
  /** With `crop`: the length of the shortest edge before the middle is cut out; at least `size`. */
  shortestEdge: number;
  /** With `crop`: half a pixel goes to the even neighbor, where it is cut off otherwise. */
  cropRounding?: 'half_even';
  /** With `pad`: of the frame, 0 to 255. */
  fillColor?: number;
  /** Of values divided by 255. */
  mean: Rgb;
  std: Rgb;
  /** `exact` where it is not set. */
  speed?: PreprocessSpeed;
}

/** What the picture is resized to, pixels, and the part of it that the tower sees. */
export interface Fit {
  width: number;
  height: number;
  window: Window;
}

/** For a picture of so many pixels. */
export function fitOf(width: number, height: number, { geometry, size, shortestEdge, cropRounding }: Preprocessing): Fit {
  if (geometry === 'squash') return { width: size, height: size, window: { left: 0, top: 0, width: size, height: size } };
  if (geometry === 'pad') {
    // open_clip's ResizeKeepRatio (open_clip/transform.py), its longest edge at `size`.
    const ratio = Math.max(width, height) / size;
    const inside = { width: Math.max(1, roundHalfToEven(width / ratio)), height: Math.max(1, roundHalfToEven(height / ratio)) };
    return { ...inside, window: { left: 0, top: 0, ...inside } };
  }
  const short = Math.min(width, height);
  // transformers' get_resize_output_image_size: the long edge is cut off, not rounded.
  const scaled = (edge: number) => (edge === short ? shortestEdge : Math.floor((edge * shortestEdge) / short));
  const fitted = { width: scaled(width), height: scaled(height) };
  const half = cropRounding === 'half_even' ? (edge: number) => roundHalfToEven(edge / 2) : (edge: number) => Math.floor(edge / 2);
  return { ...fitted, window: { left: half(fitted.width - size), top: half(fitted.height - size), width: size, height: size } };
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Takes the picture's stored rows, and gives what `framed` makes the square of that the tower sees. */
export function fitting(source: BitmapShape, preprocessing: Preprocessing): Resizing {
  const upright = uprightSize(source);
  const { width, height, window } = fitOf(upright.width, upright.height, preprocessing);
  return new Resizing(source, width, height, window, preprocessing.interpolation);
}

/** The square the tower sees, 8 bits a sample, before mean and standard deviation, of a picture that is decoded whole. */
export function fitSquare(picture: Bitmap, preprocessing: Preprocessing): Bitmap {
  const fitted = fitting(picture, preprocessing);
  fitted.take(picture.pixels);
  return framed(fitted.finish(), preprocessing);
}

/** In the middle of the square, where `pad` leaves some of it open. */
export function framed(picture: Bitmap, { geometry, size, fillColor }: Preprocessing): Bitmap {
  if (geometry !== 'pad') return picture;
  const { pixels, width, height, channels } = picture;
  const out = new Uint8Array(size * size * channels).fill(fillColor ?? 0);
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  for (let y = 0; y < height; y++) out.set(pixels.subarray(y * width * channels, (y + 1) * width * channels), ((top + y) * size + left) * channels);
  return { ...picture, pixels: out, width: size, height: size };
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

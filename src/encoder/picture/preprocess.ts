import { resize, type Bitmap, type Interpolation } from './resize.js';

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
}

/** The square the tower sees, 8 bits a sample, before mean and standard deviation. */
export function fitSquare(picture: Bitmap, { geometry, interpolation, size, shortestEdge, cropRounding, fillColor }: Preprocessing): Bitmap {
  if (geometry === 'pad') return framed(fitInside(picture, size, interpolation), size, fillColor ?? 0);
  if (geometry === 'squash') return resize(picture, size, size, { left: 0, top: 0, width: size, height: size }, interpolation);
  const short = Math.min(picture.width, picture.height);
  // transformers' get_resize_output_image_size: the long edge is cut off, not rounded.
  const scaled = (edge: number) => (edge === short ? shortestEdge : Math.floor((edge * shortestEdge) / short));
  const width = scaled(picture.width);
  const height = scaled(picture.height);
  const half = cropRounding === 'half_even' ? (edge: number) => roundHalfToEven(edge / 2) : (edge: number) => Math.floor(edge / 2);
  const window = { left: half(width - size), top: half(height - size), width: size, height: size };
  return resize(picture, width, height, window, interpolation);
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** open_clip's ResizeKeepRatio (open_clip/transform.py) with its longest edge at `size`. */
function fitInside(picture: Bitmap, size: number, interpolation: Interpolation): Bitmap {
  const ratio = Math.max(picture.width, picture.height) / size;
  const width = Math.max(1, roundHalfToEven(picture.width / ratio));
  const height = Math.max(1, roundHalfToEven(picture.height / ratio));
  return resize(picture, width, height, { left: 0, top: 0, width, height }, interpolation);
}

function framed(picture: Bitmap, size: number, fillColor: number): Bitmap {
  const { pixels, width, height, channels } = picture;
  const out = new Uint8Array(size * size * channels).fill(fillColor);
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  for (let y = 0; y < height; y++) out.set(pixels.subarray(y * width * channels, (y + 1) * width * channels), ((top + y) * size + left) * channels);
  return { pixels: out, width: size, height: size, channels };
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

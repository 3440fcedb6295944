import { resize, type Bitmap, type Interpolation } from './resize.js';

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

/** The square the tower sees, 8 bits a sample, before mean and standard deviation. */
export function fitSquare(picture: Bitmap, { geometry, interpolation, size, shortestEdge }: Preprocessing): Bitmap {
  if (geometry === 'squash') return resize(picture, size, size, { left: 0, top: 0, width: size, height: size }, interpolation);
  const short = Math.min(picture.width, picture.height);
  // transformers' get_resize_output_image_size: the long edge is cut off, not rounded.
  const scaled = (edge: number) => (edge === short ? shortestEdge : Math.floor((edge * shortestEdge) / short));
  const width = scaled(picture.width);
  const height = scaled(picture.height);
  const window = { left: Math.floor((width - size) / 2), top: Math.floor((height - size) / 2), width: size, height: size };
  return resize(picture, width, height, window, interpolation);
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

import { regionOf, toScreenX, toScreenY, type Camera } from './camera.js';
import { eachRun, type Block } from './points.js';

/** What a point's byte says: the lower seven bits its color's index, the eighth that it stands back behind others. */
export const standsBack = 0x80;
export const colorCount = 128;

/** 256 colors as the bytes R G B A in memory; those of points that stand back included. */
export type Inks = Uint32Array;

/** Pixels beyond the window's edges, for dots that are half outside. */
export const overhang = 8;
const mostPixels = 2_400_000;

/** How many of the buffer's pixels a CSS pixel takes along an axis. */
export function densityOf(width: number, height: number, devicePixels: number): number {
  return Math.min(Math.max(devicePixels, 1), Math.max(1, Math.sqrt(mostPixels / Math.max(1, width * height))));
}

/** Round dots in a buffer of pixels, `size` wide each; drawn by hand, since WebGL without a graphics card takes a second for what takes milliseconds so. */
export class DotBuffer {
  image: ImageData;
  readonly #pixels: Uint32Array;
  #lateX = new Int32Array(1024);
  #lateY = new Int32Array(1024);
  #lateInk = new Uint32Array(1024);
  #lateCount = 0;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.image = new ImageData(width, height);
    this.#pixels = new Uint32Array(this.image.data.buffer);
  }

  clear(ground: number): void {
    this.#pixels.fill(ground);
    this.#lateCount = 0;
  }

  /**
   * `bytes`: those of the block's points, in its order. Those that `isLate` (by byte) names come above all others, once `finish` is called.
   * How many dots it drew.
   */
  draw(block: Block, { camera, bytes, inks, isLate, size, density }: { camera: Camera; bytes: Uint8Array; inks: Inks; isLate: Uint8Array; size: number; density: number }): number {
    const { width, height } = this;
    const pixels = this.#pixels;
    const offsets = discOf(size, width);
    const scale = camera.scale * density;
    // Half a pixel more: cutting off what is behind the point then rounds.
    const left = toScreenX(camera, 0) * density + overhang - size / 2 + 0.5;
    const top = toScreenY(camera, 0) * density + overhang - size / 2 + 0.5;
    const [lastX, lastY] = [width - size, height - size];
    const { x: xs, y: ys } = block;
    let drawn = 0;
    eachRun(block, regionOf(camera, overhang), (from, to) => {
      for (let place = from; place < to; place++) {
        const x = (xs[place]! * scale + left) | 0;
        const y = (ys[place]! * scale + top) | 0;
        if (x < 0 || y < 0 || x > lastX || y > lastY) continue;
        drawn++;
        const byte = bytes[place]!;
        const ink = inks[byte]!;
        if (isLate[byte] === 1) {
          this.#keep(x, y, ink);
          continue;
        }
        const start = y * width + x;
        if (size === 2) {
          pixels[start] = pixels[start + 1] = pixels[start + width] = pixels[start + width + 1] = ink;
        } else for (let index = 0; index < offsets.length; index++) pixels[start + offsets[index]!] = ink;
      }
    });
    return drawn;
  }

  /** Those that were kept for the end; may be called again after more was drawn. */
  finish(size: number): void {
    const offsets = discOf(size, this.width);
    for (let late = 0; late < this.#lateCount; late++) {
      const start = this.#lateY[late]! * this.width + this.#lateX[late]!;
      for (let index = 0; index < offsets.length; index++) this.#pixels[start + offsets[index]!] = this.#lateInk[late]!;
    }
  }

  #keep(x: number, y: number, ink: number): void {
    if (this.#lateCount === this.#lateX.length) this.#grow();
    this.#lateX[this.#lateCount] = x;
    this.#lateY[this.#lateCount] = y;
    this.#lateInk[this.#lateCount++] = ink;
  }

  #grow(): void {
    const length = 2 * this.#lateCount;
    this.#lateX = grown(this.#lateX, new Int32Array(length));
    this.#lateY = grown(this.#lateY, new Int32Array(length));
    this.#lateInk = grown(this.#lateInk, new Uint32Array(length));
  }
}

function grown<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

let disc: { size: number; width: number; offsets: Int32Array } | undefined;

/** The pixels of a disc from the upper left corner of its square, in a buffer of that width. */
function discOf(size: number, width: number): Int32Array {
  if (disc?.size === size && disc.width === width) return disc.offsets;
  const offsets: number[] = [];
  const middle = (size - 1) / 2;
  // Two pixels are a square; a disc of three and more has no corners.
  const reach = size <= 2 ? size : size / 2;
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (Math.hypot(x - middle, y - middle) <= reach - 0.1) offsets.push(y * width + x);
  disc = { size, width, offsets: Int32Array.from(offsets) };
  return disc.offsets;
}

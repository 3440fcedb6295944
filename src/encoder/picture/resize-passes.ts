/** The two passes of a resize over rows in the kernels' memory: weights packed for the kernels, rows kept as long as they are needed. */
import { mostTaps, type AxisWeights } from './axis-weights.js';
import type { Kernels } from './kernels.js';

/** A weight is `high * 2^15 + low`: halves that 16-bit multiply-adds take. */
const lowBits = 15;
const lowMask = (1 << lowBits) - 1;

/** Rows that the narrowing kernel works on at once: rows come to it, and leave it, in multiples of so many. */
export const rowsAtOnce = 4;

/** Bytes from row to row where the kernels write `length` bytes a row. */
export const rowPitch = (length: number): number => (length + 16) & ~15;

/** Rows to fewer, or more, columns. */
export class ColumnPass {
  readonly width: number;
  readonly #kernels: Kernels;
  readonly #channels: 1 | 3;
  readonly #firsts: number;
  readonly #weights: number;
  readonly #groups: number;
  /** Bytes that the kernel may read behind the last row. */
  readonly overrun: number;

  /** `left`: the source column that rows in memory begin with. */
  constructor(kernels: Kernels, axis: AxisWeights, channels: 1 | 3, left: number) {
    const { first, count, weights, stride } = axis;
    this.#kernels = kernels;
    this.#channels = channels;
    this.width = first.length;
    const taps = channels === 3 ? 4 : 8;
    this.#groups = Math.ceil(mostTaps(axis) / taps);
    this.overrun = this.#groups * taps * channels + 16;
    const packed = this.#groups * taps;
    this.#firsts = kernels.reserve(this.width * 4);
    this.#weights = kernels.reserve(this.width * packed * 4);
    const { buffer } = kernels.run.memory;
    new Uint32Array(buffer, this.#firsts, this.width).set(first.map((start) => (start - left) * channels));
    const halves = new Int16Array(buffer, this.#weights, this.width * packed * 2);
    for (let x = 0; x < this.width; x++) {
      for (let k = 0; k < packed; k++) {
        const weight = k < count[x]! ? weights[x * stride + k]! : 0;
        const at = (x * packed + k - (k % taps)) * 2 + (k % taps);
        halves[at] = weight >> lowBits;
        halves[at + taps] = weight & lowMask;
      }
    }
  }

  /** Of `rows` rows, rounded up to `rowsAtOnce`. */
  run(source: number, pitch: number, rows: number, out: number, outPitch: number): void {
    const { run } = this.#kernels;
    if (this.#channels === 3) {
      for (let y = 0; y < rows; y += rowsAtOnce) run.narrowRgb(source + y * pitch, pitch, this.#firsts, this.#weights, this.#groups, this.width, out + y * outPitch, outPitch);
    } else {
      for (let y = 0; y < rows; y++) run.narrowGrey(source + y * pitch, this.#firsts, this.#weights, this.#groups, this.width, out + y * outPitch);
    }
  }
}

/** Several rows to one. */
export class RowPass {
  readonly height: number;
  readonly #kernels: Kernels;
  readonly #axis: AxisWeights;
  readonly #weights: number;
  readonly #pairs: number;

  constructor(kernels: Kernels, axis: AxisWeights) {
    const { count, weights, stride } = axis;
    this.#kernels = kernels;
    this.#axis = axis;
    this.height = count.length;
    this.#pairs = Math.ceil(mostTaps(axis) / 2);
    this.#weights = kernels.reserve(this.height * this.#pairs * 8);
    const halves = new Int16Array(kernels.run.memory.buffer, this.#weights, this.height * this.#pairs * 4);
    for (let y = 0; y < this.height; y++) {
      for (let k = 0; k < this.#pairs * 2; k++) {
        const weight = k < count[y]! ? weights[y * stride + k]! : 0;
        const at = (y * this.#pairs + (k >> 1)) * 4 + (k & 1);
        halves[at] = weight >> lowBits;
        halves[at + 2] = weight & lowMask;
      }
    }
  }

  /** Source rows that the output row `y` needs: from `start` up to, not including, `end`. */
  needs(y: number): { start: number; end: number } {
    const start = this.#axis.first[y]!;
    return { start, end: start + this.#axis.count[y]! };
  }

  /** The output row `y`, of `length` bytes, from the rows of `rows`. */
  run(y: number, rows: RowWindow, length: number, out: number): void {
    const { start, end } = this.needs(y);
    this.#kernels.run.mixRows(rows.at(start), rows.pitch, this.#weights + y * this.#pairs * 8, (end - start + 1) >> 1, length, out);
  }
}

/** Rows that slide through memory: those that came last, back to the first one that is still needed. */
export class RowWindow {
  readonly pitch: number;
  readonly #kernels: Kernels;
  readonly #start: number;
  readonly #capacity: number;
  /** Index of the row that lies first. */
  #first: number;
  /** Index of the row that comes next. */
  next: number;

  /** Room for `kept` rows that wait and `band` that come at once; `overrun` bytes behind them may be read. */
  constructor(kernels: Kernels, pitch: number, first: number, kept: number, band: number, overrun: number) {
    this.#kernels = kernels;
    this.pitch = pitch;
    this.#capacity = 2 * kept + band;
    // More rows, since they are narrowed in fours and mixed in pairs.
    this.#start = kernels.reserve((this.#capacity + rowsAtOnce) * pitch + overrun);
    this.#first = first;
    this.next = first;
  }

  at(row: number): number {
    return this.#start + (row - this.#first) * this.pitch;
  }

  /** Address of the place for `rows` more rows; those before `needed` may be forgotten. */
  room(rows: number, needed: number): number {
    if (this.next - this.#first + rows > this.#capacity) {
      const memory = new Uint8Array(this.#kernels.run.memory.buffer);
      const from = Math.min(needed, this.next);
      memory.copyWithin(this.#start, this.at(from), this.at(this.next));
      this.#first = from;
    }
    return this.at(this.next);
  }
}

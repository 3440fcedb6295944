/**
 * Pillow's resize, bit for bit (Pillow 13, src/libImaging/Resample.c): separable, antialiased, weights in 22-bit
 * fixed point, an 8-bit picture between the two passes. Rows stream through a small memory, so that a large picture
 * is never held twice.
 */
import { axisWeights, extent, mirrored, mostTaps, type Interpolation } from './axis-weights.js';
import { returnKernels, takeKernels } from './kernels.js';
import { ColumnPass, rowPitch, RowPass, rowsAtOnce, RowWindow } from './resize-passes.js';

/** EXIF's: how stored rows and columns lie, 1 upright. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface BitmapShape {
  /** As stored, before it is turned upright. */
  width: number;
  height: number;
  channels: 1 | 3;
  orientation: Orientation;
}

export interface Bitmap extends BitmapShape {
  /** Rows of `width * channels` bytes, channels interleaved. */
  pixels: Uint8Array;
}

/** Of the resized upright picture, in its pixels. */
export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Orientations whose stored axes are the upright picture's other way round, and those whose stored columns, rows run backwards. */
export const swapped = (orientation: Orientation): boolean => orientation >= 5;
export const columnsTurned = (orientation: Orientation): boolean => [2, 3, 7, 8].includes(orientation);
export const rowsTurned = (orientation: Orientation): boolean => [3, 4, 6, 7].includes(orientation);

/** Width and height after turning it upright. */
export function uprightSize({ width, height, orientation }: Pick<BitmapShape, 'width' | 'height' | 'orientation'>): { width: number; height: number } {
  return swapped(orientation) ? { width: height, height: width } : { width, height };
}

/** `window` of what the upright source resized to `width` x `height` would be; upright. */
export function resize(source: Bitmap, width: number, height: number, window: Window, interpolation: Interpolation): Bitmap {
  const resizing = new Resizing(source, width, height, window, interpolation);
  resizing.take(source.pixels);
  return resizing.finish();
}

/** Bytes of source rows that are worked on at once; they and what comes of them fit a core's cache. */
const bandBytes = 128 * 1024;

/** One picture's resize, fed with its stored rows from the top. */
export class Resizing {
  readonly #kernels = takeKernels();
  readonly #source: BitmapShape;
  readonly #columnPass: ColumnPass;
  readonly #rowPass: RowPass;
  readonly #rowsFirst: boolean;
  /** Bytes of a stored row that are needed. */
  readonly #cut: { start: number; length: number };
  readonly #needed: { start: number; end: number };
  readonly #band: number;
  /** Where rows first lie whole; with `#rowsFirst` they wait there to be mixed. */
  readonly #whole: RowWindow;
  /** Rows after the first pass. */
  readonly #between: RowWindow;
  readonly #out: number;
  readonly #outPitch: number;
  /** Stored rows that came, output rows that are done. */
  #came = 0;
  #done = 0;

  constructor(source: BitmapShape, width: number, height: number, window: Window, interpolation: Interpolation) {
    const { channels, orientation } = source;
    const upright = uprightSize(source);
    const across = axisWeights(upright.width, width, window.left, window.width, interpolation);
    const down = axisWeights(upright.height, height, window.top, window.height, interpolation);
    // Pillow 13 takes the pass first that throws more away (its pull request 9549); with 8 bits between, the order shows.
    const downFirst = upright.height > height && upright.height - height > 2 * (upright.width - width);
    const [alongRow, alongColumn] = swapped(orientation) ? [down, across] : [across, down];
    const columns = columnsTurned(orientation) ? mirrored(alongRow, source.width) : alongRow;
    const rows = rowsTurned(orientation) ? mirrored(alongColumn, source.height) : alongColumn;

    this.#source = source;
    this.#rowsFirst = downFirst !== swapped(orientation);
    this.#needed = extent(rows);
    const { start, end } = extent(columns);
    this.#cut = { start: start * channels, length: (end - start) * channels };
    this.#columnPass = new ColumnPass(this.#kernels, columns, channels, start);
    this.#rowPass = new RowPass(this.#kernels, rows);

    const narrow = this.#columnPass.width * channels;
    const { overrun } = this.#columnPass;
    this.#band = Math.max(1, Math.floor(bandBytes / Math.max(this.#cut.length, narrow) / rowsAtOnce)) * rowsAtOnce;
    const kept = mostTaps(rows);
    const first = this.#needed.start;
    this.#whole = new RowWindow(this.#kernels, this.#cut.length, first, this.#rowsFirst ? kept : 0, this.#band, overrun);
    this.#between = this.#rowsFirst
      ? new RowWindow(this.#kernels, rowPitch(this.#cut.length), 0, 0, rowsAtOnce, overrun)
      : new RowWindow(this.#kernels, rowPitch(narrow), first, kept, this.#band, 16);
    this.#outPitch = rowPitch(narrow);
    this.#out = this.#kernels.reserve((this.#rowPass.height + rowsAtOnce) * this.#outPitch);
  }

  /** Any number of whole rows, which follow those that came before. */
  take(samples: Uint8Array): void {
    const rowLength = this.#source.width * this.#source.channels;
    const top = this.#came;
    this.#came += samples.length / rowLength;
    const end = Math.min(this.#came, this.#needed.end);
    for (let row = Math.max(top, this.#needed.start); row < end; row += this.#band) {
      const count = Math.min(this.#band, end - row);
      this.#load(samples, (row - top) * rowLength, rowLength, count);
      if (this.#rowsFirst) this.#mixThenNarrow();
      else this.#narrowThenMix(count);
    }
  }

  /** The window, upright. Throws a RangeError where rows are missing. */
  finish(): Bitmap {
    if (this.#done < this.#rowPass.height) throw new RangeError(`${this.#came} of ${this.#source.height} rows came.`);
    const { channels, orientation } = this.#source;
    const width = this.#columnPass.width;
    const height = this.#rowPass.height;
    const stored = new Uint8Array(this.#kernels.run.memory.buffer, this.#out, height * this.#outPitch);
    const size = uprightSize({ width, height, orientation });
    const pixels = new Uint8Array(width * height * channels);
    // Steps through the stored rows for one upright pixel to the right, and one down.
    const right = columnsTurned(orientation) ? -channels : channels;
    const below = rowsTurned(orientation) ? -this.#outPitch : this.#outPitch;
    const corner = (right < 0 ? (width - 1) * channels : 0) + (below < 0 ? (height - 1) * this.#outPitch : 0);
    const [stepX, stepY] = swapped(orientation) ? [below, right] : [right, below];
    for (let y = 0, o = 0; y < size.height; y++) {
      let p = corner + y * stepY;
      if (stepX === channels) {
        pixels.set(stored.subarray(p, p + size.width * channels), o);
        o += size.width * channels;
        continue;
      }
      for (let x = 0; x < size.width; x++, p += stepX) {
        for (let c = 0; c < channels; c++) pixels[o++] = stored[p + c]!;
      }
    }
    returnKernels(this.#kernels);
    return { pixels, ...size, channels, orientation: 1 };
  }

  #load(samples: Uint8Array, at: number, rowLength: number, count: number): void {
    const { start, length } = this.#cut;
    const memory = new Uint8Array(this.#kernels.run.memory.buffer);
    const needed = this.#rowsFirst ? this.#firstNeeded() : this.#whole.next;
    const to = this.#whole.room(count, needed);
    if (length === rowLength) memory.set(samples.subarray(at, at + count * length), to);
    else {
      for (let y = 0; y < count; y++) {
        const from = at + y * rowLength + start;
        memory.set(samples.subarray(from, from + length), to + y * length);
      }
    }
    this.#whole.next += count;
  }

  #firstNeeded(): number {
    return this.#done < this.#rowPass.height ? this.#rowPass.needs(this.#done).start : this.#needed.end;
  }

  #narrowThenMix(count: number): void {
    const to = this.#between.room(count, this.#firstNeeded());
    this.#columnPass.run(this.#whole.at(this.#whole.next - count), this.#whole.pitch, count, to, this.#between.pitch);
    this.#between.next += count;
    const length = this.#columnPass.width * this.#source.channels;
    while (this.#done < this.#rowPass.height && this.#rowPass.needs(this.#done).end <= this.#between.next) {
      this.#rowPass.run(this.#done, this.#between, length, this.#out + this.#done * this.#outPitch);
      this.#done++;
    }
  }

  #mixThenNarrow(): void {
    const { height } = this.#rowPass;
    while (this.#done < height) {
      const count = Math.min(rowsAtOnce, height - this.#done);
      let ready = 0;
      while (ready < count && this.#rowPass.needs(this.#done + ready).end <= this.#whole.next) {
        const y = this.#done + ready;
        this.#rowPass.run(y, this.#whole, this.#cut.length, this.#between.at(ready));
        ready++;
      }
      if (ready === 0) return;
      this.#columnPass.run(this.#between.at(0), this.#between.pitch, ready, this.#out + this.#done * this.#outPitch, this.#outPitch);
      this.#done += ready;
    }
  }
}

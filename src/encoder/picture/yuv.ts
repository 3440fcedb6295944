/**
 * Luma and two colors to RGB, as the reference's decoder does it (libavif 1.4 with libyuv): compared with it, equal to
 * the last bit for BT.601, BT.709 and BT.2020, of 8, 10 and 12 bits, whole and halved colors.
 */
import type { Av1Colors } from './avif.js';

/**
 * libyuv's constants (row_common.cc, kYuvI601Constants and the others): luma's factor in 16.16 of bytes doubled, its offset,
 * and the shares of blue's and red's color in blue, green and red, all in 1/64. Blue's is cut to what fits a signed byte.
 */
type Fixed = readonly [luma: number, offset: number, blueInBlue: number, blueInGreen: number, redInGreen: number, redInRed: number];
const fixed: Record<'full' | 'limited', Record<number, Fixed>> = {
  limited: { 601: [18997, -1160, 128, 25, 52, 102], 709: [18997, -1160, 128, 14, 34, 115], 2020: [19003, -1160, 128, 12, 42, 107] },
  full: { 601: [16320, 32, 113, 22, 46, 90], 709: [16320, 32, 119, 12, 30, 101], 2020: [16320, 32, 120, 11, 37, 94] },
};

/** Of ISO/IEC 23091-2's matrix coefficients, those that libyuv converts. */
const standards: Record<number, 601 | 709 | 2020> = { 1: 709, 2: 601, 5: 601, 6: 601, 9: 2020 };

/** Shares of red and blue in luma of those that it does not. */
const shares: Record<number, readonly [red: number, blue: number]> = { 4: [0.3, 0.11], 7: [0.212, 0.087] };
/** Of matrix 12, which follows from the primaries: BT.709's, BT.2020's and Display P3's. */
const sharesOfPrimaries: Record<number, readonly [red: number, blue: number]> = { 1: [0.2126, 0.0722], 9: [0.2627, 0.0593], 12: [0.22897, 0.07929] };

const sharesOf = ({ matrix, primaries }: Av1Colors): readonly [number, number] | undefined => shares[matrix] ?? (matrix === 12 ? sharesOfPrimaries[primaries] : undefined);
const identity = 0;
const ycgco = 8;

export function isConverted(colors: Av1Colors): boolean {
  return colors.matrix in standards || colors.matrix === identity || colors.matrix === ycgco || sharesOf(colors) !== undefined;
}

/** Of 8 bits or more, the first of every `stride` samples, to 8 bits of full range. `most`: the highest sample. */
export function toGrey(samples: Uint8Array | Uint16Array, stride: number, most: number, fullRange: boolean): Uint8Array {
  const count = Math.ceil(samples.length / stride);
  const out = new Uint8Array(count);
  const unit = (most + 1) / 256;
  const table = new Uint8ClampedArray(most + 1);
  for (let v = 0; v <= most; v++) table[v] = Math.floor((fullRange ? v / most : (v - 16 * unit) / (219 * unit)) * 255 + 0.5);
  for (let i = 0, p = 0; i < count; i++, p += stride) out[i] = table[samples[p]!]!;
  return out;
}

/** Which edges of the color planes are halved. */
export interface Halved {
  across: boolean;
  down: boolean;
}

/**
 * In place. `samples`: of each pixel the color of red, luma and the color of blue, 8 bits, the colors repeated where they
 * are halved; RGB after it.
 */
export function toRgb({ samples, width, height }: { samples: Uint8Array; width: number; height: number }, colors: Av1Colors, halved: Halved): void {
  const convert = conversionOf(colors);
  const upscaling = halved.across || halved.down ? new Upscaling(samples, { width, height }, halved) : undefined;
  const out = new Uint8ClampedArray(samples.buffer, samples.byteOffset, samples.byteLength);
  const reds = new Uint8Array(width);
  const blues = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * width * 3, (y + 1) * width * 3);
    if (upscaling) upscaling.row(y, reds, blues);
    else {
      for (let x = 0, at = 0; x < width; x++, at += 3) {
        reds[x] = row[at]!;
        blues[x] = row[at + 2]!;
      }
    }
    convert(row, blues, reds);
  }
}

/** Color planes that are halved, at full size: three to one to the nearer row, then to the nearer column, rounded once (libyuv's ScaleRowUp2_Bilinear); along an edge that is not halved, all to the sample itself. */
class Upscaling {
  readonly #halved: Halved;
  readonly #columns: number;
  readonly #rows: number;
  readonly #red: Uint8Array;
  readonly #blue: Uint8Array;
  readonly #mixed: Uint16Array;

  constructor(samples: Uint8Array, { width, height }: { width: number; height: number }, halved: Halved) {
    this.#halved = halved;
    const { across, down } = halved;
    this.#columns = across ? (width + 1) >> 1 : width;
    this.#rows = down ? (height + 1) >> 1 : height;
    this.#red = new Uint8Array(this.#columns * this.#rows);
    this.#blue = new Uint8Array(this.#columns * this.#rows);
    this.#mixed = new Uint16Array(this.#columns);
    const step = across ? 6 : 3;
    for (let row = 0, to = 0; row < this.#rows; row++) {
      for (let column = 0, from = (down ? 2 * row : row) * width * 3; column < this.#columns; column++, from += step, to++) {
        this.#red[to] = samples[from]!;
        this.#blue[to] = samples[from + 2]!;
      }
    }
  }

  row(y: number, reds: Uint8Array, blues: Uint8Array): void {
    this.#fill(this.#red, y, reds);
    this.#fill(this.#blue, y, blues);
  }

  #fill(plane: Uint8Array, y: number, out: Uint8Array): void {
    const { across, down } = this.#halved;
    const columns = this.#columns;
    const mixed = this.#mixed;
    const near = (down ? y >> 1 : y) * columns;
    const far = down ? Math.min(this.#rows - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1))) * columns : near;
    const nearShare = down ? 3 : 1;
    const farShare = down ? 1 : 0;
    for (let column = 0; column < columns; column++) mixed[column] = nearShare * plane[near + column]! + farShare * plane[far + column]!;
    if (!across) {
      for (let x = 0; x < columns; x++) out[x] = (mixed[x]! + 2) >> 2;
      return;
    }
    const rounding = down ? 8 : 2;
    const shift = down ? 4 : 2;
    let before = mixed[0]!;
    for (let column = 0, x = 0; column < columns; column++, x += 2) {
      const own = mixed[column]!;
      const after = column + 1 < columns ? mixed[column + 1]! : own;
      out[x] = (3 * own + before + rounding) >> shift;
      out[x + 1] = (3 * own + after + rounding) >> shift;
      before = own;
    }
  }
}

/** One row in place, where luma lies where green will. */
type Convert = (row: Uint8ClampedArray, blues: Uint8Array, reds: Uint8Array) => void;

function conversionOf(colors: Av1Colors): Convert {
  const { matrix, fullRange } = colors;
  const standard = standards[matrix];
  if (standard !== undefined) {
    const [factor, offset, blueInBlue, blueInGreen, redInGreen, redInRed] = fixed[fullRange ? 'full' : 'limited'][standard]!;
    const lumas = Int32Array.from({ length: 256 }, (_, v) => ((v * 0x0101 * factor) >>> 16) + offset);
    return (row, blues, reds) => {
      for (let at = 0, x = 0; at < row.length; at += 3, x++) {
        const y = lumas[row[at + 1]!]!;
        const u = blues[x]! - 128;
        const v = reds[x]! - 128;
        row[at] = (y + v * redInRed) >> 6;
        row[at + 1] = (y - u * blueInGreen - v * redInGreen) >> 6;
        row[at + 2] = (y + u * blueInBlue) >> 6;
      }
    };
  }
  const lumas = Float64Array.from({ length: 256 }, (_, v) => (fullRange ? v : ((v - 16) * 255) / 219));
  const mixed = mixerOf(colors, lumas, fullRange ? 1 : 255 / 224);
  return (row, blues, reds) => {
    for (let at = 0, x = 0; at < row.length; at += 3, x++) {
      const rgb = mixed(row[at + 1]!, blues[x]!, reds[x]!);
      for (let c = 0; c < 3; c++) row[at + c] = Math.floor(rgb[c]! + 0.5);
    }
  };
}

/** Those that are rare, by real numbers. */
function mixerOf(colors: Av1Colors, lumas: Float64Array, colorScale: number): (luma: number, blue: number, red: number) => [number, number, number] {
  if (colors.matrix === identity) return (luma, blue, red) => [lumas[red]!, lumas[luma]!, lumas[blue]!];
  if (colors.matrix === ycgco) {
    return (luma, green, orange) => {
      const y = lumas[luma]!;
      const cg = (green - 128) * colorScale;
      const co = (orange - 128) * colorScale;
      return [y - cg + co, y + cg, y - cg - co];
    };
  }
  const [redShare, blueShare] = sharesOf(colors)!;
  const greenShare = 1 - redShare - blueShare;
  return (luma, blue, red) => {
    const y = lumas[luma]!;
    const r = (red - 128) * colorScale * 2 * (1 - redShare);
    const b = (blue - 128) * colorScale * 2 * (1 - blueShare);
    return [y + r, y - (redShare * r + blueShare * b) / greenShare, y + b];
  };
}

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
export function toRgb({ samples, width, height }: { samples: Uint8Array; width: number; height: number }, colors: Av1Colors, { across, down }: Halved): void {
  const convert = conversionOf(colors);
  if (!across && !down) {
    for (let at = 0; at < samples.length; at += 3) convert(samples, at, samples[at + 2]!, samples[at]!);
    return;
  }
  const columns = across ? (width + 1) >> 1 : width;
  const rows = down ? (height + 1) >> 1 : height;
  const red = new Uint8Array(columns * rows);
  const blue = new Uint8Array(columns * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    const start = (down ? 2 * row : row) * width * 3;
    const step = across ? 6 : 3;
    for (let column = 0, from = start; column < columns; column++, from += step, to++) {
      red[to] = samples[from]!;
      blue[to] = samples[from + 2]!;
    }
  }
  // Three to one to the nearer row, then to the nearer column, rounded once (libyuv's ScaleRowUp2_Bilinear); along an edge that is not halved, all to the sample itself.
  const reds = new Uint16Array(columns);
  const blues = new Uint16Array(columns);
  const rounding = across && down ? 8 : 2;
  const shift = across && down ? 4 : 2;
  for (let y = 0, at = 0; y < height; y++) {
    const near = (down ? y >> 1 : y) * columns;
    const far = (down ? Math.min(rows - 1, Math.max(0, (y >> 1) + (y & 1 ? 1 : -1))) : y) * columns;
    for (let column = 0; column < columns; column++) {
      reds[column] = down ? 3 * red[near + column]! + red[far + column]! : red[near + column]!;
      blues[column] = down ? 3 * blue[near + column]! + blue[far + column]! : blue[near + column]!;
    }
    for (let x = 0; x < width; x++, at += 3) {
      let r: number;
      let b: number;
      if (across) {
        const column = x >> 1;
        const beside = x & 1 ? (column + 1 < columns ? column + 1 : column) : column > 0 ? column - 1 : 0;
        r = (3 * reds[column]! + reds[beside]! + rounding) >> shift;
        b = (3 * blues[column]! + blues[beside]! + rounding) >> shift;
      } else {
        r = (reds[x]! + rounding) >> shift;
        b = (blues[x]! + rounding) >> shift;
      }
      convert(samples, at, b, r);
    }
  }
}

/** Luma lies where green will. */
type Convert = (out: Uint8Array, at: number, blue: number, red: number) => void;

const clamped = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

function conversionOf(colors: Av1Colors): Convert {
  const { matrix, fullRange } = colors;
  const standard = standards[matrix];
  if (standard !== undefined) {
    const [factor, offset, blueInBlue, blueInGreen, redInGreen, redInRed] = fixed[fullRange ? 'full' : 'limited'][standard]!;
    const lumas = Int32Array.from({ length: 256 }, (_, v) => ((v * 0x0101 * factor) >>> 16) + offset);
    return (out, at, blue, red) => {
      const y = lumas[out[at + 1]!]!;
      const u = blue - 128;
      const v = red - 128;
      out[at] = clamped((y + v * redInRed) >> 6);
      out[at + 1] = clamped((y - u * blueInGreen - v * redInGreen) >> 6);
      out[at + 2] = clamped((y + u * blueInBlue) >> 6);
    };
  }
  const lumas = Float64Array.from({ length: 256 }, (_, v) => (fullRange ? v : ((v - 16) * 255) / 219));
  if (matrix === identity) {
    return (out, at, blue, red) => {
      out[at] = clamped(lumas[red]! + 0.5);
      out[at + 1] = clamped(lumas[out[at + 1]!]! + 0.5);
      out[at + 2] = clamped(lumas[blue]! + 0.5);
    };
  }
  const colorScale = fullRange ? 1 : 255 / 224;
  if (matrix === ycgco) {
    return (out, at, green, orange) => {
      const y = lumas[out[at + 1]!]! + 0.5;
      const cg = (green - 128) * colorScale;
      const co = (orange - 128) * colorScale;
      out[at] = clamped(y - cg + co);
      out[at + 1] = clamped(y + cg);
      out[at + 2] = clamped(y - cg - co);
    };
  }
  const [redShare, blueShare] = sharesOf(colors)!;
  const greenShare = 1 - redShare - blueShare;
  return (out, at, blue, red) => {
    const y = lumas[out[at + 1]!]! + 0.5;
    const r = (red - 128) * colorScale * 2 * (1 - redShare);
    const b = (blue - 128) * colorScale * 2 * (1 - blueShare);
    out[at] = clamped(y + r);
    out[at + 1] = clamped(y - (redShare * r + blueShare * b) / greenShare);
    out[at + 2] = clamped(y + b);
  };
}

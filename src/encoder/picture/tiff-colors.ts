/** Colors of TIFF that are not RGB, as 8-bit RGB. Each overwrites what it is given, from the front. */
import type { TiffColors } from './tiff.js';
import { fromCmyk, fromSixteenBits } from './colors.js';

/** `samples`: of each pixel `stride` bytes, or twice that where they are of 16 bits; what lies behind the colors is left out. */
export function fromTiffColors(samples: Uint8Array, stride: number, colors: TiffColors): Uint8Array {
  if (colors.space === 'cmyk16') return fromCmyk(fromSixteenBits(samples, 'cut'), stride);
  return colors.space === 'lab' ? fromLab(samples, stride) : fromYcbcr(samples, stride, colors);
}

/** TIFF 6.0, section 21, with `ReferenceBlackWhite` of section 20, in libtiff's steps (tif_color.c): each value is cut to a whole number before it is mixed. */
function fromYcbcr(samples: Uint8Array, stride: number, { red, blue, blackWhite, rounding }: Extract<TiffColors, { space: 'ycbcr' }>): Uint8Array {
  const [black, white, noBlue, mostBlue, noRed, mostRed] = blackWhite as [number, number, number, number, number, number];
  const green = 1 - red - blue;
  const valuesOf = (least: number, most: number, range: number): Int32Array => Int32Array.from({ length: 256 }, (_, v) => ((v - least) * range) / (most - least || 1));
  const luma = valuesOf(black, white, 255);
  const blues = valuesOf(noBlue, mostBlue, 127);
  const reds = valuesOf(noRed, mostRed, 127);
  const count = Math.floor(samples.length / stride);
  const out = new Uint8ClampedArray(samples.buffer, samples.byteOffset, count * 3);
  for (let i = 0, p = 0, o = 0; i < count; i++, p += stride, o += 3) {
    const y = luma[samples[p]!]!;
    const b = blues[samples[p + 1]!]! * (2 - 2 * blue);
    const r = reds[samples[p + 2]!]! * (2 - 2 * red);
    out[o] = y + Math.floor(r + rounding);
    out[o + 1] = y + Math.floor(rounding - (red * r + blue * b) / green);
    out[o + 2] = y + Math.floor(b + rounding);
  }
  return samples.subarray(0, count * 3);
}

/** CIE L*a*b* of D50 (TIFF 6.0, section 23) to sRGB, adapted by Bradford's matrix as ICC profiles are. */
const labToLinear = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;
const white = [0.9642, 1, 0.8249] as const;
/** Steps of linear light between black and white. */
const gammaSteps = 16384;
let gamma: Uint8Array | undefined;

function fromLab(samples: Uint8Array, stride: number): Uint8Array {
  gamma ??= Uint8Array.from({ length: gammaSteps + 1 }, (_, i) => {
    const light = i / gammaSteps;
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
  const count = Math.floor(samples.length / stride);
  for (let i = 0, p = 0, o = 0; i < count; i++, p += stride, o += 3) {
    const fy = ((samples[p]! * 100) / 255 + 16) / 116;
    const x = white[0] * cubed(fy + signed(samples[p + 1]!) / 500);
    const y = white[1] * cubed(fy);
    const z = white[2] * cubed(fy - signed(samples[p + 2]!) / 200);
    for (let c = 0; c < 3; c++) {
      const row = labToLinear[c]!;
      const light = row[0] * x + row[1] * y + row[2] * z;
      samples[o + c] = gamma[Math.round(Math.min(1, Math.max(0, light)) * gammaSteps)]!;
    }
  }
  return samples.subarray(0, count * 3);
}

const signed = (value: number): number => (value > 127 ? value - 256 : value);
const cubed = (t: number): number => (t > 6 / 29 ? t ** 3 : (t - 4 / 29) * (108 / 841));

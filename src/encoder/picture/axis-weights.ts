/**
 * What each output position of one axis takes from which source positions: Pillow's precompute_coeffs and
 * normalize_coeffs_8bpc (Pillow 13, src/libImaging/Resample.c), in its double arithmetic.
 */
export type Interpolation = 'bicubic' | 'bilinear';

export interface AxisWeights {
  /** First source position of each output position; never falls along the axis. */
  first: Int32Array;
  /** How many source positions, at least 1. */
  count: Int32Array;
  /** `stride` weights an output position, 22-bit fixed point. */
  weights: Int32Array;
  stride: number;
}

export const precisionBits = 22;

const filters: Record<Interpolation, { support: number; weight: (x: number) => number }> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: bicubicWeight },
};

/** Keys' cubic with a = -0.5, as Pillow evaluates it. */
function bicubicWeight(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

/** Weights of the `length` positions from `from` on, of an axis of `sourceSize` pixels resized to `size`. */
export function axisWeights(sourceSize: number, size: number, from: number, length: number, interpolation: Interpolation): AxisWeights {
  if (sourceSize === size) return untouched(from, length);
  const { support: radius, weight } = filters[interpolation];
  const scale = sourceSize / size;
  const filterScale = Math.max(scale, 1);
  const support = radius * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const center = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(sourceSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let k = 0; k < end - start; k++) {
      const w = weight((k + start - center + 0.5) * (1 / filterScale));
      exact[k] = w;
      sum += w;
    }
    for (let k = 0; k < end - start; k++) {
      const w = (sum === 0 ? exact[k]! : exact[k]! / sum) * (1 << precisionBits);
      weights[i * stride + k] = Math.trunc(w < 0 ? w - 0.5 : w + 0.5);
    }
    first[i] = start;
    count[i] = end - start;
  }
  return { first, count, weights, stride };
}

/** An axis that keeps its size is copied, not filtered. */
function untouched(from: number, length: number): AxisWeights {
  return {
    first: Int32Array.from({ length }, (_, i) => from + i),
    count: new Int32Array(length).fill(1),
    weights: new Int32Array(length).fill(1 << precisionBits),
    stride: 1,
  };
}

/** The same axis with source and output both read from their other end. The integers are the same, so the pixels are. */
export function mirrored({ first, count, weights, stride }: AxisWeights, sourceSize: number): AxisWeights {
  const length = first.length;
  const turned = new Int32Array(weights.length);
  for (let i = 0; i < length; i++) {
    const from = (length - 1 - i) * stride;
    const taps = count[length - 1 - i]!;
    for (let k = 0; k < taps; k++) turned[i * stride + k] = weights[from + taps - 1 - k]!;
  }
  return {
    first: first.map((_, i) => sourceSize - first[length - 1 - i]! - count[length - 1 - i]!),
    count: count.toReversed(),
    weights: turned,
    stride,
  };
}

/** The source positions that any output position reads: from `start` up to, not including, `end`. */
export function extent({ first, count }: AxisWeights): { start: number; end: number } {
  let end = 0;
  for (let i = 0; i < first.length; i++) end = Math.max(end, first[i]! + count[i]!);
  return { start: first[0]!, end };
}

/** The most source positions that one output position reads. */
export function mostTaps({ count }: AxisWeights): number {
  return count.reduce((most, taps) => Math.max(most, taps), 0);
}

/** The directions in which rows differ most. */
import { randomFrom } from '../clusters/spherical-k-means.js';

const iterations = 8;
const seed = 31;

/** Unit vectors at right angles to each other, the greatest variance first, by subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4); and the mean. */
export function principalAxes(rows: Float32Array[], count: number): { mean: Float32Array; axes: Float32Array[] } {
  const dimension = rows[0]!.length;
  const mean = new Float32Array(dimension);
  for (const row of rows) for (let i = 0; i < dimension; i++) mean[i]! += row[i]! / rows.length;
  const random = randomFrom(seed);
  let axes = Array.from({ length: Math.min(count, dimension) }, () => Float32Array.from({ length: dimension }, () => random() - 0.5));
  for (let iteration = 0; iteration < iterations; iteration++) {
    orthonormalize(axes);
    const next = axes.map(() => new Float32Array(dimension));
    for (const row of rows) {
      for (const [i, axis] of axes.entries()) {
        const along = alongAxis(row, mean, axis);
        const sum = next[i]!;
        for (let at = 0; at < dimension; at++) sum[at]! += along * (row[at]! - mean[at]!);
      }
    }
    axes = next;
  }
  orthonormalize(axes);
  return { mean, axes };
}

export function alongAxis(row: Float32Array, mean: Float32Array, axis: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < axis.length; i++) sum += (row[i]! - mean[i]!) * axis[i]!;
  return sum;
}

/** Gram-Schmidt, in place. One in which nothing is left becomes zero. */
function orthonormalize(axes: Float32Array[]): void {
  for (const [i, axis] of axes.entries()) {
    for (const before of axes.slice(0, i)) {
      let along = 0;
      for (let at = 0; at < axis.length; at++) along += axis[at]! * before[at]!;
      for (let at = 0; at < axis.length; at++) axis[at]! -= along * before[at]!;
    }
    let squares = 0;
    for (const value of axis) squares += value * value;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = 0; at < axis.length; at++) axis[at]! *= scale;
  }
}

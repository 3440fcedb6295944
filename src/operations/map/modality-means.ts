import { modalities } from '../../domain/modality.js';
import type { Rows } from './rows.js';

/**
 * The mean of each kind's rows, where there are several kinds: in one space texts lie apart from pictures, and would be an
 * island of their own, whatever they say. Less its kind's mean, each lies near what it is about (GR-CLIP, arXiv 2507.19054;
 * see `domain/standard-scores`). `kinds`: each row's modality, by its place in the list.
 */
export function meansOf(rows: Rows, kinds: Uint8Array): Float32Array[] | undefined {
  const counts = modalities.map(() => 0);
  const sums = modalities.map(() => new Float64Array(rows.dimension));
  for (let i = 0; i < rows.count; i++) {
    const sum = sums[kinds[i]!]!;
    const row = rows.row(i);
    counts[kinds[i]!]!++;
    for (let at = 0; at < row.length; at++) sum[at]! += row[at]!;
  }
  if (counts.filter((count) => count > 0).length < 2) return undefined;
  return sums.map((sum, kind) => Float32Array.from(sum, (value) => value / Math.max(1, counts[kind]!)));
}

/** In place: less the mean, at length 1. */
export function centerOn(mean: Float32Array, row: Float32Array): void {
  let squares = 0;
  for (let at = 0; at < row.length; at++) {
    row[at]! -= mean[at]!;
    squares += row[at]! * row[at]!;
  }
  // What is left of the only one of a kind is rounding.
  const scale = squares > 1e-9 ? 1 / Math.sqrt(squares) : 0;
  for (let at = 0; at < row.length; at++) row[at]! *= scale;
}

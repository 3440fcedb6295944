/** How far neighbors on a map are neighbors in truth. */
import { mostListed, type Rows } from './rows.js';

/**
 * Trustworthiness (Venna & Kaski 2001) at `k`, 0..1, measured of points drawn evenly: 1 less the ranks by which neighbors on
 * the map miss being among the k nearest, over the worst there could be. Yields how much is done.
 */
export function* trustworthiness(rows: Rows, points: Float32Array, { k, sampled }: { k: number; sampled: number }): Generator<number, number | undefined> {
  const { count } = rows;
  if (2 * count - 3 * k - 1 <= 0 || k >= count / 2) return undefined;
  const drawn = Math.min(sampled, count);
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const similarities = new Float32Array(count);
  const squares = new Float32Array(count);
  let missed = 0;
  for (let i = 0; i < drawn; i++) {
    const point = Math.floor((i * count) / drawn);
    for (let from = 0; from < count; from += mostListed) {
      const some = all.subarray(from, from + mostListed);
      similarities.set(rows.with(point, some).subarray(0, some.length), from);
    }
    for (let other = 0; other < count; other++) squares[other] = (points[2 * other]! - points[2 * point]!) ** 2 + (points[2 * other + 1]! - points[2 * point + 1]!) ** 2;
    for (const near of nearest(squares, point, k)) missed += Math.max(0, rankOf(similarities, near, point) - k);
    yield (i + 1) / drawn;
  }
  return 1 - (missed * 2) / (drawn * k * (2 * count - 3 * k - 1));
}

function nearest(squares: Float32Array, self: number, k: number): number[] {
  const found: number[] = [];
  for (let other = 0; other < squares.length; other++) {
    if (other === self || (found.length === k && squares[other]! >= squares[found[k - 1]!]!)) continue;
    let at = found.length === k ? k - 1 : found.length;
    for (; at > 0 && squares[found[at - 1]!]! > squares[other]!; at--) found[at] = found[at - 1]!;
    found[at] = other;
  }
  return found;
}

/** From 1. Of equals, each has the best place. */
function rankOf(similarities: Float32Array, other: number, self: number): number {
  const similarity = similarities[other]!;
  let rank = 1;
  for (let i = 0; i < similarities.length; i++) if (similarities[i]! > similarity && i !== self) rank++;
  return rank;
}

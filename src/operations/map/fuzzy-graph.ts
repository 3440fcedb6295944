/** The graph that a map is laid out from: McInnes, Healy & Melville 2018, UMAP (arXiv 1802.03426), sections 3.1 and 4.1. */
import type { NearestLists } from './nearest-lists.js';

/** Each edge once, in both directions alike. */
export interface FuzzyGraph {
  from: Uint32Array;
  to: Uint32Array;
  /** 0..1. */
  weights: Float32Array;
}

/** As the reference implementation (umap-learn, `smooth_knn_dist`). */
const iterations = 64;
const closeEnough = 1e-5;
const leastBandwidth = 1e-3;

/**
 * How much each of a point's neighbors is its neighbor: 1 for the nearest, falling off so that all of them add up to
 * log2(k). `distances`: ascending, of a point's k neighbors. Without the point itself, which the reference counts among them.
 */
export function memberships(distances: Float32Array): { nearest: number; bandwidth: number } {
  const target = Math.log2(distances.length + 1);
  const nearest = distances.find(isPositive) ?? 0;
  let [low, high, bandwidth] = [0, Infinity, 1];
  for (let i = 0; i < iterations; i++) {
    let sum = 0;
    for (const distance of distances) sum += distance > nearest ? Math.exp(-(distance - nearest) / bandwidth) : 1;
    if (Math.abs(sum - target) < closeEnough) break;
    if (sum > target) {
      high = bandwidth;
      bandwidth = (low + high) / 2;
    } else {
      low = bandwidth;
      bandwidth = high === Infinity ? bandwidth * 2 : (low + high) / 2;
    }
  }
  let mean = 0;
  for (const distance of distances) mean += distance / distances.length;
  return { nearest, bandwidth: Math.max(bandwidth, leastBandwidth * mean, Number.MIN_VALUE) };
}

const isPositive = (distance: number): boolean => distance > 0;

export const membership = (distance: number, { nearest, bandwidth }: { nearest: number; bandwidth: number }): number => (distance > nearest ? Math.exp(-(distance - nearest) / bandwidth) : 1);

/** A neighbor of either is one of both, by the probabilistic sum a + b - ab. */
export function fuzzyGraph({ count, k, neighbors, similarities }: NearestLists): FuzzyGraph {
  const strengths = new Float32Array(count * k);
  const distances = new Float32Array(k);
  for (let point = 0; point < count; point++) {
    for (let i = 0; i < k; i++) distances[i] = distanceOf(similarities[point * k + i]!);
    const around = memberships(distances);
    for (let i = 0; i < k; i++) strengths[point * k + i] = membership(distances[i]!, around);
  }
  const from = new Uint32Array(count * k);
  const to = new Uint32Array(count * k);
  const weights = new Float32Array(count * k);
  let edges = 0;
  for (let point = 0; point < count; point++) {
    for (let i = point * k; i < (point + 1) * k; i++) {
      const other = neighbors[i]!;
      let back = other * k;
      while (back < (other + 1) * k && neighbors[back] !== point) back++;
      const isMutual = back < (other + 1) * k;
      // The lesser of two neighbors of each other tells of both.
      if (isMutual && other < point) continue;
      const there = strengths[i]!;
      const andBack = isMutual ? strengths[back]! : 0;
      from[edges] = point;
      to[edges] = other;
      weights[edges++] = there + andBack - there * andBack;
    }
  }
  return { from: from.subarray(0, edges), to: to.subarray(0, edges), weights: weights.subarray(0, edges) };
}

/** Cosine distance; rounding leaves none below zero. */
export const distanceOf = (similarity: number): number => Math.max(0, 1 - similarity);

/** How many of the nearest are to be found: recall is told at this depth. */
export const recallDepth = 10;

/** What is searched for: a stored embedding among its own kind; what a caller gave. They lie differently to what is stored, and are found differently well. */
export const queryKinds = ['item', 'text', 'image', 'embedding', 'mixed'] as const;
export type QueryKind = (typeof queryKinds)[number];
/** Two scores that are one, made in another order. */
const rounding = 1e-6;

/** The share of the nearest that were found. `last`: the score of the last of them, `all`: how many there are, `recallDepth` at most. */
export const shareFound = (scores: number[], last: number, all: number): number => scores.filter((score) => score >= last - rounding).length / all;

/** Of the normal distribution, 95 %. */
const z = 1.96;

export interface Recall {
  recall: number;
  /** Of a 95 % interval (Wilson's, each of the nearest that were to be found being one trial). */
  low: number;
  high: number;
  queries: number;
}

/** From each query's share, 0..1; there must be some. */
export function recallOf(recalls: number[]): Recall {
  const recall = recalls.reduce((sum, each) => sum + each, 0) / recalls.length;
  const n = recalls.length * recallDepth;
  const middle = (recall + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((recall * (1 - recall)) / n + z ** 2 / (4 * n ** 2));
  return { recall, low: Math.max(0, middle - half), high: Math.min(1, middle + half), queries: recalls.length };
}

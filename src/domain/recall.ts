/** Of the normal distribution, 95 %. */
const z = 1.96;

export interface Recall {
  recall: number;
  /** Of a 95 % interval (Wilson's, each of the nearest that were to be found being one trial). */
  low: number;
  high: number;
  queries: number;
}

/** From each query's recall@k, 0..1; there must be some. */
export function recallOf(recalls: number[], k: number): Recall {
  const recall = recalls.reduce((sum, each) => sum + each, 0) / recalls.length;
  const n = recalls.length * k;
  const middle = (recall + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((recall * (1 - recall)) / n + z ** 2 / (4 * n ** 2));
  return { recall, low: Math.max(0, middle - half), high: Math.min(1, middle + half), queries: recalls.length };
}

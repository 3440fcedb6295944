/** The thread that holds a map's embeddings, and scores them. */
import { answerCalls } from '../compute-thread.js';
import { mostListed, Rows } from './rows.js';

let rows: Rows;

const methods = {
  /** All zeros. */
  begin: ({ count, dimension }: { count: number; dimension: number }): void => {
    rows = new Rows({ count, dimension });
  },
  set: ({ places, values }: { places: Uint32Array; values: Float32Array }): void => {
    const { dimension } = rows;
    places.forEach((place, i) => rows.row(place).set(values.subarray(i * dimension, (i + 1) * dimension)));
  },
  /** The dot product with each. */
  score: (embedding: Float32Array): Float32Array => {
    rows.row(rows.gathered).set(embedding);
    const scores = new Float32Array(rows.count);
    const places = new Uint32Array(mostListed);
    for (let from = 0; from < rows.count; from += mostListed) {
      const count = Math.min(mostListed, rows.count - from);
      for (let i = 0; i < count; i++) places[i] = from + i;
      scores.set(rows.with(rows.gathered, places.subarray(0, count)).subarray(0, count), from);
    }
    return scores;
  },
};
export type ScoreMethods = typeof methods;

void answerCalls(methods);

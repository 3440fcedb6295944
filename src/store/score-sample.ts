import { similarity } from './similarity.js';
import type { ScoreSpread } from './vector-index.js';

/** Items that are drawn of a list: their mean lies within a sixteenth of the deviation of that of all, most often. */
export const sampledItems = 256;
/** Of these, how many tell the deviation, most often within a sixteenth: each is compared with, where the mean costs one comparison. */
const compared = 128;

/** Items drawn of a list, by which an embedding is told how it scores against the whole: each by its nearest part, as searches score it. */
export class ScoreSample {
  /** Items. */
  readonly #size: number;
  /** Of their embeddings, where each has one alone: a score's mean is the mean's score. */
  readonly #mean: Float32Array | undefined;
  /** Parts of some of them, behind each other, and where among these each item begins, with the end. */
  readonly #rows: Float32Array;
  readonly #begins: Uint32Array;

  /** Of each item, all its parts. */
  constructor(items: Float32Array[][]) {
    const step = Math.max(1, items.length / compared);
    const chosen = Array.from({ length: Math.floor(items.length / step) }, (_, i) => items[Math.floor(i * step)]!);
    const length = items[0]?.[0]?.length ?? 0;
    const begins = new Uint32Array(chosen.length + 1);
    chosen.forEach((parts, i) => (begins[i + 1] = begins[i]! + parts.length));
    const rows = new Float32Array(begins.at(-1)! * length);
    chosen.flat().forEach((part, row) => rows.set(part, row * length));
    this.#size = items.length;
    this.#rows = rows;
    this.#begins = begins;
    this.#mean = items.length > 0 && items.every((parts) => parts.length === 1) ? meanOf(items.flat()) : undefined;
  }

  /** `count`: items in the list. */
  spread(embedding: Float32Array, count: number): ScoreSpread {
    const { length } = embedding;
    const few = this.#begins.length - 1;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < few; i++) {
      let score = -Infinity;
      for (let row = this.#begins[i]!; row < this.#begins[i + 1]!; row++) score = Math.max(score, similarity(embedding, this.#rows, row * length));
      sum += score;
      squares += score * score;
    }
    const ofFew = sum / Math.max(1, few);
    const mean = this.#mean ? similarity(embedding, this.#mean) : ofFew;
    return { mean, deviation: Math.sqrt(Math.max(0, squares / Math.max(1, few) - ofFew ** 2)), sampled: this.#mean ? this.#size : few, count };
  }
}

function meanOf(embeddings: Float32Array[]): Float32Array {
  const mean = new Float32Array(embeddings[0]!.length);
  for (const each of embeddings) for (let i = 0; i < mean.length; i++) mean[i]! += each[i]! / embeddings.length;
  return mean;
}

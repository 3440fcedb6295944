import type { Modality } from '../../domain/modality.js';
import type { ScoreSpread } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';
import { similarity } from './ranking.js';

/** Their mean lies within a sixteenth of the deviation of that of all, most often. */
const sampled = 256;
/** Of these, how many tell the deviation, most often within a sixteenth: each is compared with, where the mean costs one comparison. */
const compared = 128;
/** It is drawn anew once so large a part of all has changed. */
const changedPart = 1 / 64;

/** How an embedding scores against a list as a whole: against embeddings of it from places spread evenly over the keys, the same for the same rows. */
export class SampledScores {
  readonly #embeddings: EmbeddingTable;
  readonly #owner: { space: number; modality: Modality };
  /** How many were drawn, the mean of their embeddings, and some of them behind each other. */
  #sample = { size: 0, mean: new Float32Array(0), some: new Float32Array(0) };
  #changes = Infinity;

  constructor(embeddings: EmbeddingTable, owner: { space: number; modality: Modality }) {
    this.#embeddings = embeddings;
    this.#owner = owner;
  }

  /** A row has come or gone. */
  changed(): void {
    this.#changes++;
  }

  /** `count`: of all, of which the newest has that key. */
  spread(embedding: Float32Array, { count, newestKey }: { count: number; newestKey: number }): ScoreSpread {
    if (this.#changes > count * changedPart) this.#draw(count, newestKey);
    const { size, mean, some } = this.#sample;
    const { length } = embedding;
    let [sum, squares] = [0, 0];
    for (let at = 0; at < some.length; at += length) {
      const score = similarity(embedding, some, at);
      sum += score;
      squares += score * score;
    }
    const few = Math.max(1, some.length / length);
    return { mean: size === 0 ? 0 : similarity(embedding, mean), deviation: Math.sqrt(Math.max(0, squares / few - (sum / few) ** 2)), sampled: size, count };
  }

  #draw(count: number, newestKey: number): void {
    const { space, modality } = this.#owner;
    const from = (key: number, limit: number) => this.#embeddings.after(space, modality, key, limit);
    this.#changes = 0;
    if (count <= sampled) return this.#keep(from(0, sampled).map(({ embedding }) => embedding));
    const oldestKey = from(0, 1)[0]?.key ?? 0;
    const drawn = new Map<number, Float32Array>();
    for (let i = 0; i < sampled; i++) {
      const [row] = from(oldestKey - 1 + Math.floor((i * (newestKey - oldestKey + 1)) / sampled), 1);
      if (row) drawn.set(row.key, row.embedding);
    }
    this.#keep([...drawn.values()]);
  }

  #keep(drawn: Float32Array[]): void {
    const length = drawn[0]?.length ?? 0;
    const mean = new Float32Array(length);
    for (const each of drawn) for (let i = 0; i < length; i++) mean[i]! += each[i]! / drawn.length;
    const step = Math.max(1, drawn.length / compared);
    const chosen = Array.from({ length: Math.floor(drawn.length / step) }, (_, i) => drawn[Math.floor(i * step)]!);
    const some = new Float32Array(chosen.length * length);
    chosen.forEach((each, i) => some.set(each, i * length));
    this.#sample = { size: drawn.length, mean, some };
  }
}

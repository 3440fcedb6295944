import type { Modality } from '../../domain/modality.js';
import type { ScoreSpread } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';
import { similarity } from './ranking.js';

/** Their mean lies within a sixteenth of the deviation of that of all, most often. */
const sampled = 256;
/** It is drawn anew once so large a part of all has changed. */
const changedPart = 1 / 64;

/** How an embedding scores against a list as a whole: against embeddings of it from places spread evenly over the keys, the same for the same rows. */
export class SampledScores {
  readonly #embeddings: EmbeddingTable;
  readonly #owner: { space: number; modality: Modality };
  #sample: Float32Array[] = [];
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
    const scores = this.#sample.map((each) => similarity(embedding, each));
    const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
    return { mean, deviation: Math.sqrt(variance), sampled: scores.length, count };
  }

  #draw(count: number, newestKey: number): void {
    const { space, modality } = this.#owner;
    const from = (key: number, limit: number) => this.#embeddings.after(space, modality, key, limit);
    this.#changes = 0;
    if (count <= sampled) {
      this.#sample = from(0, sampled).map(({ embedding }) => embedding);
      return;
    }
    const oldestKey = from(0, 1)[0]?.key ?? 0;
    const drawn = new Map<number, Float32Array>();
    for (let i = 0; i < sampled; i++) {
      const [row] = from(oldestKey - 1 + Math.floor((i * (newestKey - oldestKey + 1)) / sampled), 1);
      if (row) drawn.set(row.key, row.embedding);
    }
    this.#sample = [...drawn.values()];
  }
}

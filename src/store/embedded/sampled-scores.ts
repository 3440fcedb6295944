import type { Modality } from '../../domain/modality.js';
import type { ScoreSpread } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';
import { similarity } from './ranking.js';

/** Their mean lies within a sixteenth of the deviation of that of all, most often. */
const sampled = 256;
/** It is drawn anew once so large a part of all has changed. */
const changedPart = 1 / 64;

/** How many there are in a list, and the newest embedding's key. */
interface Size {
  items: number;
  embeddings: number;
  newestKey: number;
}

/**
 * How an embedding scores against a list as a whole: against items of it from places spread evenly over the keys, the same
 * for the same rows; each by its nearest part, as searches score it.
 */
export class SampledScores {
  readonly #embeddings: EmbeddingTable;
  readonly #owner: { space: number; modality: Modality };
  /** Of each item the parts. */
  #sample: Float32Array[][] = [];
  #changes = Infinity;

  constructor(embeddings: EmbeddingTable, owner: { space: number; modality: Modality }) {
    this.#embeddings = embeddings;
    this.#owner = owner;
  }

  /** A row has come or gone. */
  changed(): void {
    this.#changes++;
  }

  spread(embedding: Float32Array, size: Size): ScoreSpread {
    if (this.#changes > size.embeddings * changedPart) this.#draw(size);
    const scores = this.#sample.map((parts) => Math.max(...parts.map((each) => similarity(embedding, each))));
    const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
    const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
    return { mean, deviation: Math.sqrt(variance), sampled: scores.length, count: size.items };
  }

  #draw({ items, embeddings, newestKey }: Size): void {
    const { space, modality } = this.#owner;
    const from = (key: number, limit: number) => this.#embeddings.after(space, modality, key, limit);
    this.#changes = 0;
    const drawn = new Map<number, Float32Array[]>();
    if (items <= sampled) {
      for (const { item, embedding } of from(0, embeddings)) drawn.set(item, [...(drawn.get(item) ?? []), embedding]);
    } else {
      const oldestKey = from(0, 1)[0]?.key ?? 0;
      for (let i = 0; i < sampled; i++) {
        const [row] = from(oldestKey - 1 + Math.floor((i * (newestKey - oldestKey + 1)) / sampled), 1);
        if (row && !drawn.has(row.item)) drawn.set(row.item, embeddings === items ? [row.embedding] : (this.#embeddings.ofItem(row.item, space)?.map(({ embedding }) => embedding) ?? [row.embedding]));
      }
    }
    this.#sample = [...drawn.values()];
  }
}

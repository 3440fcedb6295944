import type { Modality } from '../../domain/modality.js';
import { sampledItems, ScoreSample } from '../score-sample.js';
import type { ScoreSpread } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';

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
  #sample = new ScoreSample([]);
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
    return this.#sample.spread(embedding, size.items);
  }

  #draw({ items, embeddings, newestKey }: Size): void {
    const { space, modality } = this.#owner;
    const from = (key: number, limit: number) => this.#embeddings.after(space, modality, key, limit);
    this.#changes = 0;
    const drawn = new Map<number, Float32Array[]>();
    if (items <= sampledItems) {
      for (const { item, embedding } of from(0, embeddings)) drawn.set(item, [...(drawn.get(item) ?? []), embedding]);
    } else {
      const oldestKey = from(0, 1)[0]?.key ?? 0;
      for (let i = 0; i < sampledItems; i++) {
        const [row] = from(oldestKey - 1 + Math.floor((i * (newestKey - oldestKey + 1)) / sampledItems), 1);
        if (row && !drawn.has(row.item)) drawn.set(row.item, embeddings === items ? [row.embedding] : (this.#embeddings.ofItem(row.item, space)?.map(({ embedding }) => embedding) ?? [row.embedding]));
      }
    }
    this.#sample = new ScoreSample([...drawn.values()]);
  }
}

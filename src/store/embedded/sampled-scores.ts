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

/** How many there are in a list, and the newest embedding's key. */
interface Size {
  items: number;
  embeddings: number;
  newestKey: number;
}

interface Sample {
  /** Items. */
  size: number;
  /** Of their embeddings, where each has one alone: a score's mean is the mean's score. */
  mean?: Float32Array;
  /** Parts of some of them, behind each other, and where among these each item begins, with the end. */
  rows: Float32Array;
  begins: Uint32Array;
}

/**
 * How an embedding scores against a list as a whole: against items of it from places spread evenly over the keys, the same
 * for the same rows; each by its nearest part, as searches score it.
 */
export class SampledScores {
  readonly #embeddings: EmbeddingTable;
  readonly #owner: { space: number; modality: Modality };
  #sample: Sample = { size: 0, rows: new Float32Array(0), begins: new Uint32Array(1) };
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
    const { size: drawn, mean, rows, begins } = this.#sample;
    const { length } = embedding;
    const few = begins.length - 1;
    let [sum, squares] = [0, 0];
    for (let i = 0; i < few; i++) {
      let score = -Infinity;
      for (let row = begins[i]!; row < begins[i + 1]!; row++) score = Math.max(score, similarity(embedding, rows, row * length));
      sum += score;
      squares += score * score;
    }
    const ofFew = sum / Math.max(1, few);
    return { mean: mean ? similarity(embedding, mean) : ofFew, deviation: Math.sqrt(Math.max(0, squares / Math.max(1, few) - ofFew ** 2)), sampled: mean ? drawn : few, count: size.items };
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
    this.#keep([...drawn.values()]);
  }

  #keep(drawn: Float32Array[][]): void {
    const step = Math.max(1, drawn.length / compared);
    const chosen = Array.from({ length: Math.floor(drawn.length / step) }, (_, i) => drawn[Math.floor(i * step)]!);
    const length = drawn[0]?.[0]?.length ?? 0;
    const begins = new Uint32Array(chosen.length + 1);
    chosen.forEach((parts, i) => (begins[i + 1] = begins[i]! + parts.length));
    const rows = new Float32Array(begins.at(-1)! * length);
    chosen.flat().forEach((part, row) => rows.set(part, row * length));
    this.#sample = { size: drawn.length, rows, begins, ...(drawn.length > 0 && drawn.every((parts) => parts.length === 1) ? { mean: meanOf(drawn.flat()) } : {}) };
  }
}

function meanOf(embeddings: Float32Array[]): Float32Array {
  const mean = new Float32Array(embeddings[0]!.length);
  for (const each of embeddings) for (let i = 0; i < mean.length; i++) mean[i]! += each[i]! / embeddings.length;
  return mean;
}

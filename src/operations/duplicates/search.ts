/** Looks for pairs: candidates are neighbors in the index, and what two pictures look like confirms them. */
import { createHash } from 'node:crypto';
import type { Filter } from '../../domain/filter.js';
import type { Modality } from '../../domain/modality.js';
import { mapLimited } from '../../map-limited.js';
import type { Leaf, Neighbor } from '../../store/vector-index.js';
import type { Context } from '../context.js';
import { Sets, type Pair } from './groups.js';
import type { Signatures } from './signatures.js';

/** What is known of an item that is compared. */
export interface Compared {
  id: string;
  modality: Modality;
  contentHash: string;
  hasImage: boolean;
  /** Pixels, or characters. */
  size: number;
  width?: number;
  height?: number;
  createdAt: number;
}

/** Neighbors looked at of each item; then, where all of them are known to be the same as it, so many more. */
const neighbors = [16, 48];
/** Below this cosine two pictures are not looked at: encoders put what is nearly the same far above it. */
const leastCosine = 0.6;
/** Searches under way together. */
const searchesAtOnce = 3;

export interface Thresholds {
  pixels: number;
  embedding: number;
}

export interface PairSearchParts {
  context: Context;
  collection: string;
  items: Compared[];
  signatures: Signatures;
  thresholds: Thresholds;
  filter?: Filter;
  signal: AbortSignal;
}

export class PairSearch {
  readonly sets: Sets;
  readonly #placeOf = new Map<string, number>();
  readonly #byContent = new Map<string, number>();
  readonly #byEmbedding = new Map<string, number>();

  readonly items: Compared[];
  readonly #parts: PairSearchParts;

  constructor(parts: PairSearchParts) {
    this.#parts = parts;
    const { items } = parts;
    this.items = items;
    this.sets = new Sets(items.length);
    items.forEach(({ id, contentHash }, place) => {
      this.#placeOf.set(id, place);
      if (!this.#byContent.has(contentHash)) this.#byContent.set(contentHash, place);
    });
  }

  /** The place of an item; undefined where it has gone. */
  placeOf(id: string): number | undefined {
    return this.#placeOf.get(id);
  }

  note({ a, b, mirrored }: Pair): void {
    if (!mirrored) this.sets.join(a, b);
  }

  /** The pairs that items `from` to `to` are in, with whatever item. */
  async pairs(from: number, to: number): Promise<Pair[]> {
    const found: Pair[] = [];
    const note = (pair: Pair): void => {
      this.note(pair);
      found.push(pair);
    };
    const places: number[] = [];
    for (let place = from; place < to; place++) {
      const first = this.#byContent.get(this.items[place]!.contentHash)!;
      if (first === place) places.push(place);
      else note({ a: first, b: place, similarity: 1, evidence: 'content', mirrored: false });
    }
    const { fingerprint, items } = await this.#parts.context.catalog.getEmbeddings(this.#parts.collection, places.map((place) => this.items[place]!.id));
    const embeddings = new Map(items.map(({ id, parts }) => [this.#placeOf.get(id)!, parts[0]!]));
    const searched = await this.#exactlyEqual(embeddings, note);

    let waiting = searched.map((place): { place: number; after?: NonNullable<Leaf['after']> } => ({ place }));
    for (const limit of neighbors) {
      const lists = await mapLimited(waiting, searchesAtOnce, ({ place, after }) => this.#nearest(place, { embedding: embeddings.get(place)!, fingerprint }, limit, after));
      await this.#confirm(
        waiting.flatMap(({ place }, i) => lists[i]!.flatMap(({ id, whole }) => this.#candidate(place, id, whole))),
        note,
      );
      waiting = waiting.flatMap(({ place }, i) => {
        const list = lists[i]!;
        const last = list.at(-1);
        const isCrowded = last !== undefined && list.length === limit && list.every(({ id }) => this.#areSame(place, this.#placeOf.get(id)));
        return isCrowded ? [{ place, after: { score: last.score, id: last.id, rank: limit } }] : [];
      });
      if (waiting.length === 0) break;
    }
    return found;
  }

  /** Those that are still to be searched for: of many with one embedding the first, and those that do not look like it. */
  async #exactlyEqual(embeddings: Map<number, Float32Array>, note: (pair: Pair) => void): Promise<number[]> {
    const searched: number[] = [];
    const equal: Candidate[] = [];
    for (const [place, embedding] of embeddings) {
      const key = `${this.items[place]!.modality} ${createHash('sha256').update(new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength)).digest('base64')}`;
      const first = this.#byEmbedding.get(key);
      if (first === undefined) {
        this.#byEmbedding.set(key, place);
        searched.push(place);
      } else equal.push({ a: first, b: place, score: 1 });
    }
    await this.#confirm(equal, note);
    for (const { a, b } of equal) if (!this.#areSame(a, b)) searched.push(b);
    return searched;
  }

  async #nearest(place: number, of: { embedding: Float32Array; fingerprint: string }, limit: number, after: Leaf['after']): Promise<(Neighbor & { whole: number })[]> {
    this.#parts.signal.throwIfAborted();
    const { id, modality, hasImage } = this.items[place]!;
    const minScore = hasImage ? Math.min(leastCosine, this.#parts.thresholds.embedding) : this.#parts.thresholds.embedding;
    const leaf: Leaf = { modality, limit, minScore, ...(after && { after }) };
    const [list] = await this.#parts.context.index.nearest(this.#parts.collection, { ...of, kind: 'item', excludeIds: [id], leaves: [leaf], ...(this.#parts.filter && { filter: this.#parts.filter }) });
    return this.#byWholes(list!.neighbors, of.embedding);
  }

  /** `whole`: the cosine of the whole. A tile that is like another picture makes no duplicate of what it was cut from. */
  async #byWholes(neighbors: Neighbor[], embedding: Float32Array): Promise<(Neighbor & { whole: number })[]> {
    const ids = neighbors.flatMap(({ id, box }) => (box ? [id] : []));
    const { items } = ids.length === 0 ? { items: [] } : await this.#parts.context.catalog.getEmbeddings(this.#parts.collection, ids);
    const wholes = new Map(items.map(({ id, parts }) => [id, parts[0]!.reduce((sum, value, i) => sum + value * embedding[i]!, 0)]));
    return neighbors.map((neighbor) => ({ ...neighbor, whole: neighbor.box ? (wholes.get(neighbor.id) ?? -1) : neighbor.score }));
  }

  #candidate(place: number, id: string, score: number): Candidate[] {
    const other = this.#placeOf.get(id);
    return other === undefined || score < Math.min(leastCosine, this.#parts.thresholds.embedding) || this.#areSame(place, other) ? [] : [{ a: place, b: other, score }];
  }

  #areSame(a: number, b: number | undefined): boolean {
    return b !== undefined && this.sets.find(a) === this.sets.find(b);
  }

  async #confirm(candidates: Candidate[], note: (pair: Pair) => void): Promise<void> {
    const isSeen = ({ a, b }: Candidate): boolean => this.items[a]!.hasImage && this.items[b]!.hasImage;
    for (const candidate of candidates) {
      const { a, b, score } = candidate;
      if (!isSeen(candidate) && score >= this.#parts.thresholds.embedding) note({ a, b, similarity: Math.min(1, score), evidence: 'embedding', mirrored: false });
    }
    const seen = candidates.filter(isSeen);
    const likeness = await this.#parts.signatures.likeness(seen.map(({ a, b }) => [a, b] as const), this.#parts.signal);
    seen.forEach(({ a, b }, i) => {
      const { similarity, mirrored } = likeness[i] ?? { similarity: 0, mirrored: false };
      if (similarity >= this.#parts.thresholds.pixels) note({ a, b, similarity: Math.min(1, similarity), evidence: 'pixels', mirrored });
    });
  }
}

interface Candidate {
  a: number;
  b: number;
  /** Cosine. */
  score: number;
}

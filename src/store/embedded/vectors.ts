/** Exact comparison with stored embeddings: packed in memory as far as it reaches, from the database beyond. */
import type { Modality } from '../../domain/modality.js';
import type { EmbeddingRow, EmbeddingTable } from './embedding-table.js';
import { firstAbove, type KeySet } from './key-set.js';
import { PackedRows, type Chunk } from './packed-rows.js';
import { packQuery } from './packing.js';
import { similarity, type Ranking } from './ranking.js';
import { nextTurn, now, sliceMs } from './time-slices.js';
import type { VectorMemory } from './vector-memory.js';

/** Rows compared between two looks at the ranking's floor; fewer at first, while it rises. */
const firstStep = 64;
const mostStep = 512;
/** Embeddings up to which a scan reads the database rather than fill the memory. */
const smallScan = 512;
/** Rows read from the database at a time: in order; by their keys. */
const pageRows = 512;
const pageKeys = 64;
/** Reading a row by its key takes so many times what it takes in order. */
const costOfKey = 3;

/** What a scan looks at: embeddings with a key above `after`, and of these `keys` alone where they are given. */
export interface ScanScope {
  after: number;
  /** How many embeddings there are at all, and about how many of them have such a key. */
  total: number;
  expected: number;
  keys?: KeySet;
}

/** The embeddings of one space and modality, followed by key: what is in memory are those above `#from`, up to the last row's. */
export class Vectors {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly modality: Modality;
  readonly #dimension: number;
  readonly #rows: PackedRows;
  #from = 0;
  #retired = false;

  constructor(embeddings: EmbeddingTable, { space, modality, dimension }: { space: number; modality: Modality; dimension: number }, memory: VectorMemory) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.modality = modality;
    this.#dimension = dimension;
    this.#rows = new PackedRows(dimension, memory);
  }

  /** Whether so many can be packed in memory without others losing theirs. */
  fits(total: number): boolean {
    return this.#rows.fits(total).beside;
  }

  /** Takes some more of all into memory, where there is room beside others; false when there is nothing more to take, up to `newestKey`. */
  warm(total: number, newestKey: number): boolean {
    if (total <= smallScan || (this.#rows.lastKey ?? 0) >= newestKey || !this.fits(total)) return false;
    this.#begin(0);
    return this.#append(false);
  }

  /** Offers every embedding of the scope that may come into the ranking, with its exact score. */
  async scan(query: Float32Array, ranking: Ranking, scope: ScanScope): Promise<void> {
    const { after, total, expected, keys } = scope;
    const fits = this.#rows.fits(total);
    const isWorthIt = Math.min(expected, keys?.size ?? expected) > smallScan && (fits.beside || !keys);
    if (isWorthIt) await this.#fill(after, fits.atAll);
    const through = await this.#scanPacked(query, ranking, after, keys);
    return this.#scanStored(query, ranking, through, scope);
  }

  /** The key's row was removed. */
  remove(key: number): void {
    this.#rows.remove(key);
    if (this.#rows.isSparse) this.#rows.clear();
  }

  /** Nobody will search it any more. */
  retire(): void {
    this.#retired = true;
    this.#rows.clear();
  }

  #covers(after: number): boolean {
    return !this.#rows.isEmpty && this.#from <= after;
  }

  /** As far as the memory reaches; others lose theirs for it only where it is `urgent`. */
  async #fill(after: number, urgent: boolean): Promise<void> {
    this.#begin(after);
    let began = now();
    for (;;) {
      if (!this.#append(urgent)) return;
      if (now() - began > sliceMs) {
        await nextTurn();
        if (!this.#covers(after)) return;
        began = now();
      }
    }
  }

  #begin(after: number): void {
    if (this.#covers(after)) return;
    this.#rows.clear();
    this.#from = after;
  }

  /** Some more of those in the database; false when there are none, or no room for them. */
  #append(urgent: boolean): boolean {
    const room = this.#retired ? 0 : this.#rows.room(urgent);
    if (room === 0) return false;
    const rows = this.#embeddings.after(this.#space, this.modality, this.#rows.lastKey ?? this.#from, Math.min(pageRows, room));
    for (const row of rows) this.#rows.append(row);
    return rows.length > 0;
  }

  /** The key up to which all was compared. */
  async #scanPacked(query: Float32Array, ranking: Ranking, after: number, keys?: KeySet): Promise<number> {
    const packed = packQuery(query);
    let through = after;
    let most = firstStep;
    let began = now();
    for (;;) {
      const chunk = this.#covers(after) ? this.#rows.chunkBehind(through) : undefined;
      if (!chunk) return through;
      const from = firstAbove(chunk.keys, chunk.count, through);
      const place = keys?.behind(through) ?? 0;
      const step = keys ? { from, keys, place, most } : { from, to: Math.min(from + most, chunk.count) };
      const { found, to } = this.#rows.between(ranking, packed, chunk, step);
      this.#offer(query, ranking, chunk, found);
      through = chunk.keys[to - 1]!;
      most = Math.min(2 * most, mostStep);
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  #offer(query: Float32Array, ranking: Ranking, chunk: Chunk, rows: Uint32Array): void {
    const embeddings = this.#rows.embeddingsOf(chunk);
    for (const row of rows) {
      const key = chunk.keys[row]!;
      const score = embeddings ? similarity(query, embeddings, row * this.#dimension) : this.#storedScore(query, key);
      if (score !== undefined) ranking.offer({ key, item: chunk.items[row]!, score });
    }
  }

  #storedScore(query: Float32Array, key: number): number | undefined {
    const row = this.#embeddings.byKey(key, this.#space);
    return row && similarity(query, row.embedding);
  }

  /** What lies behind `through`, from the database: a few keys one by one, else all in order. */
  async #scanStored(query: Float32Array, ranking: Ranking, through: number, { keys, total }: ScanScope): Promise<void> {
    const left = keys && keys.size - keys.behind(through);
    const inOrder = left === undefined || left * costOfKey > Math.max(total - this.#rows.held, smallScan * costOfKey);
    let began = now();
    for (const rows of inOrder ? this.#inOrder(through) : this.#byKey(keys!, through)) {
      for (const { key, item, embedding } of rows) if (!keys || keys.has(key)) ranking.offer({ key, item, score: similarity(query, embedding) });
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  *#inOrder(through: number): Generator<EmbeddingRow[]> {
    for (let from = through; ; ) {
      const rows = this.#embeddings.after(this.#space, this.modality, from, pageRows);
      yield rows;
      if (rows.length < pageRows) return;
      from = rows.at(-1)!.key;
    }
  }

  *#byKey(keys: KeySet, through: number): Generator<EmbeddingRow[]> {
    for (let place = keys.behind(through); place < keys.size; place += pageKeys) {
      const rows: EmbeddingRow[] = [];
      for (let i = place; i < place + pageKeys; i++) {
        const key = keys.at(i);
        const row = key === undefined ? undefined : this.#embeddings.byKey(key, this.#space);
        if (row) rows.push(row);
      }
      yield rows;
    }
  }
}

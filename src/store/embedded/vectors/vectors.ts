/** Comparison with stored embeddings: packed in memory as far as it reaches, from the database beyond; with all of them, or with those of the nearest cells. */
import type { Modality } from '../../../domain/modality.js';
import type { EmbeddingRow, EmbeddingTable } from '../embedding-table.js';
import type { KeySet } from '../key-set.js';
import { similarity } from '../../similarity.js';
import type { Offers } from '../ranking.js';
import { nextTurn, now, sliceMs } from '../time-slices.js';
import type { CellDirections } from './centroids.js';
import { Comparison } from './comparison.js';
import { chunkRows } from './chunk-pool.js';
import { PackedRows, type Cell } from './packed-rows.js';
import { packQuery } from './packing.js';
import type { Sample } from './training.js';
import type { Holder, VectorMemory } from './vector-memory.js';

/** Rows read from the database at a time: in order; by their keys. */
const pageRows = 512;
const pageKeys = 64;
/** Reading a row by its key takes so many times what it takes in order. */
const costOfKey = 3;
/** Of all; so large a share of wanted keys is not looked up one by one. */
const manyKeys = 1 / 4;
/** Of what was looked at, the share of what is wanted from which on, below so much of that by chance, it lies elsewhere. */
const starved = { from: 0.01, share: 0.3 } as const;
/** Rows of a cell by which it is told how many of it are wanted. */
const looks = 32;

/** What a scan looks at. */
export interface ScanScope {
  /** How many embeddings there are, and the newest one's key now. */
  total: number;
  newestKey: () => number;
  /** Of these those alone. */
  keys?: KeySet | undefined;
}

/** The embeddings of one space and modality, followed by key: in memory are those up to the last row's. */
export class Vectors {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly modality: Modality;
  readonly #memory: VectorMemory;
  readonly #rows: PackedRows;
  readonly #smallScan: number;
  #retired = false;
  /** Behind the row with the one key there is none up to the other: what is damaged or has gone is never read. */
  #nothing = { behind: 0, upTo: 0 };

  /** `smallScan`: embeddings up to which the database is read rather than the memory filled. */
  constructor(embeddings: EmbeddingTable, { space, modality, dimension }: { space: number; modality: Modality; dimension: number }, memory: VectorMemory, smallScan: number) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.modality = modality;
    this.#memory = memory;
    this.#rows = new PackedRows(dimension, memory);
    this.#smallScan = smallScan;
  }

  /** Whether so many can be packed in memory without others losing theirs; in so many cells, or in those that there are. */
  fits(total: number, cells?: number): boolean {
    return this.#rows.fits(total, cells).beside;
  }

  /** Takes some more of all into memory, where there is room beside others; false when there is nothing more to take. */
  warm({ total, newestKey }: ScanScope): boolean {
    if (total <= this.#smallScan || this.through >= newestKey() || !this.fits(total)) return false;
    return this.#append(newestKey(), false);
  }

  /** All up to this key are in memory. */
  get through(): number {
    const { lastKey = 0 } = this.#rows;
    return lastKey === this.#nothing.behind ? Math.max(lastKey, this.#nothing.upTo) : lastKey;
  }

  get held(): number {
    return this.#rows.alive;
  }

  /** Where the cells lie; `undefined` while all is one. */
  get directions(): CellDirections | undefined {
    return this.#rows.directions;
  }

  /** From now on there are these cells. @throws Error where the memory has no room. */
  divide(directions: CellDirections): void {
    this.#rows.divide(directions);
  }

  get isMoving(): boolean {
    return this.#rows.isMoving;
  }

  /** Lets go of all, and of where the cells lie. */
  undivide(): void {
    this.#rows.undivide();
  }

  /** Lets go of what is in memory: it is read anew, to lie in its cells from the beginning. */
  clear(): void {
    this.#rows.clear();
  }

  /** Brings some to their cells; false when there is nothing to bring, or no room. */
  moveSome(): boolean {
    return this.#rows.moveSome();
  }

  /** Who holds the memory that it takes. */
  get holder(): Holder {
    return this.#rows;
  }

  /** Much of what is held was removed. */
  get isSparse(): boolean {
    return this.#rows.isSparse;
  }

  sample(most: number): Generator<undefined, Sample> {
    return this.#rows.sample(most);
  }

  /** Offers every embedding of the scope that may come into the ranking, with its exact score. */
  async scan(query: Float32Array, ranking: Offers, scope: ScanScope): Promise<void> {
    const { total, keys } = scope;
    this.#rows.touch();
    await this.#fill(scope);
    const { through } = this;
    const areMany = keys !== undefined && keys.size > total * manyKeys;
    const comparison = this.#comparison(query, ranking, areMany ? keys : undefined);
    await this.#memory.during<unknown>(() => (keys && !areMany ? this.#compareKeys(comparison, keys) : this.#compareCells(comparison, () => false)));
    return this.#scanStored(query, ranking, through, scope);
  }

  /**
   * The same of the cells that the query is nearest to, until so large a share of all was looked at and the ranking
   * is full, or there is a score below which none is wanted. `looked`: about which share of the scope, 0..1: well below the
   * share of all where what is wanted lies elsewhere than what is near.
   */
  async probe(query: Float32Array, ranking: Offers, scope: ScanScope & { share: number; isBounded: boolean }): Promise<{ isAll: boolean; looked: number }> {
    const { total, keys, share, isBounded } = scope;
    this.#rows.touch();
    await this.#fill({ ...scope, keys: undefined });
    const { through } = this;
    const comparison = this.#comparison(query, ranking, keys);
    let seen = 0;
    let wanted = 0;
    const isAll = await this.#memory.during(() =>
      this.#compareCells(comparison, (last) => {
        if (last) {
          seen += last.rows;
          wanted += keys ? last.rows * shareOf(last, keys) : last.rows;
        }
        if (keys && seen > starved.from * total && wanted < seen * (keys.size / total) * starved.share) return true;
        if (seen < share * total) return false;
        comparison.finish();
        return ranking.full || isBounded;
      }),
    );
    await this.#scanStored(query, ranking, through, scope);
    return { isAll, looked: wanted / (keys?.size ?? total) };
  }

  /** Offers what came behind a key, of these keys. */
  scanBehind(query: Float32Array, ranking: Offers, key: number, scope: ScanScope): Promise<void> {
    return this.#scanStored(query, ranking, key, scope);
  }

  /** For each key, the share that is looked at before it when the nearest cells come first. Not while any are on their way. */
  sharesBefore(query: Float32Array, keys: readonly number[]): number[] {
    return this.#rows.sharesBefore(packQuery(query), keys);
  }

  /** The key's row was removed. */
  remove(key: number): void {
    this.#rows.remove(key);
    if (this.#rows.isSparse && !this.#rows.directions) this.#rows.clear();
  }

  /** Nobody will search it any more. */
  retire(): void {
    this.#retired = true;
    this.#rows.retire();
  }

  #comparison(query: Float32Array, ranking: Offers, keys?: KeySet): Comparison {
    return new Comparison(query, ranking, this.#rows.pool, {
      isWanted: keys && ((key) => keys.has(key)),
      stored: (key) => this.#embeddings.byKey(key, this.#space)?.embedding,
    });
  }

  /** As far as the memory reaches, if it is worth it; others lose theirs for it only where all are wanted. */
  async #fill({ total, newestKey, keys }: ScanScope): Promise<void> {
    const fits = this.#rows.fits(total);
    if ((keys?.size ?? total) <= this.#smallScan || (keys && !fits.beside)) return;
    let began = now();
    while (this.through < newestKey() && this.#append(newestKey(), fits.atAll)) {
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }

  /** Some more of those in the database; false when there are none, or no room for them. */
  #append(newestKey: number, urgent: boolean): boolean {
    if (this.#retired) return false;
    const rows = this.#embeddings.after(this.#space, this.modality, this.through, pageRows);
    if (!rows.every((row) => this.#rows.append(row, urgent))) return false;
    if (rows.length < pageRows) this.#nothing = { behind: this.#rows.lastKey ?? 0, upTo: newestKey };
    return rows.length > 0;
  }

  /** The nearest first, until it `isEnough`, which is told of each that was looked at; true when all were. */
  async #compareCells(comparison: Comparison, isEnough: (last?: Cell) => boolean): Promise<boolean> {
    let began = now();
    let last: Cell | undefined;
    for (const cell of this.#rows.nearestCells(comparison.query)) {
      if (isEnough(last)) return false;
      for (const chunk of cell.chunks) {
        if (!comparison.add(chunk) || now() - began <= sliceMs) continue;
        await nextTurn();
        began = now();
      }
      last = cell;
    }
    comparison.finish();
    return true;
  }

  /** Those that are in memory: looked up beforehand, since a row may be brought elsewhere between two turns. */
  async #compareKeys(comparison: Comparison, keys: KeySet): Promise<void> {
    const places = this.#rows.placesOf(keys);
    let began = now();
    for (let i = 0; i < places.length; ) {
      const next = Math.min(places.length, i + comparison.step);
      comparison.places(places.subarray(i, next));
      i = next;
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }

  /** What lies behind `through`, from the database: a few keys one by one, else all in order. */
  async #scanStored(query: Float32Array, ranking: Offers, through: number, { keys, total, newestKey }: ScanScope): Promise<void> {
    if (through >= newestKey()) return;
    const left = keys && keys.size - keys.behind(through);
    const inOrder = left === undefined || left * costOfKey > Math.max(total - this.#rows.alive, this.#smallScan * costOfKey);
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

/** About which share of the cell's rows are among the keys. */
function shareOf({ chunks }: Cell, keys: KeySet): number {
  let looked = 0;
  let wanted = 0;
  const step = Math.max(1, Math.floor((chunks.length * chunkRows) / looks));
  for (let i = 0; i < chunks.length * chunkRows; i += step) {
    const { slab, offset, count } = chunks[Math.floor(i / chunkRows)]!;
    if (i % chunkRows >= count) continue;
    looked++;
    if (keys.has(slab.keys[offset + (i % chunkRows)]!)) wanted++;
  }
  return looked === 0 ? 0 : wanted / looked;
}

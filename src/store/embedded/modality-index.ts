import type { Modality } from '../../domain/modality.js';
import type { Log } from '../../telemetry.js';
import type { CollectionDescription } from '../catalog.js';
import type { ScoreSpread } from '../vector-index.js';
import type { CellTable } from './cell-table.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemColumns } from './columns/item-columns.js';
import { MatchingKeys } from './matching-keys.js';
import { Recall, type Ask } from './recall.js';
import { SampledScores } from './sampled-scores.js';
import type { EmbeddedStoreSettings } from './settings.js';
import { now, sliceMs } from './time-slices.js';
import type { CellDirections } from './vectors/centroids.js';
import { cellsFor, sampleFor, trained } from './vectors/training.js';
import type { VectorMemory } from './vectors/vector-memory.js';
import { Vectors, type ScanScope } from './vectors/vectors.js';

/** Embeddings up to which the database is read rather than the memory filled. */
const smallScan = 512;
/** The share of all that must be in memory for what is learnt there to be true of all. */
const mostlyHere = 0.9;
/** Cells are sought anew for so many times the embeddings that there were. */
const growth = 2;

/** Whose embeddings they are, and of which space. */
export interface IndexOwner {
  collection: number;
  name: string;
  modality: Modality;
  dimension: number;
  /** The space's key. */
  space: number;
}

export interface IndexSurroundings {
  embeddings: EmbeddingTable;
  cells: CellTable;
  memory: VectorMemory;
  settings: EmbeddedStoreSettings;
  log: Log;
  /** How many embeddings there are, and items that they are of. */
  count: () => number;
  items: () => number;
  /** Of the items that the embeddings are of. */
  columns: ItemColumns;
}

/**
 * What makes one collection's embeddings of one modality quick to search.
 *
 * All of it follows the database by key: the embeddings in memory and the filters' keys are each right up to some key;
 * what lies behind it is read from the database. `carryOn` carries it on, a slice at a time.
 */
export class ModalityIndex {
  readonly owner: IndexOwner;
  readonly vectors: Vectors;
  readonly matchingKeys: MatchingKeys;
  readonly recall: Recall;
  readonly #around: IndexSurroundings;
  readonly #scores: SampledScores;
  /** What comes of it are cells, one step at a time. */
  #training: Generator<undefined, CellDirections> | undefined;
  /** Of an earlier run; taken up once all is in memory, which is quicker read than sorted. */
  #saved: CellDirections | undefined;
  /** Not all fit into the memory. */
  #isShort = false;
  #retired = false;
  #newestKey: number;

  constructor(owner: IndexOwner, around: IndexSurroundings) {
    this.owner = owner;
    this.#around = around;
    this.vectors = new Vectors(around.embeddings, owner, around.memory, Math.min(smallScan, this.#largeFrom));
    this.matchingKeys = new MatchingKeys(around.embeddings, owner, around.columns);
    this.#scores = new SampledScores(around.embeddings, owner);
    this.#newestKey = around.embeddings.newestKey(owner.space, owner.modality);
    const saved = this.#isLarge ? around.cells.get(owner.space, owner.modality, owner.dimension) : undefined;
    this.recall = new Recall(saved?.shares);
    if (saved && this.count * growth >= saved.directions.count) this.#saved = saved.directions;
  }

  get count(): number {
    return this.#around.count();
  }

  /** Whether any item has several embeddings. */
  get hasParts(): boolean {
    return this.count > this.#around.items();
  }

  /** All there is to look at. */
  get scope(): ScanScope {
    return { total: this.count, newestKey: () => this.#newestKey };
  }

  /** Whether searches may look at the nearest cells alone. */
  get isDivided(): boolean {
    return this.#isLarge && this.vectors.directions !== undefined;
  }

  get state(): CollectionDescription['graph']['state'] {
    if (!this.#isLarge || !this.#hasRoom) return 'none';
    return this.isDivided && !this.vectors.isMoving && this.vectors.through >= this.#newestKey ? 'ready' : 'building';
  }

  /** A row with this key was committed. */
  added(key: number): void {
    this.#newestKey = key;
    this.#scores.changed();
    this.recall.changed();
  }

  /** The key's row is gone. */
  removed(key: number): void {
    this.vectors.remove(key);
    this.matchingKeys.removed();
    this.#scores.changed();
    this.recall.changed();
  }

  /** The collection has gone, or gone over to another space: what is under way may end. */
  retire(): void {
    this.#retired = true;
    this.#endTraining();
    this.vectors.retire();
  }

  /** Does one piece of what is to be done, if anything; false when all is done for now. */
  carryOn(): boolean {
    if (this.#retired) return false;
    this.#tellOfRoom();
    if (this.vectors.warm(this.scope)) return true;
    if (this.#training) return this.#train(this.#training);
    if (this.vectors.isMoving) return this.#move();
    if (!this.#isLarge && this.vectors.directions && this.vectors.isSparse) return this.#undivide();
    if (this.#saved && this.vectors.through >= this.#newestKey) return this.#takeUp(this.#saved);
    if (this.#isTrainingDue) {
      this.#training = this.#newDirections();
      return true;
    }
    return this.#around.columns.readSome();
  }

  /** Nobody knows yet how much of its cells searches must look at. */
  get isUnknown(): boolean {
    const directions = this.#settled;
    return directions !== undefined && this.recall.isNew(directions);
  }

  /** How an embedding scores against all there is. */
  spread(embedding: Float32Array): ScoreSpread {
    return this.#scores.spread(embedding, { items: this.#around.items(), embeddings: this.count, newestKey: this.#newestKey });
  }

  /** At most so many stored embeddings, from places drawn all over the keys. */
  sample(most: number): Float32Array[] {
    const { space, modality } = this.owner;
    const drawn = new Map<number, Float32Array>();
    const { embeddings } = this.#around;
    const [oldest] = embeddings.after(space, modality, 0, 1);
    if (!oldest) return [];
    for (let i = 0; i < most; i++) {
      const place = oldest.key - 1 + Math.floor(Math.random() * (this.#newestKey - oldest.key + 1));
      for (const { key, embedding } of embeddings.after(space, modality, place, 1)) drawn.set(key, embedding);
    }
    return [...drawn.values()];
  }

  /** Finds out how much searches must look at, and how much of what they should find they do find, when that is due and nothing else is to be done. */
  async audit(ask: Ask, isStopped: () => boolean): Promise<void> {
    const directions = this.#settled;
    if (!directions || !this.recall.isDue(this.count, directions)) return;
    const isOver = (): boolean => this.#retired || this.#settled !== directions || isStopped();
    const problem = await this.recall.audit({ directions, ask, newestKey: () => this.#newestKey, isOver, sample: (most) => this.sample(most), sharesBefore: (query, keys) => this.vectors.sharesBefore(query, keys) });
    if (isOver()) return;
    this.#around.cells.putShares(this.owner.space, this.owner.modality, this.recall.shares);
    if (problem) this.#around.log('warn', 'Searches found too few of the nearest: they look at more from now on.', { collection: this.owner.name, modality: this.owner.modality, ...problem });
  }

  get #isLarge(): boolean {
    return this.count > this.#largeFrom;
  }

  get #largeFrom(): number {
    const { cellsFrom, cellsFromNumbers } = this.#around.settings;
    return Math.min(cellsFrom, cellsFromNumbers / this.owner.dimension);
  }

  get #hasRoom(): boolean {
    return this.vectors.fits(this.count, cellsFor(this.count));
  }

  /** Where the cells lie, while all but what has come just now is in them: what is learnt then holds. */
  get #settled(): CellDirections | undefined {
    const { directions, isMoving, held } = this.vectors;
    return this.isDivided && !isMoving && held >= this.count * mostlyHere ? directions : undefined;
  }

  get #isTrainingDue(): boolean {
    const { directions, held, through, isSparse } = this.vectors;
    if (!this.#isLarge || held === 0 || through < this.#newestKey) return false;
    return (!directions || this.count >= growth * directions.count || isSparse) && this.#hasRoom;
  }

  /** Once. */
  #tellOfRoom(): void {
    const isShort = this.#isLarge && !this.#hasRoom;
    if (isShort && !this.#isShort) this.#around.log('warn', 'The embeddings do not all fit into the memory for them: searches read from the disk. Raise MIXSPACE_VECTOR_MEMORY.', { collection: this.owner.name, modality: this.owner.modality, embeddings: this.count });
    this.#isShort ||= isShort;
  }

  #takeUp(saved: CellDirections): boolean {
    this.#saved = undefined;
    this.vectors.divide(saved);
    return true;
  }

  #undivide(): boolean {
    this.vectors.undivide();
    return true;
  }

  *#newDirections(): Generator<undefined, CellDirections> {
    const { count, vectors } = this;
    return yield* trained(yield* vectors.sample(sampleFor(count)), count, { memory: this.#around.memory, holder: vectors.holder });
  }

  #train(training: Generator<undefined, CellDirections>): boolean {
    for (const began = now(); now() - began < sliceMs; ) {
      const { done, value } = this.#nextOf(training);
      if (!done) continue;
      this.#training = undefined;
      this.#around.cells.put(this.owner.space, this.owner.modality, { directions: value, shares: this.recall.shares });
      this.vectors.divide(value);
      break;
    }
    return true;
  }

  #nextOf(training: Generator<undefined, CellDirections>): IteratorResult<undefined, CellDirections> {
    try {
      return training.next();
    } catch (error) {
      this.#training = undefined;
      throw error;
    }
  }

  #endTraining(): void {
    this.#training?.return(undefined as never);
    this.#training = undefined;
  }

  #move(): boolean {
    for (const began = now(); now() - began < sliceMs; ) {
      if (this.vectors.moveSome()) continue;
      // There is no room for both ways of lying.
      if (this.vectors.isMoving) this.vectors.clear();
      return true;
    }
    return true;
  }
}

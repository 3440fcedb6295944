import type { Log } from '../../telemetry.js';
import type { CollectionDescription } from '../catalog.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemColumns } from './columns/item-columns.js';
import { MatchingKeys } from './matching-keys.js';
import { Graph } from './graph.js';
import { RecallAudit } from './recall-audit.js';
import type { EmbeddedStoreSettings } from './settings.js';
import type { GraphOwner, Snapshots } from './snapshots.js';
import { now, sliceMs } from './time-slices.js';
import type { VectorMemory } from './vector-memory.js';
import { Vectors } from './vectors.js';

/** Embeddings read for one slice of adding; each takes about a millisecond. */
const sliceRows = 16;
const rebuildAtDead = 1_000;
const rebuildAtShare = 1 / 3;
/** Of a graph's nodes; the share that must have changed before a big graph is saved in the middle of work. */
const saveAtShare = 1 / 5;

export interface IndexSurroundings {
  embeddings: EmbeddingTable;
  snapshots: Snapshots;
  memory: VectorMemory;
  settings: EmbeddedStoreSettings;
  log: Log;
  /** The collection's sequence number. */
  seq: () => number;
  /** How many embeddings there are. */
  count: () => number;
  /** Of the items that the embeddings are of. */
  columns: ItemColumns;
}

/**
 * What makes one collection's embeddings of one modality quick to search.
 *
 * All of it follows the database by key: the graph, the embeddings in memory and the filters' keys are each
 * right up to some key; what lies behind it is read from the database. `carryOn` carries the graph on, a slice at a time.
 */
export class ModalityIndex {
  readonly owner: GraphOwner;
  readonly vectors: Vectors;
  readonly matchingKeys: MatchingKeys;
  readonly recall = new RecallAudit();
  readonly #around: IndexSurroundings;
  #graph: Graph | undefined;
  /** Built beside `#graph` to take its place, without its dead nodes. */
  #next: Graph | undefined;
  #restored: boolean;
  /** The collection's sequence number before anything was written: what is saved and newer belongs to another database. */
  readonly #seqAtOpening: number;
  #retired = false;
  #newestKey: number;
  #lastChange = now();

  /** `isNew`: no graph of this space can have been saved. */
  constructor(owner: GraphOwner, around: IndexSurroundings, isNew: boolean) {
    this.owner = owner;
    this.#around = around;
    this.vectors = new Vectors(around.embeddings, owner, around.memory);
    this.matchingKeys = new MatchingKeys(around.embeddings, owner, around.columns);
    // A graph that was not needed when the store was opened is built from nothing once it is.
    this.#restored = isNew || !this.#wanted;
    this.#seqAtOpening = around.seq();
    this.#newestKey = around.embeddings.newestKey(owner.space, owner.modality);
  }

  /** The graph that answers; `undefined` while there is none. */
  get graph(): Graph | undefined {
    return this.#graph;
  }

  get count(): number {
    return this.#around.count();
  }

  get state(): CollectionDescription['graph']['state'] {
    if (!this.#graph) return this.count > this.#threshold ? 'building' : 'none';
    return this.#graph.through < this.#newestKey ? 'building' : 'ready';
  }

  /** A row with this key was committed. */
  added(key: number): void {
    this.#newestKey = key;
    this.recall.changed();
    this.#lastChange = now();
  }

  /** The key's row is gone. */
  removed(key: number): void {
    this.vectors.remove(key);
    this.matchingKeys.removed();
    this.recall.changed();
    this.#graph?.remove(key);
    this.#next?.remove(key);
    this.#lastChange = now();
  }

  /** The collection has gone, or gone over to another space: what is under way may end, and nothing is saved. */
  retire(): void {
    this.#retired = true;
    this.vectors.retire();
    this.discardGraph();
  }

  /** Does one piece of what the graph needs, if anything; false when all is done for now. */
  async carryOn(): Promise<boolean> {
    if (!this.#restored) await this.#restore();
    if (this.#retired) return false;
    if (!this.#graph) {
      if (!this.#wanted) return this.vectors.warm(this.count, this.#newestKey) || this.#around.columns.readSome();
      this.#graph = Graph.empty(this.owner.dimension);
    }
    if (this.#graph.alive < this.#threshold / 2 && this.#graph.dead > 0 && !this.#wanted) return this.#abandon();
    if (!this.#next && this.#graph.dead > rebuildAtDead && this.#graph.dead > this.#graph.count * rebuildAtShare) {
      this.#next = Graph.empty(this.owner.dimension);
    }
    const growing = this.#next ?? this.#graph;
    if (growing.through < this.#newestKey) {
      this.#addSlice(growing);
      return true;
    }
    if (this.#next) {
      this.#graph = this.#next;
      this.#next = undefined;
      return true;
    }
    if (this.#saveIsDue) {
      await this.save();
      return true;
    }
    return this.#around.columns.readSome();
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

  /** Saves the graph if it has changed. */
  async save(): Promise<void> {
    if (!this.#graph || this.#graph.changes === 0 || this.#retired) return;
    await this.#around.snapshots.save(this.owner, this.#around.seq(), this.#graph);
  }

  /** After a failure: the graph may be anything, so it is built anew. */
  discardGraph(): void {
    this.#graph = undefined;
    this.#next = undefined;
  }

  get #threshold(): number {
    const { graphThreshold, graphThresholdNumbers } = this.#around.settings;
    return Math.min(graphThreshold, graphThresholdNumbers / this.owner.dimension);
  }

  get #wanted(): boolean {
    return this.count > this.#threshold;
  }

  get #saveIsDue(): boolean {
    const { changes, count } = this.#graph!;
    const { snapshotAfterChanges, snapshotAfterQuietMs } = this.#around.settings;
    if (changes === 0) return false;
    return now() - this.#lastChange >= snapshotAfterQuietMs || changes >= Math.max(snapshotAfterChanges, count * saveAtShare);
  }

  /** Looks how much of what it should find the graph does find, when that is due and nothing else is to be done. */
  async audit(isStopped: () => boolean): Promise<void> {
    const graph = this.#graph;
    if (!graph || this.#next || this.#retired || graph.through < this.#newestKey || !this.recall.isDue(this.count)) return;
    const { embeddings, log } = this.#around;
    const isOver = (): boolean => this.#retired || this.#graph !== graph || isStopped();
    const outcome = await this.recall.run({ graph, embeddings, vectors: this.vectors, space: this.owner.space, count: this.count, isOver, sample: (most) => this.sample(most) });
    if (!outcome || outcome.effort === 1) return;
    const { recall, effort } = outcome;
    const what = effort === Infinity ? 'Its graph finds too few of the nearest: searches compare with everything instead.' : 'Its graph finds too few of the nearest: searches look further.';
    log('warn', what, { collection: this.owner.name, modality: this.owner.modality, recall, ...(effort === Infinity ? {} : { effort }) });
  }

  async #restore(): Promise<void> {
    const { embeddings, snapshots } = this.#around;
    const { space, modality } = this.owner;
    this.#graph = await snapshots.load(this.owner, this.#seqAtOpening, () => embeddings.keys(space, modality));
    this.#restored = true;
  }

  #addSlice(graph: Graph): void {
    const began = now();
    const { space, modality } = this.owner;
    const rows = this.#around.embeddings.after(space, modality, graph.through, sliceRows);
    if (rows.length === 0) graph.through = this.#newestKey;
    for (const { key, embedding } of rows) {
      graph.add(key, embedding);
      if (now() - began > sliceMs) return;
    }
  }

  async #abandon(): Promise<boolean> {
    this.discardGraph();
    await this.#around.snapshots.remove(this.owner.collection, this.owner.modality);
    return true;
  }
}

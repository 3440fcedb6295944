import { byModality, modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { ImpossibleItem, ReembeddedItem, Reembedding, ReembeddingItem, ReembeddingPlan, ReembeddingTarget } from '../store.js';
import type { CollectionRow, CollectionTable } from './collection-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { ReembeddingRow, ReembeddingTable } from './reembedding-table.js';
import type { SourceChoice, Sources } from './sources.js';
import { nextTurn, now, sliceMs } from './turn.js';

const pageRows = 512;
/** Rows that one transaction moves or throws away. */
const batchRows = 64;
const readAtOnce = 8;
/** Bytes of pictures handed out at once, but for one that is larger. */
const batchBytes = 64e6;
/** Milliseconds that planning may spend on reading files; the rest of the touched ones are found out when they are embedded. */
const planReadsForMs = 60_000;
const told = 10;
/** The number of no space: of it, every item waits for its outcome. */
const noSpace = -1;

/** Collections on their way into another space, seen from the thread that owns the database. */
export class Reembeddings {
  readonly #table: ReembeddingTable;
  readonly #items: ItemTable;
  readonly #collections: CollectionTable;
  readonly #sources: Sources;
  /** By the collection's key: every item up to this key has its outcome. */
  readonly #settled = new Map<number, { space: number; through: Record<Modality, number> }>();

  constructor(parts: { table: ReembeddingTable; items: ItemTable; collections: CollectionTable; sources: Sources }) {
    this.#table = parts.table;
    this.#items = parts.items;
    this.#collections = parts.collections;
    this.#sources = parts.sources;
  }

  describe({ key }: CollectionRow): { unembedded: number; reembedding?: Reembedding } {
    const row = this.#table.get(key);
    const unembedded = modalities.reduce((sum, modality) => sum + this.#items.unembedded(key, modality), 0);
    if (!row) return { unembedded };
    const { space: _, ...reembedding } = row;
    return { unembedded, reembedding };
  }

  async plan(collection: CollectionRow, { fingerprint, fromThumbnails }: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan> {
    const row = this.#table.get(collection.key);
    const started = row?.fingerprint === fingerprint ? row : undefined;
    const choice = this.#choice(collection, fingerprint, fromThumbnails);
    const plan: ReembeddingPlan = { items: 0, kept: 0, fromThumbnails: 0, impossible: 0, first: [] };
    const readUntil = now() + planReadsForMs;
    const tell = async (item: ItemRow): Promise<void> => {
      const found = await this.#sources.look(item, choice, now() < readUntil);
      plan.items++;
      if (found === 'embedding') plan.kept++;
      else if (found === 'thumbnail') plan.fromThumbnails++;
      else if (typeof found === 'object') {
        plan.impossible++;
        if (plan.first.length < told) plan.first.push({ id: item.id, reason: found.impossible });
      }
    };
    for (const modality of modalities) {
      for await (const item of this.#waiting(collection.key, started?.space ?? noSpace, modality, 0)) await tell(item);
    }
    // What was tried in vain is tried again by the next start.
    for (const key of started ? this.#table.impossibleKeys(collection.key, started.space) : []) {
      const item = this.#items.byKey(key);
      if (item) await tell(item);
    }
    return plan;
  }

  /** Embeddings of the collection's own space must have been settled. */
  start(collection: CollectionRow, target: ReembeddingTarget): void {
    this.#items.transaction(() => {
      const row = this.#table.get(collection.key);
      if (row && row.fingerprint !== target.fingerprint) {
        throw new MixspaceError('conflict', `Collection "${collection.name}" is being embedded again with model "${row.model}": stop and discard that first.`, { param: 'model' });
      }
      if (row) this.#table.resume(collection.key, row.space, target);
      else this.#table.insert(collection, target);
    });
    this.#settled.delete(collection.key);
  }

  async next(collection: CollectionRow, { limit, after }: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]> {
    const { space, fingerprint, fromThumbnails } = this.#require(collection);
    const { through } = this.#settledOf(collection.key, space);
    const choice = this.#choice(collection, fingerprint, fromThumbnails);
    const rows: ItemRow[] = [];
    for (const modality of after?.modality === 'text' ? (['text'] as const) : modalities) {
      const from = after?.modality === modality ? after.key : through[modality];
      for await (const item of this.#waiting(collection.key, space, modality, from)) {
        rows.push(item);
        if (rows.length === limit) break;
      }
      if (rows.length > 0) break;
    }
    return this.#read(rows, choice);
  }

  put(collection: CollectionRow, fingerprint: string, outcomes: ReembeddedItem[]): void {
    const row = this.#require(collection, fingerprint);
    this.#items.transaction(() => {
      for (const outcome of outcomes) this.#table.put(collection.key, row.space, outcome);
    });
  }

  /** Whether every item has its outcome; `finish` then looks only at what was added since. */
  async settle(collection: CollectionRow): Promise<boolean> {
    const { space } = this.#require(collection);
    for (const modality of modalities) if (!(await this.#settle(collection.key, space, modality))) return false;
    return true;
  }

  /** The collection's row in its other space, or why it cannot go over. */
  finish(collection: CollectionRow): CollectionRow | 'pending' | 'impossible' {
    const { key } = collection;
    return this.#items.transaction(() => {
      const { space, model, fingerprint, dimension, impossible, skipImpossible } = this.#require(collection);
      const { through } = this.#settledOf(key, space);
      if (modalities.some((modality) => this.#table.hasBehind(key, modality, through[modality]))) return 'pending';
      if (impossible > 0 && !skipImpossible) return 'impossible';
      this.#table.markItems(key, space);
      this.#table.remove(key);
      return this.#collections.goOver(key, { number: space, model, fingerprint, dimension });
    });
  }

  stop(collection: CollectionRow, problem: string | undefined): void {
    this.#require(collection);
    this.#items.transaction(() => this.#table.stop(collection.key, problem));
  }

  /** Its embeddings go with the next sweep. */
  discard(collection: CollectionRow): void {
    this.#require(collection);
    this.#items.transaction(() => this.#table.remove(collection.key));
    this.#settled.delete(collection.key);
  }

  impossible(collection: CollectionRow, limit: number): ImpossibleItem[] {
    const row = this.#table.get(collection.key);
    return row ? this.#table.impossible(collection.key, row.space, limit) : this.#items.someUnembedded(collection.key, limit);
  }

  /** Moves embeddings to the rows of their items where the collection has gone over, and throws those away that nobody waits for. */
  async sweep(collections: () => Iterable<CollectionRow>, isClosing: () => boolean): Promise<void> {
    for (const left of this.#table.left()) {
      for (let more = true; more; ) {
        if (isClosing()) return;
        more = this.#items.transaction(() => {
          const current = [...collections()].find(({ key }) => key === left.collection);
          if (current?.space === left.space) return this.#table.settleSome(left.collection, left.space, batchRows);
          if (this.#table.get(left.collection)?.space === left.space) return false;
          return this.#table.discardSome(left.collection, left.space, batchRows);
        });
        await nextTurn();
      }
    }
  }

  /** Whether embeddings of the space that the collection is in still lie outside their items' rows. */
  isUnsettled({ key, space }: CollectionRow): boolean {
    return this.#table.left().some((left) => left.collection === key && left.space === space);
  }

  #require(collection: CollectionRow, fingerprint?: string): ReembeddingRow {
    const row = this.#table.get(collection.key);
    if (row && (fingerprint === undefined || row.fingerprint === fingerprint)) return row;
    throw new MixspaceError('conflict', `Collection "${collection.name}" is not being embedded again${fingerprint === undefined ? '' : ' into this space'}.`);
  }

  #choice(collection: CollectionRow, fingerprint: string, fromThumbnails: boolean): SourceChoice {
    const same = this.#table.spaces(collection).filter((space) => space.fingerprint === fingerprint);
    return { spaces: new Set(same.map(({ number }) => number)), fromThumbnails };
  }

  #settledOf(collection: number, space: number): { through: Record<Modality, number> } {
    let settled = this.#settled.get(collection);
    if (settled?.space !== space) {
      settled = { space, through: byModality(() => 0) };
      this.#settled.set(collection, settled);
    }
    return settled;
  }

  /** Items without an outcome, behind `from` in key order. */
  async *#waiting(collection: number, space: number, modality: Modality, from: number): AsyncGenerator<ItemRow> {
    let began = now();
    for (let after = from; ; ) {
      const page = this.#table.page(collection, space, modality, after, pageRows);
      for (const { key, waits } of page) {
        const item = waits ? this.#items.byKey(key) : undefined;
        if (item) yield item;
      }
      if (page.length < pageRows) return;
      after = page.at(-1)!.key;
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  /** Moves the mark up to the first item without an outcome; true when there is none. */
  async #settle(collection: number, space: number, modality: Modality): Promise<boolean> {
    const { through } = this.#settledOf(collection, space);
    for (;;) {
      const page = this.#table.page(collection, space, modality, through[modality], pageRows);
      for (const { key, waits } of page) {
        if (waits) return false;
        through[modality] = key;
      }
      if (page.length < pageRows) return true;
      await nextTurn();
    }
  }

  async #read(rows: ItemRow[], choice: SourceChoice): Promise<ReembeddingItem[]> {
    const items: ReembeddingItem[] = [];
    let bytes = 0;
    for (let from = 0; from < rows.length && bytes < batchBytes; from += readAtOnce) {
      const read = await Promise.all(
        rows.slice(from, from + readAtOnce).map(async (row) => ({ key: row.key, modality: row.modality, source: await this.#sources.read(row, choice) })),
      );
      for (const item of read) {
        if ('picture' in item.source) bytes += item.source.picture.byteLength;
        items.push(item);
      }
    }
    return items;
  }
}


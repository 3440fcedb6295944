import { byModality, modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { ImpossibleItem, ReembeddedItem, Reembedding, ReembeddingItem, ReembeddingPlan, ReembeddingTarget } from '../reembedding-catalog.js';
import type { SourceChoice, Sources } from '../pictures/sources.js';
import { planFrom, readFrom } from '../pictures/to-reembed.js';
import type { EmbeddingKey } from '../writing/tables.js';
import type { CollectionRow, CollectionTable, SpaceRow } from './collection-table.js';
import type { EmbeddingTable, Range } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { ReembeddingRow, ReembeddingTable } from './reembedding-table.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

const pageRows = 512;
/** Rows that one transaction throws away. */
const batchRows = 64;
/** The key of no space: in it, every item waits for its outcome. */
const noSpace = -1;

/** Collections on their way into another space, seen from the thread that owns the database. */
export class Reembeddings {
  readonly #table: ReembeddingTable;
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;
  readonly #collections: CollectionTable;
  readonly #sources: Sources<ItemRow>;
  /** By the collection's key: every item up to this key has its outcome. */
  readonly #settled = new Map<number, { space: number; through: Record<Modality, number> }>();
  /** Keys of spaces in which nothing is left to be thrown away, until their collection goes over once more. */
  readonly #swept = new Set<number>();

  constructor(parts: { table: ReembeddingTable; items: ItemTable; embeddings: EmbeddingTable; collections: CollectionTable; sources: Sources<ItemRow> }) {
    this.#table = parts.table;
    this.#items = parts.items;
    this.#embeddings = parts.embeddings;
    this.#collections = parts.collections;
    this.#sources = parts.sources;
  }

  describe({ key, space }: CollectionRow): { unembedded: number; parts: number; reembedding?: Reembedding } {
    const row = this.#table.get(key);
    const { unembedded, embeddings: parts } = this.#tally(space);
    if (!row) return { unembedded, parts };
    const { space: target, ...rest } = row;
    const { items: done, unembedded: impossible } = this.#tally(target);
    return { unembedded, parts, reembedding: { ...rest, done, impossible } };
  }

  async plan(collection: CollectionRow, { fingerprint, fromThumbnails }: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan> {
    const row = this.#table.get(collection.key);
    const started = row?.fingerprint === fingerprint ? row : undefined;
    const choice = this.#choice(collection, fingerprint, fromThumbnails);
    return planFrom(this.#toPlan(collection.key, started?.space), this.#sources, choice);
  }

  start(collection: CollectionRow, target: ReembeddingTarget): void {
    this.#items.transaction(() => {
      const row = this.#table.get(collection.key);
      if (row && row.fingerprint !== target.fingerprint) {
        throw new MixspaceError('conflict', `Collection "${collection.name}" is being embedded again with model "${row.model}": stop and discard that first.`, { param: 'model' });
      }
      if (row) {
        this.#embeddings.forgetUnembedded(row.space);
        this.#table.resume(collection.key, target);
      } else this.#table.insert(collection.key, this.#collections.insertSpace(collection.key, target, null), target);
    });
    this.#settled.delete(collection.key);
  }

  async next(collection: CollectionRow, { limit, after }: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]> {
    const { space, fingerprint, fromThumbnails } = this.#require(collection);
    const { through } = this.#settledOf(collection.key, space);
    const choice = this.#choice(collection, fingerprint, fromThumbnails);
    const rows: ItemRow[] = [];
    for (const modality of modalities.slice(after ? modalities.indexOf(after.modality) : 0)) {
      const from = after?.modality === modality ? after.key : through[modality];
      const passed = (key: number): void => {
        if (from <= through[modality]) through[modality] = Math.max(through[modality], key);
      };
      for await (const item of this.#waiting(collection.key, { space, modality, after: from }, passed)) {
        rows.push(item);
        if (rows.length === limit) break;
      }
      if (rows.length > 0) break;
    }
    return readFrom(rows, this.#sources, choice);
  }

  put(collection: CollectionRow, fingerprint: string, outcomes: ReembeddedItem[]): void {
    const { space } = this.#require(collection, fingerprint);
    this.#items.transaction(() => {
      for (const outcome of outcomes) {
        const item = this.#items.byKey(outcome.key);
        if (!item || this.#items.collectionOf(outcome.key) !== collection.key) continue;
        this.#embeddings.forget(item.key, space);
        if ('embedding' in outcome) this.#embeddings.insert(item.key, space, item.modality, [{ embedding: outcome.embedding, box: undefined }, ...(outcome.tiles ?? [])]);
        else this.#embeddings.setApart(item.key, space, item.modality, outcome.impossible);
      }
    });
  }

  /** The collection's row in its other space, or why it cannot go over. */
  finish(collection: CollectionRow): CollectionRow | 'pending' | 'impossible' {
    const { key } = collection;
    const row = this.#items.transaction(() => {
      const { space, skipImpossible } = this.#require(collection);
      const { items, unembedded: impossible } = this.#tally(space);
      const all = this.#collections.tallies(key).reduce((sum, tally) => sum + tally.items, 0);
      if (items + impossible < all) return 'pending';
      if (impossible > 0 && !skipImpossible) return 'impossible';
      this.#table.remove(key);
      return this.#collections.goOver(key, space);
    });
    if (typeof row !== 'string') for (const space of this.#collections.spaces(key)) this.#swept.delete(space.key);
    return row;
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

  impossible({ key, space }: CollectionRow, limit: number): ImpossibleItem[] {
    return this.#embeddings.unembedded(this.#table.get(key)?.space ?? space, limit);
  }

  /** Throws away what is left in spaces that their collections have gone from, or are not to go over to any more. */
  async sweep(collections: () => Iterable<CollectionRow>, isClosing: () => boolean): Promise<void> {
    for (const { key } of [...collections()]) {
      for (const { key: space } of this.#collections.spaces(key)) {
        let from: EmbeddingKey | undefined = { modality: modalities[0], key: 0 };
        for (let left; from && (left = this.#left(collections(), key, space)); await nextTurn()) {
          if (isClosing()) return;
          from = this.#sweepSome(left, from);
        }
      }
    }
  }

  /** The space, where something may be left in it that nobody waits for. */
  #left(collections: Iterable<CollectionRow>, collection: number, space: number): SpaceRow | undefined {
    const current = [...collections].find(({ key }) => key === collection);
    if (!current || current.space === space || this.#table.get(collection)?.space === space || this.#swept.has(space)) return undefined;
    return this.#collections.spaces(collection).find(({ key }) => key === space);
  }

  /** Where to go on; `undefined` at the end. */
  #sweepSome({ key, since }: SpaceRow, from: EmbeddingKey): EmbeddingKey | undefined {
    const next = this.#items.transaction(() => {
      if (this.#embeddings.sweepSomeUnembedded(key, batchRows)) return from;
      const last = this.#embeddings.sweepSome(since, { space: key, modality: from.modality, after: from.key, limit: batchRows });
      if (last !== undefined) return { ...from, key: last };
      const modality = modalities[modalities.indexOf(from.modality) + 1];
      if (modality) return { modality, key: 0 };
      if (this.#embeddings.isEmpty(key)) this.#collections.removeSpace(key);
      return undefined;
    });
    if (!next) this.#swept.add(key);
    return next;
  }

  /** In no space, all are waiting; what was tried in vain is tried again by the next start. */
  async *#toPlan(collection: number, space: number | undefined): AsyncGenerator<ItemRow> {
    for (const modality of modalities) yield* this.#waiting(collection, { space: space ?? noSpace, modality, after: 0 });
    for (const key of space === undefined ? [] : this.#embeddings.unembeddedKeys(space)) {
      const item = this.#items.byKey(key);
      if (item) yield item;
    }
  }

  #require(collection: CollectionRow, fingerprint?: string): ReembeddingRow {
    const row = this.#table.get(collection.key);
    if (row && (fingerprint === undefined || row.fingerprint === fingerprint)) return row;
    throw new MixspaceError('conflict', `Collection "${collection.name}" is not being embedded again${fingerprint === undefined ? '' : ' into this space'}.`);
  }

  /** Of all modalities. */
  #tally(space: number): { items: number; embeddings: number; unembedded: number } {
    const all = { items: 0, embeddings: 0, unembedded: 0 };
    for (const { items, embeddings, unembedded } of this.#embeddings.tallies(space)) {
      all.items += items;
      all.embeddings += embeddings;
      all.unembedded += unembedded;
    }
    return all;
  }

  #choice({ key }: CollectionRow, fingerprint: string, fromThumbnails: boolean): SourceChoice {
    const same = this.#collections.spaces(key).filter((space) => space.since !== null && space.fingerprint === fingerprint);
    return { spaces: new Set(same.map((space) => space.key)), fromThumbnails };
  }

  #settledOf(collection: number, space: number): { through: Record<Modality, number> } {
    let settled = this.#settled.get(collection);
    if (settled?.space !== space) {
      settled = { space, through: byModality(() => 0) };
      this.#settled.set(collection, settled);
    }
    return settled;
  }

  /** Items without an outcome, by their keys. `passed` is told of those before the first of them. */
  async *#waiting(collection: number, range: Omit<Range, 'limit'>, passed: (key: number) => void = () => undefined): AsyncGenerator<ItemRow> {
    let began = now();
    let isFirst = true;
    for (let { after } = range; ; ) {
      const page = this.#embeddings.outcomes(collection, { ...range, after, limit: pageRows });
      for (const { key, waits } of page) {
        if (waits) isFirst = false;
        else if (isFirst) passed(key);
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
}


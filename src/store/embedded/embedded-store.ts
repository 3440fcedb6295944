import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { MixspaceError } from '../../errors.js';
import type { Filter } from '../../contract/filter.js';
import type {
  Collection,
  ImpossibleItem,
  Item,
  ItemWrite,
  Metadata,
  Modality,
  NewCollection,
  Picture,
  Presence,
  ReembeddedItem,
  ReembeddingItem,
  ReembeddingPlan,
  ReembeddingTarget,
  SearchAnswer,
  SearchRequest,
  Store,
  WriteStatus,
} from '../store.js';
import { CollectionTable, type CollectionRow } from './collection-table.js';
import { openDatabase, type Database } from './database.js';
import { compileFilter } from './filter.js';
import { ItemTable, toItem, type ItemRow } from './item-table.js';
import { ModalityIndex } from './modality-index.js';
import { Originals } from './originals.js';
import { ReembeddingTable } from './reembedding-table.js';
import { Reembeddings } from './reembeddings.js';
import { search } from './search.js';
import type { EmbeddedStoreSettings, Log } from './settings.js';
import { Snapshots, stem } from './snapshots.js';
import { Sources } from './sources.js';
import { Tender } from './tender.js';
import { nextTurn, now, sliceMs } from './turn.js';
import { VectorMemory } from './vectors.js';
import { noChanges, writeItem, type Changes } from './writer.js';

const pageRows = 512;
/** Items of a deleted collection that go in one transaction. */
const sweepRows = 128;
const modalities: readonly Modality[] = ['image', 'text'];

interface OpenCollection {
  row: CollectionRow;
  indexes: Record<Modality, ModalityIndex>;
}

/** The store itself, in the thread that owns the database and the graphs. */
export class EmbeddedStore implements Store {
  readonly #settings: EmbeddedStoreSettings;
  readonly #log: Log;
  readonly #database: Database;
  readonly #collectionTable: CollectionTable;
  readonly #items: ItemTable;
  readonly #originals: Originals;
  readonly #sources: Sources;
  readonly #reembeddings: Reembeddings;
  readonly #snapshots: Snapshots;
  readonly #memory: VectorMemory;
  readonly #tender: Tender;
  readonly #collections = new Map<string, OpenCollection>();
  #closing = false;
  #sweeping: Promise<void> = Promise.resolve();

  /** Graphs are loaded or built afterwards, in the background; errors as `openDatabase`. */
  constructor(options: { directory: string; migrationsDirectory: string; settings: EmbeddedStoreSettings; log: Log }) {
    const { directory, migrationsDirectory, settings, log } = options;
    this.#settings = settings;
    this.#log = log;
    this.#database = openDatabase(directory, migrationsDirectory, settings.maxDatabaseBytes);
    this.#collectionTable = new CollectionTable(this.#database);
    this.#items = new ItemTable(this.#database);
    this.#originals = new Originals(join(directory, 'originals'), (hash) => this.#items.namesOriginal(hash));
    this.#sources = new Sources(this.#items, this.#originals);
    this.#reembeddings = new Reembeddings({ table: new ReembeddingTable(this.#database), items: this.#items, collections: this.#collectionTable, sources: this.#sources });
    this.#snapshots = new Snapshots(join(directory, 'snapshots'), log);
    this.#memory = new VectorMemory(settings.vectorCacheBytes);
    for (const row of this.#collectionTable.all()) this.#collections.set(row.name, this.#open(row, false));
    this.#tender = new Tender(() => this.#allIndexes(), log);
    const stems = new Set([...this.#allIndexes()].map((index) => stem(index.owner)));
    this.#snapshots.sweep((name) => stems.has(name));
    this.#sweepInBackground(() => this.#originals.sweep());
    this.#tender.start();
  }

  createCollection(collection: NewCollection): Promise<Collection> {
    const row = this.#collectionTable.insert(collection);
    const opened = this.#open(row, true);
    this.#collections.set(row.name, opened);
    return Promise.resolve(this.#describe(opened));
  }

  listCollections(): Promise<Collection[]> {
    return Promise.resolve([...this.#collections.values()].map((each) => this.#describe(each)).sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async getCollection(name: string): Promise<Collection> {
    return this.#describe(this.#find(name));
  }

  async deleteCollection(name: string): Promise<void> {
    const { row, indexes } = this.#find(name);
    this.#collectionTable.unname(row.key);
    this.#collections.delete(name);
    for (const index of Object.values(indexes)) index.retire();
    this.#sweepInBackground();
  }

  async write(name: string, writes: ItemWrite[], fingerprint?: string): Promise<WriteStatus[]> {
    this.#find(name, fingerprint);
    const originals = new Map<string, Uint8Array>();
    for (const { content } of writes) if (content?.original) originals.set(content.contentHash, content.original);
    const { statuses, changes } = await this.#originals.during(originals, () =>
      this.#change(name, ({ row }, changes) => {
        this.#find(name, fingerprint);
        return { statuses: writes.map((write) => writeItem(this.#items, row, write, changes)), changes };
      }),
    );
    await this.#releaseOriginals(changes);
    return statuses;
  }

  async present(name: string, ids: string[]): Promise<Presence[]> {
    const { row } = this.#find(name);
    return ids.flatMap((id) => {
      const item = this.#items.byId(row.key, id);
      return item ? [{ id, contentHash: item.content_hash, modality: item.modality, embedded: item.unembedded === null }] : [];
    });
  }

  async getItem(name: string, id: string): Promise<Item> {
    return toItem(this.#row(name, id));
  }

  async getEmbedding(name: string, id: string): Promise<Float32Array> {
    const { key, unembedded } = this.#row(name, id);
    if (unembedded !== null) throw new MixspaceError('conflict', `The item "${id}" has no embedding of the space that the collection "${name}" is in. ${unembedded}`);
    return this.#items.embedding(key, this.#find(name).row.space)!.embedding;
  }

  async listItems(name: string, request: { filter?: Filter; limit: number; after?: string }): Promise<{ items: Item[]; more: boolean }> {
    const { row } = this.#find(name);
    const { filter, limit } = request;
    const matches = filter ? compileFilter(filter) : () => true;
    const items: Item[] = [];
    let began = now();
    for (let after = request.after ?? ''; ; ) {
      const page = this.#items.page(row.key, after, filter ? pageRows : Math.min(pageRows, limit + 1));
      for (const item of page.map(toItem)) {
        if (!matches(item.metadata)) continue;
        if (items.length === limit) return { items, more: true };
        items.push(item);
      }
      if (page.length === 0) return { items, more: false };
      after = page.at(-1)!.id;
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  async setMetadata(name: string, id: string, metadata: Metadata): Promise<Item> {
    this.#row(name, id);
    this.#change(name, ({ row }, changes) => writeItem(this.#items, row, { id, metadata }, changes));
    return toItem(this.#row(name, id));
  }

  async deleteItem(name: string, id: string): Promise<void> {
    const item = this.#row(name, id);
    const changes = this.#removing(name, [item.key]);
    await this.#releaseOriginals(changes);
  }

  async deleteItems(name: string, filter?: Filter): Promise<number> {
    const { row, indexes } = this.#find(name);
    const keys: number[] = [];
    for (const modality of modalities) {
      for (const key of filter ? await indexes[modality].filterKeys.of(filter) : this.#items.keys(row.key, modality)) keys.push(key);
    }
    const changes = this.#removing(name, keys);
    await this.#releaseOriginals(changes);
    return changes.removed.length;
  }

  async getPicture(name: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture> {
    const item = this.#row(name, id);
    if (item.modality !== 'image') throw new MixspaceError('not_found', `The item "${id}" is a text.`);
    if (size === 'thumbnail') {
      const bytes = this.#items.thumbnail(item.key);
      if (!bytes) throw new MixspaceError('not_found', `The item "${id}" came without a picture.`);
      return { bytes, mediaType: 'image/webp' };
    }
    return { bytes: await this.#sources.original(item), mediaType: item.media_type ?? 'application/octet-stream' };
  }

  async search(name: string, request: SearchRequest): Promise<SearchAnswer> {
    const { fingerprint } = this.#find(name, request.fingerprint).row;
    for (;;) {
      // While it is searched it may go over to another space, and what was compared be of either.
      const opened = this.#find(name, fingerprint);
      const indexes = request.modality ? [opened.indexes[request.modality]] : Object.values(opened.indexes);
      const answer = await search(this.#items, indexes, request);
      if (this.#find(name, fingerprint) === opened) return answer;
    }
  }

  async planReembedding(name: string, target: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan> {
    return this.#reembeddings.plan(this.#find(name).row, target);
  }

  async startReembedding(name: string, target: ReembeddingTarget): Promise<void> {
    await this.#sweeping;
    const { row } = this.#find(name);
    if (this.#reembeddings.isUnsettled(row)) throw new MixspaceError('disk_full', `What was left to do when collection "${name}" went over to its space could not be done yet; the log says why.`);
    this.#reembeddings.start(row, target);
  }

  async nextToReembed(name: string, request: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]> {
    return this.#reembeddings.next(this.#find(name).row, request);
  }

  async putReembedded(name: string, fingerprint: string, items: ReembeddedItem[]): Promise<void> {
    this.#reembeddings.put(this.#find(name).row, fingerprint, items);
  }

  async finishReembedding(name: string): Promise<'done' | 'pending' | 'impossible'> {
    if (!(await this.#reembeddings.settle(this.#find(name).row))) return 'pending';
    const { row, indexes } = this.#find(name);
    const gone = this.#reembeddings.finish(row);
    if (typeof gone === 'string') return gone;
    for (const index of Object.values(indexes)) index.retire();
    this.#collections.set(name, this.#open(gone, true));
    this.#tender.wake();
    this.#sweepInBackground();
    return 'done';
  }

  async stopReembedding(name: string, problem?: string): Promise<void> {
    this.#reembeddings.stop(this.#find(name).row, problem);
  }

  async discardReembedding(name: string): Promise<void> {
    this.#reembeddings.discard(this.#find(name).row);
    this.#sweepInBackground();
  }

  async listImpossible(name: string, limit: number): Promise<ImpossibleItem[]> {
    return this.#reembeddings.impossible(this.#find(name).row, limit);
  }

  async check(): Promise<void> {
    for (const { row } of this.#collections.values()) {
      const [item] = this.#items.someOf(row.key, 1);
      if (item) this.#items.embedding(item.key, row.space);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    const deadline = now() + this.#settings.closeWithinMs;
    await Promise.race([
      Promise.all([this.#saveAll(deadline), this.#sweeping]),
      setTimeout(this.#settings.closeWithinMs, undefined, { ref: false }),
    ]);
    this.#database.close();
  }

  async #saveAll(deadline: number): Promise<void> {
    await this.#tender.stop();
    for (const index of this.#allIndexes()) {
      if (now() > deadline) return;
      try {
        await index.save();
      } catch (error) {
        this.#log('warn', 'A graph could not be saved; it is carried on from its last snapshot at the next start.', {
          collection: index.owner.name,
          reason: String(error),
        });
      }
    }
  }

  *#allIndexes(): Iterable<ModalityIndex> {
    for (const { indexes } of this.#collections.values()) yield* Object.values(indexes);
  }

  /** `fingerprint`: of the space that it must be in. */
  #find(name: string, fingerprint?: string): OpenCollection {
    const found = this.#collections.get(name);
    if (!found) throw new MixspaceError('not_found', `There is no collection "${name}".`);
    if (fingerprint === undefined || fingerprint === found.row.fingerprint) return found;
    throw new MixspaceError('conflict', `Collection "${name}" is in space ${found.row.fingerprint} of model "${found.row.model}", and the embedding in ${fingerprint}: they cannot be compared.`);
  }

  #row(name: string, id: string): ItemRow {
    const item = this.#items.byId(this.#find(name).row.key, id);
    if (!item) throw new MixspaceError('not_found', `There is no item "${id}" in the collection "${name}".`);
    return item;
  }

  /** `isNew`: nothing of its space can have been saved. */
  #open(row: CollectionRow, isNew: boolean): OpenCollection {
    const open = (modality: Modality): ModalityIndex =>
      new ModalityIndex(
        { collection: row.key, name: row.name, modality, fingerprint: row.fingerprint, dimension: row.dimension, space: row.space, since: row.since },
        {
          items: this.#items,
          snapshots: this.#snapshots,
          memory: this.#memory,
          settings: this.#settings,
          seq: () => this.#collectionTable.seq(row.key),
          count: () => (this.#collectionTable.tallies(row.key).find((tally) => tally.modality === modality)?.items ?? 0) - this.#items.unembedded(row.key, modality),
        },
        isNew,
      );
    return { row, indexes: { image: open('image'), text: open('text') } };
  }

  #describe({ row, indexes }: OpenCollection): Collection {
    const { key, space: _space, since: _since, ...rest } = row;
    const counts = { image: 0, text: 0 };
    let bytes = 0;
    for (const tally of this.#collectionTable.tallies(key)) {
      counts[tally.modality] = tally.items;
      bytes += tally.bytes;
    }
    const states = Object.values(indexes).map((index) => index.state);
    const state = states.includes('building') ? 'building' : states.includes('ready') ? 'ready' : 'none';
    const indexed = Object.values(indexes).reduce((sum, { graph }) => sum + (graph?.alive ?? 0), 0);
    return { ...rest, counts, bytes, graph: { state, indexed }, ...this.#reembeddings.describe(row) };
  }

  /** One transaction; what follows the database is told when it is on disk. Originals are the caller's to release. */
  #change<T>(name: string, work: (collection: OpenCollection, changes: Changes) => T): T {
    const collection = this.#find(name);
    const changes = noChanges();
    const result = this.#items.transaction(() => {
      const outcome = work(collection, changes);
      this.#collectionTable.advance(collection.row.key);
      return outcome;
    });
    for (const { key, modality } of changes.added) collection.indexes[modality].added(key);
    for (const { key, modality, unembedded } of changes.removed) if (unembedded === null) collection.indexes[modality].removed(key);
    for (const modality of changes.remarked) collection.indexes[modality].filterKeys.forget();
    if (changes.added.length + changes.removed.length > 0) this.#tender.wake();
    return result;
  }

  #removing(name: string, keys: number[]): Changes {
    return this.#change(name, (_, changes) => {
      for (const key of keys) {
        const item = this.#items.byKey(key);
        if (!item) continue;
        this.#items.remove(key);
        changes.removed.push(item);
      }
      return changes;
    });
  }

  async #releaseOriginals({ removed }: Changes): Promise<void> {
    await this.#originals.release(removed.filter((item) => item.original_bytes !== null).map((item) => item.content_hash));
  }

  /** After `first`, what is left of deleted collections goes. */
  #sweepInBackground(first = async (): Promise<void> => {}): void {
    this.#sweeping = this.#sweeping
      .then(first)
      .then(() => this.#sweepDeletedCollections())
      .then(() => this.#reembeddings.sweep(() => [...this.#collections.values()].map(({ row }) => row), () => this.#closing))
      .catch((error: unknown) => {
        if (!this.#closing) this.#log('warn', 'What was deleted, or has gone over to another space, could not be put in order; the next start tries again.', { reason: String(error) });
      });
  }

  async #sweepDeletedCollections(): Promise<void> {
    for (const collection of this.#collectionTable.nameless()) {
      for (;;) {
        if (this.#closing) return;
        const removed = this.#items.someOf(collection, sweepRows);
        this.#items.transaction(() => {
          for (const { key } of removed) this.#items.remove(key);
          if (removed.length === 0) this.#collectionTable.remove(collection);
        });
        if (removed.length === 0) break;
        await this.#originals.release(removed.filter((item) => item.original_bytes !== null).map((item) => item.content_hash));
        await nextTurn();
      }
      for (const modality of modalities) await this.#snapshots.remove(collection, modality);
    }
  }
}

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Filter } from '../../domain/filter.js';
import type { Metadata } from '../../domain/metadata.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Tiles } from '../../domain/tiles.js';
import type { Log } from '../../telemetry.js';
import type { Collection, CollectionDescription, Item, ItemEmbeddings, ItemWrite, NewCollection, Picture, Presence, WriteStatus } from '../catalog.js';
import type { ImpossibleItem, ReembeddedItem, ReembeddingItem, ReembeddingPlan, ReembeddingTarget } from '../reembedding-catalog.js';
import { Originals } from '../pictures/originals.js';
import { Sources } from '../pictures/sources.js';
import { ColumnMemory } from './columns/column-memory.js';
import { Backups } from './backups.js';
import { CollectionTable, identityOf } from './collection-table.js';
import { Collections, describe, type OpenCollection } from './open-collections.js';
import { Commits, cursorKeyOf } from './commits.js';
import { Damage, damagedEmbedding } from './damage.js';
import { databaseName, databaseProblem, openDatabase, type Database } from './database.js';
import { EmbeddingTable } from './embedding-table.js';
import { Listing } from './listing.js';
import { compileFilter } from './filter.js';
import { ClassifierTable } from './classifier-table.js';
import { CellTable } from './cell-table.js';
import { EmbeddedIndex } from './embedded-index.js';
import { Housekeeping } from './housekeeping.js';
import { inspect } from './directory-check.js';
import { FullText } from './full-text/full-text.js';
import { isDamagedFullText, WordTable } from './full-text/word-table.js';
import { fieldsOf, ItemTable, type ItemRow } from './item-table.js';
import { JobTable } from './job-table.js';
import { migrate, readMigrations } from './migrations.js';
import type { StoreCalls } from './protocol.js';
import { ReembeddingTable } from './reembedding-table.js';
import { Reembeddings } from './reembeddings.js';
import { Restores } from './restores.js';
import { ResultTable } from './result-table.js';
import type { EmbeddedStoreSettings } from './settings.js';
import { sizeOf, Tilings } from './tilings.js';
import { nextTurn, now, sliceMs } from './time-slices.js';
import { VectorMemory } from './vectors/vector-memory.js';
import { addFields, isWhole, noChanges, removeItem, writeItem, type Changes } from './writer.js';

/** The store itself, in the thread that owns the database and what follows it. */
export class EmbeddedStore implements StoreCalls {
  readonly #settings: EmbeddedStoreSettings;
  readonly #log: Log;
  readonly #file: string;
  readonly #database: Database;
  readonly #commits: Commits;
  readonly #collectionTable: CollectionTable;
  readonly #items: ItemTable;
  readonly #embeddings: EmbeddingTable;
  /** Both. */
  readonly #tables: { items: ItemTable; embeddings: EmbeddingTable };
  readonly #listing: Listing;
  readonly #originals: Originals;
  readonly #backups: Backups;
  readonly #restores: Restores;
  readonly #sources: Sources<ItemRow>;
  readonly #reembeddings: Reembeddings;
  readonly #tilings: Tilings;
  readonly #fullText: FullText;
  readonly #columnMemory: ColumnMemory;
  readonly #index: EmbeddedIndex;
  readonly #housekeeping: Housekeeping;
  readonly #collections: Collections;
  readonly #jobs: JobTable;
  readonly #results: ResultTable;
  readonly #classifiers: ClassifierTable;
  /** Keys of items whose embedding is damaged or lost, since they were found. */
  readonly #damaged = new Set<number>();
  /** What SQLite said of its file. */
  #problem: MixspaceError | undefined;

  /** What makes searches quick comes afterwards, in the background; errors as `inspect` and `openDatabase`. */
  constructor(options: { directory: string; migrationsDirectory: string; settings: EmbeddedStoreSettings; log: Log }) {
    const { directory, migrationsDirectory, settings, log } = options;
    this.#settings = settings;
    this.#log = log;
    this.#file = join(directory, databaseName);
    const migrations = readMigrations(migrationsDirectory);
    const { isTrusted, damagedWords } = inspect(directory, migrations, settings.checkedBytes);
    this.#database = openDatabase(directory, (database) => migrate(database, migrations, { carriedAtOnce: settings.carriedAtOnce, log }), settings.maxDatabaseBytes);
    const damage = new Damage(log);
    damage.onEmbedding = (key) => this.#setApart(key);
    this.#commits = new Commits(this.#database, directory, (error) => damage.tell('The mark beside the database cannot be written; a lost database might not be noticed.', { reason: String(error) }));
    this.#collectionTable = new CollectionTable(this.#database);
    this.#jobs = new JobTable(this.#database, this.#commits);
    this.#results = new ResultTable(this.#database, this.#commits, damage);
    this.#classifiers = new ClassifierTable(this.#database, this.#commits);
    const words = new WordTable(this.#database);
    this.#items = new ItemTable(this.#database, this.#commits, damage, words);
    this.#embeddings = new EmbeddingTable(this.#database, damage);
    this.#tables = { items: this.#items, embeddings: this.#embeddings };
    this.#listing = new Listing(this.#items);
    if (this.#embeddings.isMiscounted()) {
      this.#items.transaction(() => this.#embeddings.recount());
      damage.tell('The database did not hold as many embeddings as it counted; they were counted anew.', {});
    }
    this.#originals = new Originals(join(directory, 'originals'), (hash) => this.#items.namesOriginal(hash));
    this.#backups = new Backups(this.#database, directory, this.#originals);
    this.#sources = new Sources({
      rows: { thumbnail: (item) => this.#items.thumbnail(item), latest: (key) => this.#embeddings.latest(key) },
      originals: this.#originals,
      where: databaseName,
      tell: (what, fields) => damage.tell(what, fields),
    });
    this.#reembeddings = new Reembeddings({ table: new ReembeddingTable(this.#database), items: this.#items, embeddings: this.#embeddings, collections: this.#collectionTable, sources: this.#sources });
    this.#tilings = new Tilings({ ...this.#tables, sources: this.#sources });
    this.#columnMemory = new ColumnMemory(settings.columnBytes);
    this.#collections = new Collections({
      embeddings: this.#embeddings,
      cells: new CellTable(this.#database, this.#commits),
      memory: new VectorMemory(settings.vectorCacheBytes),
      items: this.#items,
      columnMemory: this.#columnMemory,
      log,
      settings,
    });
    for (const row of this.#collectionTable.all()) this.#collections.open(row);
    this.#fullText = new FullText(this.#database, words, this.#commits, { log, isDamaged: damagedWords !== undefined });
    this.#index = new EmbeddedIndex(this.#collections, { ...this.#tables, fullText: this.#fullText }, log);
    // Of older versions.
    rmSync(join(directory, 'snapshots'), { force: true, recursive: true });
    this.#restores = new Restores({ ...this.#tables, results: this.#results, classifiers: this.#classifiers, table: this.#collectionTable, collections: this.#collections, originals: this.#originals, directory, log });
    this.#housekeeping = new Housekeeping({
      items: this.#items,
      embeddings: this.#embeddings,
      damage,
      collectionTable: this.#collectionTable,
      originals: this.#originals,
      reembeddings: this.#reembeddings,
      restores: this.#restores,
      collections: () => this.#collections.rows(),
      log,
    });
    this.#housekeeping.begin(isTrusted);
    this.#index.start();
    this.#fullText.wake();
  }

  createCollection(collection: NewCollection): Promise<CollectionDescription> {
    const row = this.#items.transaction(() => this.#collectionTable.insert(collection));
    return Promise.resolve(this.#describe(this.#collections.open(row)));
  }

  listCollections(): Promise<CollectionDescription[]> {
    return Promise.resolve([...this.#collections.all()].map((each) => this.#describe(each)).sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async getCollection(name: string): Promise<Collection> {
    return identityOf(this.#collections.find(name).row);
  }

  async describeCollection(name: string): Promise<CollectionDescription> {
    return this.#describe(this.#collections.find(name));
  }

  async setTextFields(name: string, fields: string[]): Promise<CollectionDescription> {
    const opened = this.#collections.find(name);
    opened.row = this.#items.transaction(() => {
      this.#fullText.readAgain(opened.row.key);
      return this.#collectionTable.setTextFields(opened.row.key, fields);
    });
    this.#fullText.wake();
    return this.#describe(opened);
  }

  async setTiles(name: string, tiles: Tiles): Promise<CollectionDescription> {
    const opened = this.#collections.find(name);
    if (opened.row.tiles !== tiles) opened.row = this.#items.transaction(() => this.#collectionTable.setTiles(opened.row.key, tiles));
    return this.#describe(opened);
  }

  listTiled: StoreCalls['listTiled'] = (name, request) => this.#tilings.list(this.#collections.find(name).row, request);
  readTileSources: StoreCalls['readTileSources'] = (name, keys) => this.#tilings.read(this.#collections.find(name).row, keys);
  putTiles: StoreCalls['putTiles'] = async (name, made, items) => ({ bytes: this.#change(name, ({ row }, changes) => this.#tilings.put(row, made, items, changes)) });

  async deleteCollection(name: string): Promise<void> {
    const opened = this.#collections.find(name);
    this.#items.transaction(() => this.#collectionTable.unname(opened.row.key));
    this.#collections.delete(name);
    this.#retire(opened);
  }

  async write(name: string, writes: ItemWrite[], fingerprint?: string, tiles?: Tiles): Promise<WriteStatus[]> {
    this.#collections.find(name, fingerprint);
    const originals = new Map<string, Uint8Array>();
    for (const { content } of writes) if (content?.original) originals.set(content.contentHash, content.original);
    const { statuses, changes } = await this.#originals.during(originals, () =>
      this.#change(name, ({ row }, changes) => {
        this.#collections.find(name, fingerprint);
        if (tiles !== undefined && tiles !== row.tiles) throw new MixspaceError('conflict', `Collection "${name}" wants its pictures cut otherwise by now: ${row.tiles}, not ${tiles}.`);
        return { statuses: writes.map((write) => writeItem(this.#tables, row, write, changes)), changes };
      }),
    );
    await this.#releaseOriginals(changes);
    return statuses;
  }

  async present(name: string, ids: string[], check?: 'whole'): Promise<Presence[]> {
    const { row } = this.#collections.find(name);
    const found: Presence[] = [];
    let began = now();
    for (const id of ids) {
      const item = this.#items.byId(row.key, id);
      if (!item) continue;
      const embedded = item.unembedded === null && (check === undefined || (isWhole(this.#tables, row, item) && (item.original_bytes === null || (await this.#originals.isWhole(item.content_hash)))));
      found.push({ id, contentHash: item.content_hash, modality: item.modality, embedded, ...sizeOf(item), boxes: row.tiles === 'none' && !this.#hasTiles(name) ? [] : this.#embeddings.boxesOf(item.key, row.space) });
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
    return found;
  }

  async getItem(name: string, id: string): Promise<Item> {
    return this.#items.toItem(this.#row(name, id));
  }

  async getEmbedding(name: string, id: string): Promise<Float32Array> {
    const { key, unembedded } = this.#row(name, id);
    if (unembedded !== null) throw new MixspaceError('conflict', `The item "${id}" has no embedding of the space that the collection "${name}" is in. ${unembedded}`);
    const [first] = this.#embeddings.ofItem(key, this.#collections.find(name).row.space) ?? [];
    if (!first) throw new MixspaceError('conflict', `The item "${id}" has no embedding. ${damagedEmbedding}`);
    return first.embedding;
  }

  async getEmbeddings(name: string, ids: string[]): Promise<ItemEmbeddings> {
    const { key, space, fingerprint } = this.#collections.find(name).row;
    const items: ItemEmbeddings['items'] = [];
    let began = now();
    for (const id of ids) {
      const row = this.#items.byId(key, id);
      const parts = row?.unembedded === null ? this.#embeddings.ofItem(row.key, space) : undefined;
      if (row && parts) items.push({ id, modality: row.modality, contentHash: row.content_hash, parts: parts.map(({ embedding }) => embedding.slice()), boxes: parts.map(({ box }) => box) });
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return { fingerprint, items };
  }

  listItems: StoreCalls['listItems'] = (name, request) => this.#listing.page(this.#collections.find(name), request);
  countValues: StoreCalls['countValues'] = (name, request) => this.#listing.countValues(this.#collections.find(name), request);

  async setMetadata(name: string, id: string, metadata: Metadata): Promise<Item> {
    this.#row(name, id);
    this.#change(name, ({ row }, changes) => writeItem(this.#tables, row, { id, metadata }, changes));
    return this.#items.toItem(this.#row(name, id));
  }

  addMetadata: StoreCalls['addMetadata'] = async (name, additions, mostBytes) => this.#change(name, ({ row }, changes) => additions.map((each) => addFields(this.#tables, row, { ...each, mostBytes }, changes)));

  async deleteItem(name: string, id: string): Promise<void> {
    const item = this.#row(name, id);
    const changes = this.#removing(name, [item.key]);
    await this.#releaseOriginals(changes);
  }

  async deleteItems(name: string, filter?: Filter): Promise<number> {
    const opened = this.#collections.find(name);
    const keys = filter ? await this.#listing.matching(opened, filter) : modalities.flatMap((modality) => this.#items.keys(opened.row.key, modality));
    const changes = this.#removing(name, keys, filter);
    await this.#releaseOriginals(changes);
    return changes.removed.length;
  }

  async getPicture(name: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture> {
    const item = this.#row(name, id);
    this.#items.toItem(item);
    return this.#sources.picture(item, size);
  }

  sample: StoreCalls['sample'] = async (name, modality, most) => this.#collections.find(name).indexes[modality].sample(most).map((each) => each.slice());
  nearest: StoreCalls['nearest'] = (name, request) => this.#index.nearest(name, request);

  countWords: StoreCalls['countWords'] = (name, phrases, most) => this.#index.countWords(name, phrases, most);
  withWords: StoreCalls['withWords'] = (name, request) => this.#index.withWords(name, request);
  foldersNamed: StoreCalls['foldersNamed'] = (name, folder, most) => this.#index.foldersNamed(name, folder, most);

  async cursorKey(): Promise<Uint8Array> {
    return cursorKeyOf(this.#database);
  }

  async planReembedding(name: string, target: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan> {
    return this.#reembeddings.plan(this.#collections.find(name).row, target);
  }

  async startReembedding(name: string, target: ReembeddingTarget): Promise<void> {
    await this.#housekeeping.running;
    this.#reembeddings.start(this.#collections.find(name).row, target);
  }

  async nextToReembed(name: string, request: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]> {
    return this.#reembeddings.next(this.#collections.find(name).row, request);
  }

  async putReembedded(name: string, fingerprint: string, items: ReembeddedItem[]): Promise<void> {
    this.#reembeddings.put(this.#collections.find(name).row, fingerprint, items);
  }

  async finishReembedding(name: string): Promise<'done' | 'pending' | 'impossible'> {
    const opened = this.#collections.find(name);
    const gone = this.#reembeddings.finish(opened.row);
    if (typeof gone === 'string') return gone;
    this.#collections.open(gone);
    this.#index.retire(opened);
    this.#housekeeping.wake();
    return 'done';
  }

  async stopReembedding(name: string, problem?: string): Promise<void> {
    this.#reembeddings.stop(this.#collections.find(name).row, problem);
  }

  async discardReembedding(name: string): Promise<void> {
    this.#reembeddings.discard(this.#collections.find(name).row);
    this.#housekeeping.wake();
  }

  async listImpossible(name: string, limit: number): Promise<ImpossibleItem[]> {
    return this.#reembeddings.impossible(this.#collections.find(name).row, limit);
  }

  beginBackup: StoreCalls['beginBackup'] = () => this.#backups.begin();
  backupOriginals: StoreCalls['backupOriginals'] = async (after, limit) => this.#backups.originals(after, limit);
  endBackup: StoreCalls['endBackup'] = () => this.#backups.end();

  beginRestore: StoreCalls['beginRestore'] = async (choice) => this.#restores.begin(choice);
  restoreSome: StoreCalls['restoreSome'] = () => this.#restores.some();
  restoreOriginals: StoreCalls['restoreOriginals'] = (missing) => this.#restores.originals(missing);
  publishRestore: StoreCalls['publishRestore'] = async (overEmpty) => {
    const { gone, classifiers } = this.#restores.publish(overEmpty);
    gone.forEach((each) => this.#retire(each));
    return classifiers;
  };
  endRestore: StoreCalls['endRestore'] = async () => {
    await this.#restores.end();
    this.#housekeeping.wake();
  };

  putJob: StoreCalls['putJob'] = async (job, changes) => this.#jobs.put(job, changes);
  getJob: StoreCalls['getJob'] = async (id) => this.#jobs.get(id);
  listJobs: StoreCalls['listJobs'] = async (query) => this.#jobs.list(query);
  listJobFailures: StoreCalls['listJobFailures'] = async (id, request) => this.#jobs.failures(id, request);
  pruneJobs: StoreCalls['pruneJobs'] = async (keep) => this.#jobs.prune(keep);

  putResultEntries: StoreCalls['putResultEntries'] = async (name, result, list, entries) => this.#results.put(this.#collections.find(name).row.key, result, list, entries);
  listResultEntries: StoreCalls['listResultEntries'] = async (name, job, list, request) => this.#results.list(this.#collections.find(name).row.key, job, list, request);
  publishResult: StoreCalls['publishResult'] = async (name, result, drop = []) => this.#results.publish(this.#collections.find(name).row.key, result, drop);
  getResult: StoreCalls['getResult'] = async (name, kind) => this.#results.get(this.#collections.find(name).row.key, kind);
  discardResult: StoreCalls['discardResult'] = async (name, job) => this.#results.discard(this.#collections.find(name).row.key, job);
  putClassifier: StoreCalls['putClassifier'] = async (classifier, labels) => this.#classifiers.put(classifier, labels);
  getClassifier: StoreCalls['getClassifier'] = async (name) => this.#classifiers.get(name);
  listClassifiers: StoreCalls['listClassifiers'] = async () => this.#classifiers.list();
  deleteClassifier: StoreCalls['deleteClassifier'] = async (name) => this.#classifiers.delete(name);
  listExamples: StoreCalls['listExamples'] = async (name) => this.#classifiers.examples(name);
  addExamples: StoreCalls['addExamples'] = async (name, added) => this.#classifiers.add(name, added);
  removeExamples: StoreCalls['removeExamples'] = async (name, choice, updatedAt) => this.#classifiers.remove(name, choice, updatedAt);

  async check(): Promise<void> {
    if (this.#problem) throw this.#problem;
    for (const { row } of this.#collections.all()) this.#embeddings.probe(row.space);
  }

  async close(): Promise<void> {
    await Promise.race([
      Promise.all([this.#index.close(), this.#housekeeping.stop(), this.#fullText.stop()]),
      setTimeout(this.#settings.closeWithinMs, undefined, { ref: false }),
    ]);
    await this.#backups.end();
    this.#database.close();
    this.#commits.close();
  }

  /** Any thrown value; what SQLite says of its file is a sentence with the way out, and the store is not ready from then on. */
  explain(error: unknown): unknown {
    if (isDamagedFullText(error)) return this.#fullText.mended();
    const problem = databaseProblem(error, this.#file);
    if (problem && /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code: string }).code)) this.#problem ??= problem;
    return problem ?? error;
  }

  /** The collection has gone. */
  #retire(opened: OpenCollection): void {
    this.#index.retire(opened);
    for (const columns of Object.values(opened.columns)) columns.retire();
    this.#housekeeping.wake();
  }

  #hasTiles(name: string): boolean {
    return this.#collections.find(name).indexes.image.hasParts;
  }

  #row(name: string, id: string): ItemRow {
    const item = this.#items.byId(this.#collections.find(name).row.key, id);
    if (!item) throw new MixspaceError('not_found', `There is no item "${id}" in the collection "${name}".`);
    return item;
  }

  #describe(opened: OpenCollection): CollectionDescription {
    return { ...describe(opened, this.#collectionTable), ...this.#reembeddings.describe(opened.row), unread: this.#fullText.waiting(opened.row.key) };
  }

  /** One transaction; what follows the database is told when it is on disk. Originals are the caller's to release. */
  #change<T>(name: string, work: (collection: OpenCollection, changes: Changes) => T): T {
    const collection = this.#collections.find(name);
    const changes = noChanges();
    const result = this.#items.transaction(() => {
      const outcome = work(collection, changes);
      this.#collectionTable.advance(collection.row.key);
      return outcome;
    });
    this.#index.follow(collection, changes);
    return result;
  }

  /** With a filter: those that match it now, by what their rows say. */
  #removing(name: string, keys: number[], filter?: Filter): Changes {
    const matches = filter && compileFilter(filter);
    return this.#change(name, ({ row }, changes) => {
      for (const key of keys) {
        const item = this.#items.byKey(key);
        if (item && (!matches || (this.#items.hasSoundMetadata(item) && matches(fieldsOf(item))))) removeItem(this.#tables, row, item, changes);
      }
      return changes;
    });
  }

  async #releaseOriginals({ removed }: Changes): Promise<void> {
    await this.#originals.release(removed.filter((item) => item.original_bytes !== null).map((item) => item.content_hash));
  }

  /** An item whose embedding is damaged or lost has none from now on, and says so. */
  #setApart(key: number): void {
    if (this.#damaged.has(key)) return;
    this.#damaged.add(key);
    setImmediate(() => {
      try {
        const collection = this.#items.collectionOf(key);
        const opened = [...this.#collections.all()].find(({ row }) => row.key === collection);
        const item = this.#items.byKey(key);
        if (!opened || item?.unembedded !== null || this.#embeddings.ofItem(key, opened.row.space)) return void this.#damaged.delete(key);
        this.#change(opened.row.name, ({ row }, changes) => {
          this.#embeddings.setApart(key, row.space, item.modality, damagedEmbedding);
          changes.gone.push(...this.#embeddings.keysOf(key, row.space));
        });
      } catch (error) {
        this.#log('warn', 'It could not be noted that an embedding is damaged.', { key, reason: String(this.explain(error)) });
      }
    });
  }
}

import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Filter } from '../../domain/filter.js';
import type { Metadata } from '../../domain/metadata.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Tiles } from '../../domain/tiles.js';
import type { Log } from '../../telemetry.js';
import type { Collection, CollectionDescription, Item, ItemEmbeddings, ItemWrite, NewCollection, Picture, WriteStatus } from '../catalog.js';
import type { ImpossibleItem, ReembeddedItem, ReembeddingItem, ReembeddingPlan, ReembeddingTarget } from '../reembedding-catalog.js';
import { fieldsOf } from '../stored-item.js';
import { putCopies } from '../writing/copies.js';
import { addFields, changeSources, noChanges, removeItem, writeItem, type Changes } from '../writing/writer.js';
import { identityOf, type CollectionRow } from './collection-table.js';
import { describe, type OpenCollection } from './open-collections.js';
import { cursorKeyOf } from './commits.js';
import { readCopies } from './copies.js';
import { damagedEmbedding } from './damage.js';
import { databaseName, databaseProblem } from './database.js';
import { compileFilter } from './filter.js';
import { isDamagedFullText } from './full-text/word-table.js';
import type { ItemRow } from './item-table.js';
import { openParts, type Parts, type PartsOptions } from './parts.js';
import { present } from './presence.js';
import type { StoreCalls } from './protocol.js';
import type { EmbeddedStoreSettings } from './settings.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

/** The store itself, in the thread that owns the database and what follows it. */
export class EmbeddedStore implements StoreCalls {
  readonly #settings: EmbeddedStoreSettings;
  readonly #log: Log;
  readonly #file: string;
  readonly #parts: Parts;
  /** Keys of items whose embedding is damaged or lost, since they were found. */
  readonly #damaged = new Set<number>();
  /** What SQLite said of its file. */
  #problem: MixspaceError | undefined;

  /** What makes searches quick comes afterwards, in the background; errors as `openParts`. */
  constructor(options: PartsOptions) {
    const { directory, settings, log } = options;
    this.#settings = settings;
    this.#log = log;
    this.#file = join(directory, databaseName);
    this.#parts = openParts(options, (key) => this.#setApart(key));
  }

  createCollection(collection: NewCollection): Promise<CollectionDescription> {
    const row = this.#parts.items.transaction(() => this.#parts.collectionTable.insert(collection));
    return Promise.resolve(this.#describe(this.#parts.collections.open(row)));
  }

  listCollections(): Promise<CollectionDescription[]> {
    return Promise.resolve([...this.#parts.collections.all()].map((each) => this.#describe(each)).sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  async getCollection(name: string): Promise<Collection> {
    return identityOf(this.#parts.collections.find(name).row);
  }

  async describeCollection(name: string): Promise<CollectionDescription> {
    return this.#describe(this.#parts.collections.find(name));
  }

  async setTextFields(name: string, fields: string[]): Promise<CollectionDescription> {
    const opened = this.#parts.collections.find(name);
    opened.row = this.#parts.items.transaction(() => {
      this.#parts.fullText.readAgain(opened.row.key);
      return this.#parts.collectionTable.setTextFields(opened.row.key, fields);
    });
    this.#parts.fullText.wake();
    return this.#describe(opened);
  }

  async setTiles(name: string, tiles: Tiles): Promise<CollectionDescription> {
    const opened = this.#parts.collections.find(name);
    if (opened.row.tiles !== tiles) opened.row = this.#parts.items.transaction(() => this.#parts.collectionTable.setTiles(opened.row.key, tiles));
    return this.#describe(opened);
  }

  listTiled: StoreCalls['listTiled'] = (name, request) => this.#parts.tilings.list(this.#parts.collections.find(name).row, request);
  readTileSources: StoreCalls['readTileSources'] = (name, keys) => this.#parts.tilings.read(this.#parts.collections.find(name).row, keys);
  putTiles: StoreCalls['putTiles'] = async (name, made, items) => ({ bytes: this.#change(name, ({ row }, changes) => this.#parts.tilings.put(row, made, items, changes)) });

  changesOf: StoreCalls['changesOf'] = async (name) => this.#parts.collectionTable.seq(this.#parts.collections.find(name).row.key);
  matchingKeys: StoreCalls['matchingKeys'] = (name, filter) => this.#parts.survey.matchingKeys(this.#parts.collections.find(name), filter);
  wholeEmbeddings: StoreCalls['wholeEmbeddings'] = (name) => this.#parts.survey.wholeEmbeddings(this.#parts.collections.find(name));
  readEmbeddings: StoreCalls['readEmbeddings'] = async (name, fingerprint, keys) => this.#parts.survey.readEmbeddings(this.#parts.collections.find(name, fingerprint), keys);
  keysOfIds: StoreCalls['keysOfIds'] = (name, ids) => this.#parts.survey.keysOfIds(this.#parts.collections.find(name), ids);
  idsOfKeys: StoreCalls['idsOfKeys'] = (name, keys) => this.#parts.survey.idsOfKeys(this.#parts.collections.find(name), keys);
  valuesOfKeys: StoreCalls['valuesOfKeys'] = (name, field, keys) => this.#parts.survey.valuesOfKeys(this.#parts.collections.find(name), field, keys);

  async deleteCollection(name: string): Promise<void> {
    const opened = this.#parts.collections.find(name);
    this.#parts.items.transaction(() => this.#parts.collectionTable.unname(opened.row.key));
    this.#parts.collections.delete(name);
    this.#retire(opened);
  }

  async write(name: string, writes: ItemWrite[], fingerprint?: string, tiles?: Tiles): Promise<WriteStatus[]> {
    this.#parts.collections.find(name, fingerprint);
    const originals = new Map<string, Uint8Array>();
    for (const { content } of writes) if (content?.original) originals.set(content.contentHash, content.original);
    const { statuses, changes } = await this.#parts.originals.during(originals, () =>
      this.#change(name, ({ row }, changes) => {
        this.#parts.collections.find(name, fingerprint);
        if (tiles !== undefined && tiles !== row.tiles) throw new MixspaceError('conflict', `Collection "${name}" wants its pictures cut otherwise by now: ${row.tiles}, not ${tiles}.`);
        return { statuses: writes.map((write) => this.#parts.sightings.write(row, write, changes)), changes };
      }),
    );
    await this.#releaseOriginals(changes);
    return statuses;
  }

  present: StoreCalls['present'] = (name, ids, check) => present(this.#parts, this.#parts.collections.find(name), ids, check);

  async getItem(name: string, id: string): Promise<Item> {
    return this.#parts.items.toItem(this.#row(name, id));
  }

  async getEmbedding(name: string, id: string): Promise<Float32Array> {
    const { key, unembedded } = this.#row(name, id);
    if (unembedded !== null) throw new MixspaceError('conflict', `The item "${id}" has no embedding of the space that the collection "${name}" is in. ${unembedded}`);
    const [first] = this.#parts.embeddings.ofItem(key, this.#parts.collections.find(name).row.space) ?? [];
    if (!first) throw new MixspaceError('conflict', `The item "${id}" has no embedding. ${damagedEmbedding}`);
    return first.embedding;
  }

  async getEmbeddings(name: string, ids: string[]): Promise<ItemEmbeddings> {
    const { key, space, fingerprint } = this.#parts.collections.find(name).row;
    const items: ItemEmbeddings['items'] = [];
    let began = now();
    for (const id of ids) {
      const row = this.#parts.items.byId(key, id);
      const parts = row?.unembedded === null ? this.#parts.embeddings.ofItem(row.key, space) : undefined;
      if (row && parts) items.push({ id, modality: row.modality, contentHash: row.content_hash, parts: parts.map(({ embedding }) => embedding.slice()), boxes: parts.map(({ box }) => box) });
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return { fingerprint, items };
  }

  listItems: StoreCalls['listItems'] = (name, request) => this.#parts.listing.page(this.#parts.collections.find(name), request);
  countValues: StoreCalls['countValues'] = (name, request) => this.#parts.listing.countValues(this.#parts.collections.find(name), request);

  async setMetadata(name: string, id: string, metadata: Metadata): Promise<Item> {
    this.#row(name, id);
    this.#change(name, ({ row }, changes) => writeItem(this.#parts, row, { id, metadata }, changes));
    return this.#parts.items.toItem(this.#row(name, id));
  }

  changeSources: StoreCalls['changeSources'] = async (name, id, change) => {
    this.#parts.items.toItem(this.#row(name, id));
    this.#change(name, (_, changes) => changeSources(this.#parts, this.#row(name, id), change, changes));
    return this.#parts.items.toItem(this.#row(name, id));
  };

  addMetadata: StoreCalls['addMetadata'] = async (name, additions, mostBytes) => this.#change(name, ({ row }, changes) => additions.map((each) => addFields(this.#parts, row, { ...each, mostBytes }, changes)));

  async deleteItem(name: string, id: string): Promise<void> {
    const item = this.#row(name, id);
    const changes = this.#removing(name, [item.key]);
    await this.#releaseOriginals(changes);
  }

  async deleteItems(name: string, filter?: Filter): Promise<number> {
    const opened = this.#parts.collections.find(name);
    // Who empties a collection may fill it again from the same files.
    if (!filter) this.#parts.items.transaction(() => this.#parts.seen.clear(opened.row.key));
    const keys = filter ? await this.#parts.listing.matching(opened, filter) : modalities.flatMap((modality) => this.#parts.items.keys(opened.row.key, modality));
    const changes = this.#removing(name, keys, filter);
    await this.#releaseOriginals(changes);
    return changes.removed.length;
  }

  async getPicture(name: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture> {
    const item = this.#row(name, id);
    this.#parts.items.toItem(item);
    return this.#parts.sources.picture(item, size);
  }

  sample: StoreCalls['sample'] = async (name, modality, most) => this.#parts.collections.find(name).indexes[modality].sample(most).map((each) => each.slice());
  nearest: StoreCalls['nearest'] = (name, request) => this.#parts.index.nearest(name, request);

  countWords: StoreCalls['countWords'] = (name, phrases, most) => this.#parts.index.countWords(name, phrases, most);
  withWords: StoreCalls['withWords'] = (name, request) => this.#parts.index.withWords(name, request);
  foldersNamed: StoreCalls['foldersNamed'] = (name, folder, most) => this.#parts.index.foldersNamed(name, folder, most);

  async cursorKey(): Promise<Uint8Array> {
    return cursorKeyOf(this.#parts.database);
  }

  async planReembedding(name: string, target: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan> {
    return this.#parts.reembeddings.plan(this.#parts.collections.find(name).row, target);
  }

  async startReembedding(name: string, target: ReembeddingTarget): Promise<void> {
    await this.#parts.housekeeping.running;
    this.#parts.reembeddings.start(this.#parts.collections.find(name).row, target);
  }

  async nextToReembed(name: string, request: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]> {
    return this.#parts.reembeddings.next(this.#parts.collections.find(name).row, request);
  }

  async putReembedded(name: string, fingerprint: string, items: ReembeddedItem[]): Promise<void> {
    this.#parts.reembeddings.put(this.#parts.collections.find(name).row, fingerprint, items);
  }

  async finishReembedding(name: string): Promise<'done' | 'pending' | 'impossible'> {
    const opened = this.#parts.collections.find(name);
    const gone = this.#parts.reembeddings.finish(opened.row);
    if (typeof gone === 'string') return gone;
    this.#parts.collections.open(gone);
    this.#parts.index.retire(opened);
    this.#parts.housekeeping.wake();
    return 'done';
  }

  async stopReembedding(name: string, problem?: string): Promise<void> {
    this.#parts.reembeddings.stop(this.#parts.collections.find(name).row, problem);
  }

  async discardReembedding(name: string): Promise<void> {
    this.#parts.reembeddings.discard(this.#parts.collections.find(name).row);
    this.#parts.housekeeping.wake();
  }

  async listImpossible(name: string, limit: number): Promise<ImpossibleItem[]> {
    return this.#parts.reembeddings.impossible(this.#parts.collections.find(name).row, limit);
  }

  beginBackup: StoreCalls['beginBackup'] = () => this.#parts.backups.begin();
  backupOriginals: StoreCalls['backupOriginals'] = async (after, limit) => this.#parts.backups.originals(after, limit);
  endBackup: StoreCalls['endBackup'] = () => this.#parts.backups.end();

  beginRestore: StoreCalls['beginRestore'] = async (choice) => this.#parts.restores.begin(choice);
  restoreSome: StoreCalls['restoreSome'] = () => this.#parts.restores.some();
  restoreOriginals: StoreCalls['restoreOriginals'] = (missing) => this.#parts.restores.originals(missing);
  publishRestore: StoreCalls['publishRestore'] = async (overEmpty) => {
    const { gone, classifiers } = this.#parts.restores.publish(overEmpty);
    gone.forEach((each) => this.#retire(each));
    return classifiers;
  };
  endRestore: StoreCalls['endRestore'] = async () => {
    await this.#parts.restores.end();
    this.#parts.housekeeping.wake();
  };

  putJob: StoreCalls['putJob'] = async (job, changes) => this.#parts.jobs.put(job, changes);
  getJob: StoreCalls['getJob'] = async (id) => this.#parts.jobs.get(id);
  listJobs: StoreCalls['listJobs'] = async (query) => this.#parts.jobs.list(query);
  listJobFailures: StoreCalls['listJobFailures'] = async (id, request) => this.#parts.jobs.failures(id, request);
  pruneJobs: StoreCalls['pruneJobs'] = async (keep) => this.#parts.jobs.prune(keep);

  putResultEntries: StoreCalls['putResultEntries'] = async (name, result, list, entries) => this.#parts.results.put(this.#parts.collections.find(name).row.key, result, list, entries);
  listResultEntries: StoreCalls['listResultEntries'] = async (name, job, list, request) => this.#parts.results.list(this.#parts.collections.find(name).row.key, job, list, request);
  publishResult: StoreCalls['publishResult'] = async (name, result, drop = []) => this.#parts.results.publish(this.#parts.collections.find(name).row.key, result, drop);
  getResult: StoreCalls['getResult'] = async (name, kind) => this.#parts.results.get(this.#parts.collections.find(name).row.key, kind);
  listResults: StoreCalls['listResults'] = async (name) => this.#parts.results.latest(this.#parts.collections.find(name).row.key);
  discardResult: StoreCalls['discardResult'] = async (name, job) => this.#parts.results.discard(this.#parts.collections.find(name).row.key, job);
  putClassifier: StoreCalls['putClassifier'] = async (classifier, labels) => this.#parts.classifiers.put(classifier, labels);
  getClassifier: StoreCalls['getClassifier'] = async (name) => this.#parts.classifiers.get(name);
  listClassifiers: StoreCalls['listClassifiers'] = async () => this.#parts.classifiers.list();
  deleteClassifier: StoreCalls['deleteClassifier'] = async (name) => this.#parts.classifiers.delete(name);
  listExamples: StoreCalls['listExamples'] = async (name) => this.#parts.classifiers.examples(name);
  addExamples: StoreCalls['addExamples'] = async (name, added) => this.#parts.classifiers.add(name, added);
  removeExamples: StoreCalls['removeExamples'] = async (name, choice, updatedAt) => this.#parts.classifiers.remove(name, choice, updatedAt);

  listSeen: StoreCalls['listSeen'] = async (name, machine, under, request) => this.#parts.seen.list(this.#parts.collections.find(name).row.key, machine, under, request);
  countSeen: StoreCalls['countSeen'] = async (name, machine, under) => this.#parts.seen.count(this.#parts.collections.find(name).row.key, machine, under);
  noteSeen: StoreCalls['noteSeen'] = async (name, machine, files) => this.#parts.items.transaction(() => this.#parts.sightings.record(this.#parts.collections.find(name).row, machine, files));
  settleSeen: StoreCalls['settleSeen'] = (name, machine, paths) => this.#leaving(name, (row, changes) => paths.map((path) => this.#parts.sightings.settle(row, { machine, path }, changes)).filter((id) => id !== undefined));
  forgetSeen: StoreCalls['forgetSeen'] = async (name, machine, files) => {
    const gone = await this.#leaving(name, (row, changes) => files.map((file) => this.#parts.sightings.forget(row, { machine, ...file }, changes)).filter((ids) => ids !== undefined));
    return { files: gone.length, items: gone.flat() };
  };
  listMounts: StoreCalls['listMounts'] = async (name, machine, under) => this.#parts.seen.mounts(this.#parts.collections.find(name).row.key, machine, under);
  putMounts: StoreCalls['putMounts'] = async (name, machine, under, mounts) => {
    const { key } = this.#parts.collections.find(name).row;
    if (this.#parts.seen.hasOtherMounts(key, machine, under, mounts)) this.#parts.items.transaction(() => this.#parts.seen.putMounts(key, machine, under, mounts));
  };

  readCopies: StoreCalls['readCopies'] = (name, request) => readCopies(this.#parts, this.#parts.collections.find(name).row, request);
  putCopies: StoreCalls['putCopies'] = async (name, fingerprint, copies) => {
    this.#parts.collections.find(name, fingerprint);
    const originals = new Map(copies.flatMap(({ content: { contentHash, original } }) => (original ? [[contentHash, original] as const] : [])));
    const gone = await this.#parts.originals.during(originals, () =>
      this.#change(name, ({ row }, changes) => {
        this.#parts.collections.find(name, fingerprint);
        putCopies<ItemRow>(this.#parts, row, copies, changes);
        return changes;
      }),
    );
    await this.#releaseOriginals(gone);
  };

  async check(): Promise<void> {
    if (this.#problem) throw this.#problem;
    for (const { row } of this.#parts.collections.all()) this.#parts.embeddings.probe(row.space);
  }

  async close(): Promise<void> {
    await Promise.race([
      Promise.all([this.#parts.index.close(), this.#parts.housekeeping.stop(), this.#parts.fullText.stop()]),
      setTimeout(this.#settings.closeWithinMs, undefined, { ref: false }),
    ]);
    await this.#parts.backups.end();
    this.#parts.database.close();
    this.#parts.commits.close();
  }

  /** Any thrown value; what SQLite says of its file is a sentence with the way out, and the store is not ready from then on. */
  explain(error: unknown): unknown {
    if (isDamagedFullText(error)) return this.#parts.fullText.mended();
    const problem = databaseProblem(error, this.#file);
    if (problem && /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code: string }).code)) this.#problem ??= problem;
    return problem ?? error;
  }

  /** The collection has gone. */
  #retire(opened: OpenCollection): void {
    this.#parts.index.retire(opened);
    for (const columns of Object.values(opened.columns)) columns.retire();
    this.#parts.housekeeping.wake();
  }

  #row(name: string, id: string): ItemRow {
    const item = this.#parts.items.byId(this.#parts.collections.find(name).row.key, id);
    if (!item) throw new MixspaceError('not_found', `There is no item "${id}" in the collection "${name}".`);
    return item;
  }

  #describe(opened: OpenCollection): CollectionDescription {
    return { ...describe(opened, this.#parts.collectionTable), ...this.#parts.reembeddings.describe(opened.row), unread: this.#parts.fullText.waiting(opened.row.key) };
  }

  /** One transaction; what follows the database is told when it is on disk. Originals are the caller's to release. */
  #change<T>(name: string, work: (collection: OpenCollection, changes: Changes<ItemRow>) => T): T {
    const collection = this.#parts.collections.find(name);
    const changes = noChanges<ItemRow>();
    const result = this.#parts.items.transaction(() => {
      const outcome = work(collection, changes);
      this.#parts.collectionTable.advance(collection.row.key);
      return outcome;
    });
    this.#parts.index.follow(collection, changes);
    return result;
  }

  /** With a filter: those that match it now, by what their rows say. */
  #removing(name: string, keys: number[], filter?: Filter): Changes<ItemRow> {
    const matches = filter && compileFilter(filter);
    return this.#change(name, ({ row }, changes) => {
      for (const key of keys) {
        const item = this.#parts.items.byKey(key);
        if (item && (!matches || (this.#parts.items.hasSoundMetadata(item) && matches(fieldsOf(item))))) removeItem(this.#parts, row, item, changes);
      }
      return changes;
    });
  }

  /** A change after which items may be gone. */
  async #leaving<T>(name: string, work: (row: CollectionRow, changes: Changes<ItemRow>) => T): Promise<T> {
    const { outcome, changes } = this.#change(name, ({ row }, changes) => ({ outcome: work(row, changes), changes }));
    await this.#releaseOriginals(changes);
    return outcome;
  }

  async #releaseOriginals({ removed }: Changes<ItemRow>): Promise<void> {
    await this.#parts.originals.release(removed.filter((item) => item.original_bytes !== null).map((item) => item.content_hash));
  }

  /** An item whose embedding is damaged or lost has none from now on, and says so. */
  #setApart(key: number): void {
    if (this.#damaged.has(key)) return;
    this.#damaged.add(key);
    setImmediate(() => {
      try {
        const collection = this.#parts.items.collectionOf(key);
        const opened = [...this.#parts.collections.all()].find(({ row }) => row.key === collection);
        const item = this.#parts.items.byKey(key);
        if (!opened || item?.unembedded !== null || this.#parts.embeddings.ofItem(key, opened.row.space)) return void this.#damaged.delete(key);
        this.#change(opened.row.name, ({ row }, changes) => {
          this.#parts.embeddings.setApart(key, row.space, item.modality, damagedEmbedding);
          changes.gone.push(...this.#parts.embeddings.keysOf(key, row.space));
        });
      } catch (error) {
        this.#log('warn', 'It could not be noted that an embedding is damaged.', { key, reason: String(this.explain(error)) });
      }
    });
  }
}

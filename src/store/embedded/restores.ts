import { existsSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { Originals } from '../pictures/originals.js';
import type { Part } from '../writing/tables.js';
import type { RestoreChoice, RestoredClassifiers } from '../store.js';
import { ClassifierTable } from './classifier-table.js';
import { CollectionTable, type CollectionRow } from './collection-table.js';
import { Damage, damagedEmbedding } from './damage.js';
import { databaseName, Sqlite, type Database } from './database.js';
import { EmbeddingTable } from './embedding-table.js';
import { ItemTable, type ItemRow } from './item-table.js';
import type { Collections, OpenCollection } from './open-collections.js';
import { ResultTable, type ResultEntryRow, type ResultRow } from './result-table.js';
import { SeenTable, type DepartedRow, type WholeSeenRow } from './seen-table.js';
import { nextTurn, now, sliceMs } from './time-slices.js';
import { refuse, unpackedName } from './unpacked.js';

/** Items looked up at a time. */
const pageRows = 64;
/** Milliseconds of slices that one call makes. */
const callMs = 200;

/** A collection on its way from the backup's database into this one, where it has no name yet. */
interface Coming {
  row: CollectionRow;
  /** Its key here. */
  key: number;
  /** Keys of its spaces, from there to here. */
  spaces: Map<number, number>;
  /** What jobs found in it, as it is there. */
  results: ResultRow[];
}

/** An item as the backup has it. */
interface Found {
  row: ItemRow;
  thumbnail: Uint8Array | undefined;
  /** By the space's key here. */
  parts: Map<number, Part[]>;
}

interface Source {
  database: Database;
  collections: CollectionTable;
  items: ItemTable;
  embeddings: EmbeddingTable;
  results: ResultTable;
  seen: SeenTable;
  classifiers: ClassifierTable;
}

/** Entries of results, and files, in a slice. */
const pageEntries = 500;

/** How far it has come: a place among the collections, the key there of the last item that is here, and behind the items a place among the results, the last of the files that were seen, and of the items that went with theirs. */
interface Progress {
  place: number;
  item: number;
  result: number;
  /** Of the result at that place: its key here, and the last of its entries that is here. */
  entries?: { key: number; last?: ResultEntryRow };
  file?: WholeSeenRow;
  departed?: DepartedRow;
}

const beginning = { item: 0, result: 0 };

/**
 * Takes collections of an unpacked backup into the database while the store goes on. They have no name, so that nobody sees
 * them and the next start sweeps them away, until all of them get theirs in one transaction. One backup at a time.
 */
export class Restores {
  readonly #parts;
  readonly #folder: string;
  #source: Source | undefined;
  #coming: Coming[] = [];
  #at: Progress = { place: 0, ...beginning };
  #items = 0;
  #takesClassifiers = false;

  /** Removes what a crash left of one. */
  constructor(parts: { items: ItemTable; embeddings: EmbeddingTable; results: ResultTable; seen: SeenTable; classifiers: ClassifierTable; table: CollectionTable; collections: Collections; originals: Originals; directory: string; log: Log }) {
    this.#parts = parts;
    this.#folder = join(parts.directory, unpackedName);
    if (existsSync(this.#folder)) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Whether a collection without a name, by its key, is to get one. */
  isComing(collection: number): boolean {
    return this.#coming.some(({ key }) => key === collection);
  }

  /** How many items each of the names has. Errors: `invalid_request`: the database does not hold what the backup says. */
  begin({ collections: names, classifiers }: RestoreChoice): { name: string; items: number }[] {
    const source = this.#reading(() => {
      const database = new Sqlite(join(this.#folder, databaseName), { readonly: true });
      const damage = new Damage(this.#parts.log);
      const asTheyAre = { run: <T>(work: () => T): T => work() };
      return {
        database,
        collections: new CollectionTable(database),
        items: new ItemTable(database, asTheyAre, damage),
        embeddings: new EmbeddingTable(database, damage),
        results: new ResultTable(database, asTheyAre, damage),
        seen: new SeenTable(database),
        classifiers: new ClassifierTable(database, asTheyAre),
      };
    });
    this.#source = source;
    const rows = this.#reading(() => source.collections.all());
    const chosen = names.map((name) => {
      const row = rows.find((each) => each.name === name);
      if (!row) throw refuse(`the database in it holds no collection "${name}"`);
      return row;
    });
    const facts = this.#reading(() => chosen.map(({ key }) => ({ seq: source.collections.seq(key), spaces: source.collections.spaces(key), tallies: source.collections.tallies(key), results: source.results.rows(key) })));
    this.#at = { place: 0, ...beginning };
    this.#items = 0;
    this.#takesClassifiers = classifiers;
    this.#coming = this.#parts.items.transaction(() => chosen.map((row, i) => ({ row, results: facts[i]!.results, ...this.#parts.table.insertNameless(row, facts[i]!.seq, facts[i]!.spaces) })));
    return names.map((name, i) => ({ name, items: facts[i]!.tallies.reduce((sum, { items }) => sum + items, 0) }));
  }

  /** Takes in some more: how many items are here by now, and whether these are all. */
  async some(): Promise<{ items: number; isAll: boolean }> {
    const until = now() + callMs;
    do {
      const coming = this.#coming[this.#at.place];
      if (!coming) return { items: this.#items, isAll: true };
      if (!this.#someItems(coming) && !this.#someResults(coming) && !this.#someSeen(coming)) this.#at = { place: this.#at.place + 1, ...beginning };
      await nextTurn();
    } while (now() < until);
    return { items: this.#items, isAll: false };
  }

  /** Takes the pictures in that its items name. Those of `missing` that are in no place. */
  async originals(missing: string[]): Promise<string[]> {
    const { items, originals } = this.#parts;
    await originals.adopt(join(this.#folder, 'originals'));
    return missing.filter((hash) => /^[0-9a-f]{64}$/.test(hash) && items.namesOriginal(hash) && originals.size(hash) === undefined);
  }

  /**
   * All collections have their names from now on, or none. `overEmpty`: names of collections that give way while they are empty.
   * Those that gave way are `gone`. Errors: `conflict`: there is one of the name.
   */
  publish(overEmpty: string[]): { gone: OpenCollection[]; classifiers: RestoredClassifiers } {
    const { items, table, collections, classifiers } = this.#parts;
    const names = new Set(this.#coming.map(({ row }) => row.name));
    const there = [...collections.all()].filter(({ row }) => names.has(row.name));
    const inTheWay = there.filter(({ row }) => !overEmpty.includes(row.name) || table.tallies(row.key).some((tally) => tally.items > 0));
    if (inTheWay.length > 0) throw new MixspaceError('conflict', `There is a collection ${inTheWay.map(({ row }) => `"${row.name}"`).join(', ')} by now.`);
    const { rows, restored } = this.#reading(() =>
      items.transaction(() => {
        for (const { row } of there) table.unname(row.key);
        return {
          rows: this.#coming.map(({ key, row }) => table.name(key, row.name)),
          restored: this.#takesClassifiers ? classifiers.takeIn(this.#source!.classifiers) : { taken: [], kept: [] },
        };
      }),
    );
    this.#coming = [];
    for (const row of rows) collections.open(row);
    return { gone: there, classifiers: restored };
  }

  /** Whatever has no name goes with the next sweep. */
  async end(): Promise<void> {
    this.#coming = [];
    this.#source?.database.close();
    this.#source = undefined;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Whether there were any left. */
  #someItems(coming: Coming): boolean {
    const found = this.#reading(() => this.#find(coming));
    if (found.length === 0) return false;
    this.#parts.items.transaction(() => found.forEach((each) => this.#put(coming, each)));
    this.#at.item = found.at(-1)!.row.key;
    this.#items += found.length;
    return true;
  }

  /** Some of what jobs found; whether there was any left. */
  #someResults({ key: collection, results }: Coming): boolean {
    const row = results[this.#at.result];
    if (!row) return false;
    const entries = (this.#at.entries ??= { key: this.#parts.results.insertRow(collection, row) });
    const found = this.#reading(() => this.#source!.results.rowsAfter(row.key, entries.last, pageEntries));
    if (found.length === 0) this.#at = { place: this.#at.place, item: this.#at.item, result: this.#at.result + 1 };
    else {
      this.#parts.results.insertEntryRows(entries.key, found);
      this.#at.entries = { ...entries, last: found.at(-1)! };
    }
    return true;
  }

  /** Some of what is known of files; whether there was any left. */
  #someSeen({ row: { key: there }, key: here }: Coming): boolean {
    const { items, seen } = this.#parts;
    const source = this.#source!.seen;
    const files = this.#reading(() => source.rowsAfter(there, this.#at.file, pageEntries));
    const departed = files.length > 0 ? [] : this.#reading(() => source.departedAfter(there, this.#at.departed?.item ?? '', pageEntries));
    if (files.length + departed.length === 0) return false;
    items.transaction(() => {
      seen.insertRows(here, files);
      seen.insertDeparted(here, departed);
    });
    this.#at = { ...this.#at, ...(files.length > 0 && { file: files.at(-1)! }), ...(departed.length > 0 && { departed: departed.at(-1)! }) };
    return true;
  }

  /** A slice of items, in the order in which they came there. */
  #find({ row: { key: collection }, spaces }: Coming): Found[] {
    const { items, embeddings } = this.#source!;
    const found: Found[] = [];
    const began = now();
    for (const key of items.keysAfter(collection, this.#at.item, pageRows)) {
      const row = items.byKey(key)!;
      const thumbnail = items.thumbnail(row);
      const parts = new Map<number, Part[]>();
      for (const [there, here] of spaces) {
        const embedded = embeddings.ofItem(key, there);
        if (embedded) parts.set(here, embedded);
      }
      found.push({ row, thumbnail: typeof thumbnail === 'string' ? undefined : thumbnail, parts });
      if (now() - began > sliceMs) break;
    }
    return found;
  }

  #put({ row: collection, key, spaces }: Coming, { row, thumbnail, parts }: Found): void {
    const { items, embeddings } = this.#parts;
    const item = items.insertRow(key, row, thumbnail);
    for (const [space, embedded] of parts) embeddings.insert(item, space, row.modality, embedded);
    const own = spaces.get(collection.space)!;
    const isWhole = parts.get(own)?.every(({ embedding }) => embedding.length === collection.dimension);
    if (row.unembedded !== null || !isWhole) embeddings.setApart(item, own, row.modality, row.unembedded ?? damagedEmbedding);
  }

  /** What is wrong with the backup's database is not this store's. */
  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (typeof (error as { code?: unknown }).code === 'string' && (error as { code: string }).code.startsWith('SQLITE_')) throw refuse('the database in it is damaged', error);
      throw error;
    }
  }
}

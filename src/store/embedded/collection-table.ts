import type { Modality } from '../../domain/modality.js';
import type { Space } from '../../domain/space.js';
import type { Tiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { Collection, NewCollection } from '../catalog.js';
import { collectionChecksum } from './checksums.js';
import type { Database } from './database.js';

/** A collection's row: `key` is never used again. */
export interface CollectionRow extends NewCollection {
  key: number;
  /** The key of the space that it is in. */
  space: number;
  /** The sequence number with which it went over to its space. */
  since: number;
  createdAt: string;
  textFields: string[];
  tiles: Tiles;
}

export interface SpaceRow extends Space {
  key: number;
  /** As a collection's; null when it has never been in it. */
  since: number | null;
}

export interface Tally {
  modality: Modality;
  items: number;
  bytes: number;
}

interface Columns {
  key: number;
  name: string;
  description: string | null;
  model: string;
  fingerprint: string;
  dimension: number;
  originals: 'keep' | 'thumbnail';
  space: number;
  since: number;
  created_at: string;
  text_fields: string;
  tiles: Tiles;
}

function toRow({ created_at, description, text_fields, ...rest }: Columns): CollectionRow {
  return { ...rest, ...(description === null ? {} : { description }), createdAt: created_at, textFields: JSON.parse(text_fields) as string[] };
}

const commonColumns = 'collections.key, name, description, model, fingerprint, dimension, originals, space, since, created_at';
// Where the space is lost its columns are null, which the row's checksum shows.
const rows = 'collections LEFT JOIN spaces ON spaces.key = collections.space';

/** Collections and their spaces as rows. */
export class CollectionTable {
  readonly #insert;
  readonly #insertNameless;
  readonly #insertSpace;
  readonly #spaces;
  readonly #removeSpace;
  readonly #get;
  readonly #all;
  readonly #name;
  readonly #setTextFields;
  readonly #setTiles;
  readonly #unname;
  readonly #nameless;
  readonly #remove;
  readonly #advance;
  readonly #seq;
  readonly #tallies;
  readonly #bytesOfEmbeddings;
  readonly #pointTo;
  readonly #goOver;
  readonly #seal;
  readonly #allSealed;

  /** Of an older schema, too, while it is being carried over. */
  constructor(database: Database) {
    const has = (column: string): boolean => database.prepare("SELECT 1 FROM pragma_table_info('collections') WHERE name = ?").get(column) !== undefined;
    const [hasTextFields, hasTiles] = [has('text_fields'), has('tiles')];
    const columns = `${commonColumns}, ${hasTextFields ? 'text_fields' : "'[]' AS text_fields"}, ${hasTiles ? 'tiles' : "'none' AS tiles"}`;
    this.#insert = database.prepare<unknown[], number>('INSERT INTO collections (name, description, originals, created_at) VALUES (?, ?, ?, ?) RETURNING key').pluck();
    this.#insertNameless = database.prepare<unknown[], number>('INSERT INTO collections (description, originals, created_at, seq) VALUES (?, ?, ?, ?) RETURNING key').pluck();
    this.#insertSpace = database.prepare<unknown[], number>('INSERT INTO spaces (collection, model, fingerprint, dimension, since) VALUES (?, ?, ?, ?, ?) RETURNING key').pluck();
    this.#spaces = database.prepare<[number], SpaceRow>('SELECT key, model, fingerprint, dimension, since FROM spaces WHERE collection = ? ORDER BY key');
    this.#removeSpace = database.prepare<[number]>('DELETE FROM spaces WHERE key = ?');
    this.#get = database.prepare<[number], Columns>(`SELECT ${columns} FROM ${rows} WHERE collections.key = ?`);
    this.#all = database.prepare<[], Columns>(`SELECT ${columns} FROM ${rows} WHERE name IS NOT NULL ORDER BY name`);
    this.#name = database.prepare<[string, number]>('UPDATE collections SET name = ? WHERE key = ?');
    this.#setTextFields = hasTextFields ? database.prepare<[string, number]>('UPDATE collections SET text_fields = ? WHERE key = ?') : undefined;
    this.#setTiles = hasTiles ? database.prepare<[string, number]>('UPDATE collections SET tiles = ? WHERE key = ?') : undefined;
    this.#unname = database.prepare<[number]>('UPDATE collections SET name = NULL WHERE key = ?');
    this.#nameless = database.prepare<[], number>('SELECT key FROM collections WHERE name IS NULL').pluck();
    this.#remove = database.prepare<[number]>('DELETE FROM collections WHERE key = ?');
    this.#advance = database.prepare<[number]>('UPDATE collections SET seq = seq + 1 WHERE key = ?');
    this.#seq = database.prepare<[number], number>('SELECT seq FROM collections WHERE key = ?').pluck();
    this.#tallies = database.prepare<[number], Tally>('SELECT modality, items, bytes FROM tallies WHERE collection = ?');
    this.#bytesOfEmbeddings = database
      .prepare<[number], number>('SELECT coalesce(sum(bytes), 0) FROM spaces JOIN space_tallies ON space_tallies.space = spaces.key WHERE collection = ? AND since IS NOT NULL')
      .pluck();
    this.#pointTo = database.prepare<[number, number]>('UPDATE collections SET space = ? WHERE key = ?');
    this.#goOver = database.prepare<[number]>('UPDATE spaces SET since = (SELECT seq FROM collections WHERE collections.key = spaces.collection) WHERE key = ?');
    this.#seal = database.prepare<[number, number]>('UPDATE collections SET checksum = ? WHERE key = ?');
    this.#allSealed = database.prepare<[], Columns & { checksum: number | null }>(`SELECT ${columns}, checksum FROM ${rows} WHERE name IS NOT NULL ORDER BY name`);
  }

  /** Inside the caller's transaction. Errors: `conflict` when the name is taken. */
  insert(collection: NewCollection): CollectionRow {
    const { name, description, originals, textFields = [], tiles = 'none' } = collection;
    try {
      const key = this.#insert.get(name, description ?? null, originals, new Date().toISOString())!;
      if (textFields.length > 0) this.#setTextFields!.run(JSON.stringify(textFields), key);
      if (tiles !== 'none') this.#setTiles!.run(tiles, key);
      this.#pointTo.run(this.insertSpace(key, collection, 0), key);
      return this.#sealed(toRow(this.#get.get(key)!));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_CONSTRAINT_UNIQUE') throw error;
      throw new MixspaceError('conflict', `There is a collection "${name}" already.`);
    }
  }

  /** One of another database that nobody sees until it is named: its key, and the keys of those of its spaces that it has been in by the ones they have there. */
  insertNameless({ description, originals, createdAt, space, textFields, tiles }: CollectionRow, seq: number, spaces: SpaceRow[]): { key: number; spaces: Map<number, number> } {
    const key = this.#insertNameless.get(description ?? null, originals, createdAt, seq)!;
    if (textFields.length > 0) this.#setTextFields!.run(JSON.stringify(textFields), key);
    if (tiles !== 'none') this.#setTiles!.run(tiles, key);
    const keys = new Map(spaces.filter(({ since }) => since !== null).map((each) => [each.key, this.insertSpace(key, each, each.since)]));
    this.#pointTo.run(keys.get(space)!, key);
    return { key, spaces: keys };
  }

  /** The row as it is then. */
  name(key: number, name: string): CollectionRow {
    this.#name.run(name, key);
    return this.#sealed(toRow(this.#get.get(key)!));
  }

  /** The row as it is then. */
  setTextFields(key: number, fields: string[]): CollectionRow {
    this.#advance.run(key);
    this.#setTextFields!.run(JSON.stringify(fields), key);
    return this.#sealed(toRow(this.#get.get(key)!));
  }

  /** The row as it is then. */
  setTiles(key: number, tiles: Tiles): CollectionRow {
    this.#advance.run(key);
    this.#setTiles!.run(tiles, key);
    return this.#sealed(toRow(this.#get.get(key)!));
  }

  /** The new space's key. `since`: null for one that it is not in yet. */
  insertSpace(collection: number, { model, fingerprint, dimension }: Space, since: number | null): number {
    return this.#insertSpace.get(collection, model, fingerprint, dimension, since)!;
  }

  /** All of which there are embeddings, in the order in which they were made. */
  spaces(collection: number): SpaceRow[] {
    return this.#spaces.all(collection);
  }

  /** Its embeddings must be gone. */
  removeSpace(key: number): void {
    this.#removeSpace.run(key);
  }

  all(): CollectionRow[] {
    return this.#all.all().map(toRow);
  }

  /** Takes the collection out of sight at once; its items go later. */
  unname(key: number): void {
    this.#unname.run(key);
  }

  nameless(): number[] {
    return this.#nameless.all();
  }

  /** Its items must be gone. */
  remove(key: number): void {
    this.#remove.run(key);
  }

  advance(key: number): void {
    this.#advance.run(key);
  }

  seq(key: number): number {
    return this.#seq.get(key) ?? 0;
  }

  /** Of its items without their embeddings. */
  tallies(key: number): Tally[] {
    return this.#tallies.all(key);
  }

  /** Of all spaces that it has been in. */
  bytesOfEmbeddings(key: number): number {
    return this.#bytesOfEmbeddings.get(key)!;
  }

  /** Points the collection to another of its spaces; the row as it is then. */
  goOver(key: number, space: number): CollectionRow {
    this.#advance.run(key);
    this.#goOver.run(space);
    this.#pointTo.run(space, key);
    return this.#sealed(toRow(this.#get.get(key)!));
  }

  /** With their checksums; null where a row is older than its checksum. */
  allSealed(): (CollectionRow & { checksum: number | null })[] {
    return this.#allSealed.all().map(({ checksum, ...row }) => ({ ...toRow(row), checksum }));
  }

  /** Gives rows that are older than their checksums one. */
  sealAll(): void {
    for (const { checksum, ...row } of this.allSealed()) if (checksum === null) this.#sealed(row);
  }

  #sealed(row: CollectionRow): CollectionRow {
    this.#seal.run(collectionChecksum(row), row.key);
    return row;
  }
}

export function identityOf({ key: _key, space: _space, since: _since, ...identity }: CollectionRow): Collection {
  return identity;
}

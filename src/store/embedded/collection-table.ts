import type { Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { NewCollection } from '../store.js';
import { collectionChecksum } from './checksums.js';
import type { Database } from './database.js';

/** A collection's row: `key` is never used again. */
export interface CollectionRow extends NewCollection {
  key: number;
  /** The number of the space that it is in. */
  space: number;
  /** The sequence number with which it went over to its space. */
  since: number;
  createdAt: string;
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
}

function toRow({ created_at, description, ...rest }: Columns): CollectionRow {
  return { ...rest, ...(description === null ? {} : { description }), createdAt: created_at };
}

const columns = 'key, name, description, model, fingerprint, dimension, originals, space, since, created_at';

export class CollectionTable {
  readonly #insert;
  readonly #all;
  readonly #unname;
  readonly #nameless;
  readonly #remove;
  readonly #advance;
  readonly #seq;
  readonly #tallies;
  readonly #goOver;
  readonly #seal;
  readonly #allSealed;

  constructor(database: Database) {
    this.#insert = database.prepare<unknown[], Columns>(
      `INSERT INTO collections (name, description, model, fingerprint, dimension, originals, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING ${columns}`,
    );
    this.#all = database.prepare<[], Columns>(`SELECT ${columns} FROM collections WHERE name IS NOT NULL ORDER BY name`);
    this.#unname = database.prepare<[number]>('UPDATE collections SET name = NULL WHERE key = ?');
    this.#nameless = database.prepare<[], number>('SELECT key FROM collections WHERE name IS NULL').pluck();
    this.#remove = database.prepare<[number]>('DELETE FROM collections WHERE key = ?');
    this.#advance = database.prepare<[number]>('UPDATE collections SET seq = seq + 1 WHERE key = ?');
    this.#seq = database.prepare<[number], number>('SELECT seq FROM collections WHERE key = ?').pluck();
    this.#tallies = database.prepare<[number], Tally>('SELECT modality, items, bytes FROM tallies WHERE collection = ?');
    this.#goOver = database.prepare<unknown[], Columns>(
      `UPDATE collections SET space = ?, model = ?, fingerprint = ?, dimension = ?, seq = seq + 1, since = seq + 1 WHERE key = ? RETURNING ${columns}`,
    );
    this.#seal = database.prepare<[number, number]>('UPDATE collections SET checksum = ? WHERE key = ?');
    this.#allSealed = database.prepare<[], Columns & { checksum: number | null }>(`SELECT ${columns}, checksum FROM collections WHERE name IS NOT NULL ORDER BY name`);
  }

  insert(collection: NewCollection): CollectionRow {
    const { name, description, model, fingerprint, dimension, originals } = collection;
    try {
      return this.#sealed(toRow(this.#insert.get(name, description ?? null, model, fingerprint, dimension, originals, new Date().toISOString())!));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_CONSTRAINT_UNIQUE') throw error;
      throw new MixspaceError('conflict', `There is a collection "${name}" already.`);
    }
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

  tallies(key: number): Tally[] {
    return this.#tallies.all(key);
  }

  /** Puts the collection into another space; the row as it is then. */
  goOver(key: number, space: { number: number; model: string; fingerprint: string; dimension: number }): CollectionRow {
    return this.#sealed(toRow(this.#goOver.get(space.number, space.model, space.fingerprint, space.dimension, key)!));
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

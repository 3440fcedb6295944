import type { Modality } from '../../domain/modality.js';
import type { Space } from '../../domain/space.js';
import type { ImpossibleItem, Reembedding, ReembeddedItem, ReembeddingTarget } from '../store.js';
import { embeddingChecksum } from './checksums.js';
import type { CollectionRow } from './collection-table.js';
import type { Database } from './database.js';

/** One space of a collection. */
export interface NumberedSpace extends Space {
  number: number;
}

export interface ReembeddingRow extends Reembedding {
  space: number;
}

interface Columns {
  space: number;
  model: string;
  fingerprint: string;
  dimension: number;
  from_thumbnails: 0 | 1;
  skip_impossible: 0 | 1;
  state: 'running' | 'stopped';
  problem: string | null;
  started_at: string;
  done: number;
  impossible: number;
}

function toRow({ from_thumbnails, skip_impossible, problem, started_at, ...rest }: Columns): ReembeddingRow {
  return { ...rest, fromThumbnails: from_thumbnails === 1, skipImpossible: skip_impossible === 1, ...(problem === null ? {} : { problem }), startedAt: started_at };
}

/** Collections on their way into another space, and the embeddings that wait there. `collection` and `item` are keys, `space` a space's number. */
export class ReembeddingTable {
  readonly #spaces;
  readonly #rememberSpace;
  readonly #get;
  readonly #insert;
  readonly #resume;
  readonly #stop;
  readonly #remove;
  readonly #page;
  readonly #waits;
  readonly #forget;
  readonly #put;
  readonly #impossible;
  readonly #impossibleKeys;
  readonly #forgetImpossible;
  readonly #markImpossible;
  readonly #unmark;
  readonly #some;
  readonly #settle;
  readonly #left;

  constructor(database: Database) {
    this.#spaces = database.prepare<[number], NumberedSpace>('SELECT number, model, fingerprint, dimension FROM spaces WHERE collection = ? ORDER BY number');
    this.#rememberSpace = database.prepare('INSERT INTO spaces (collection, number, model, fingerprint, dimension) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    this.#get = database.prepare<[number], Columns>(
      `SELECT space, model, fingerprint, dimension, from_thumbnails, skip_impossible, state, problem, started_at, done, impossible
         FROM reembeddings JOIN spaces ON spaces.collection = reembeddings.collection AND spaces.number = reembeddings.space WHERE reembeddings.collection = ?`,
    );
    this.#insert = database.prepare("INSERT INTO reembeddings (collection, space, from_thumbnails, skip_impossible, state, started_at) VALUES (?, ?, ?, ?, 'running', ?)");
    this.#resume = database.prepare("UPDATE reembeddings SET state = 'running', problem = NULL, from_thumbnails = ?, skip_impossible = ? WHERE collection = ?");
    this.#stop = database.prepare("UPDATE reembeddings SET state = 'stopped', problem = ? WHERE collection = ?");
    this.#remove = database.prepare('DELETE FROM reembeddings WHERE collection = ?');
    this.#page = database.prepare<[number, number, Modality, number, number], { key: number; waits: 0 | 1 }>(
      `SELECT key, NOT EXISTS (SELECT 1 FROM reembedded WHERE item = items.key AND space = ?) AS waits
         FROM items WHERE collection = ? AND modality = ? AND key > ? ORDER BY key LIMIT ?`,
    );
    this.#waits = database.prepare<[number, Modality, number], number>('SELECT 1 FROM items WHERE collection = ? AND modality = ? AND key > ? LIMIT 1').pluck();
    this.#forget = database.prepare<[number]>('DELETE FROM reembedded WHERE item = ?');
    this.#put = database.prepare<[number, Buffer | null, number | null, string | null, number, number]>(
      'INSERT INTO reembedded (item, collection, space, embedding, embedding_checksum, reason) SELECT key, collection, ?, ?, ?, ? FROM items WHERE key = ? AND collection = ?',
    );
    this.#impossible = database.prepare<[number, number, number], ImpossibleItem>(
      `SELECT items.id, reason FROM reembedded JOIN items ON items.key = item
         WHERE reembedded.collection = ? AND reembedded.space = ? AND reembedded.embedding IS NULL ORDER BY item LIMIT ?`,
    );
    this.#impossibleKeys = database.prepare<[number, number], number>('SELECT item FROM reembedded WHERE collection = ? AND space = ? AND embedding IS NULL').pluck();
    this.#forgetImpossible = database.prepare('DELETE FROM reembedded WHERE collection = ? AND space = ? AND embedding IS NULL');
    this.#markImpossible = database.prepare(
      `UPDATE items SET unembedded = (SELECT reason FROM reembedded WHERE item = items.key)
         WHERE key IN (SELECT item FROM reembedded WHERE collection = ? AND space = ? AND embedding IS NULL)`,
    );
    this.#unmark = database.prepare(
      `UPDATE items SET unembedded = NULL WHERE collection = ? AND unembedded IS NOT NULL
         AND EXISTS (SELECT 1 FROM reembedded WHERE item = items.key AND space = ? AND reembedded.embedding IS NOT NULL)`,
    );
    this.#some = database.prepare<[number, number, number], { item: number; embedding: Buffer | null; checksum: number | null }>(
      'SELECT item, embedding, embedding_checksum AS checksum FROM reembedded WHERE collection = ? AND space = ? LIMIT ?',
    );
    this.#settle = database.prepare<[Buffer, number, number, number]>('UPDATE items SET embedding = ?, embedding_checksum = ?, space = ? WHERE key = ?');
    this.#left = database.prepare<[], { collection: number; space: number }>(
      'SELECT collection, number AS space FROM spaces WHERE EXISTS (SELECT 1 FROM reembedded WHERE reembedded.collection = spaces.collection AND space = number)',
    );
  }

  get(collection: number): ReembeddingRow | undefined {
    const row = this.#get.get(collection);
    return row && toRow(row);
  }

  /** The spaces that the collection was in, is in and was to go over to. */
  spaces({ key, space: number, model, fingerprint, dimension }: CollectionRow): NumberedSpace[] {
    const others = this.#spaces.all(key).filter((each) => each.number !== number);
    return [...others, { number, model, fingerprint, dimension }];
  }

  insert(collection: CollectionRow, { model, fingerprint, dimension, fromThumbnails, skipImpossible }: ReembeddingTarget): void {
    const number = Math.max(...this.spaces(collection).map((space) => space.number)) + 1;
    this.#rememberSpace.run(collection.key, collection.space, collection.model, collection.fingerprint, collection.dimension);
    this.#rememberSpace.run(collection.key, number, model, fingerprint, dimension);
    this.#insert.run(collection.key, number, Number(fromThumbnails), Number(skipImpossible), new Date().toISOString());
  }

  /** With the target's options; what was impossible waits again. */
  resume(collection: number, space: number, { fromThumbnails, skipImpossible }: ReembeddingTarget): void {
    this.#forgetImpossible.run(collection, space);
    this.#resume.run(Number(fromThumbnails), Number(skipImpossible), collection);
  }

  stop(collection: number, problem: string | undefined): void {
    this.#stop.run(problem ?? null, collection);
  }

  remove(collection: number): void {
    this.#remove.run(collection);
  }

  /** Items behind `after` in key order, each with whether it waits for its outcome. */
  page(collection: number, space: number, modality: Modality, after: number, limit: number): { key: number; waits: 0 | 1 }[] {
    return this.#page.all(space, collection, modality, after, limit);
  }

  /** Whether there is an item behind `after`. */
  hasBehind(collection: number, modality: Modality, after: number): boolean {
    return this.#waits.get(collection, modality, after) !== undefined;
  }

  put(collection: number, space: number, outcome: ReembeddedItem): void {
    this.#forget.run(outcome.key);
    const embedding = 'embedding' in outcome ? Buffer.from(outcome.embedding.buffer, outcome.embedding.byteOffset, outcome.embedding.byteLength) : null;
    this.#put.run(space, embedding, embedding && embeddingChecksum(embedding, space), 'impossible' in outcome ? outcome.impossible : null, outcome.key, collection);
  }

  impossible(collection: number, space: number, limit: number): ImpossibleItem[] {
    return this.#impossible.all(collection, space, limit);
  }

  impossibleKeys(collection: number, space: number): number[] {
    return this.#impossibleKeys.all(collection, space);
  }

  /** In the transaction in which the collection goes over: which items have no embedding there is written into their rows. */
  markItems(collection: number, space: number): void {
    this.#markImpossible.run(collection, space);
    this.#unmark.run(collection, space);
  }

  /** Moves some embeddings of the space that the collection has gone over to into their items' rows; false when none is left. */
  settleSome(collection: number, space: number, limit: number): boolean {
    const rows = this.#some.all(collection, space, limit);
    for (const { item, embedding, checksum } of rows) {
      if (embedding) this.#settle.run(embedding, checksum ?? embeddingChecksum(embedding, space), space, item);
      this.#forget.run(item);
    }
    return rows.length > 0;
  }

  /** Throws some embeddings away; false when none is left. */
  discardSome(collection: number, space: number, limit: number): boolean {
    const rows = this.#some.all(collection, space, limit);
    for (const { item } of rows) this.#forget.run(item);
    return rows.length > 0;
  }

  /** Every space of which embeddings wait. */
  left(): { collection: number; space: number }[] {
    return this.#left.all();
  }
}


import type { Modality } from '../../domain/modality.js';
import type { Box } from '../../domain/tiles.js';
import type { ImpossibleItem } from '../reembedding-catalog.js';
import type { EmbeddingKey, EmbeddingTable as Written, Part } from '../writing/tables.js';
import { embeddingChecksum } from './checksums.js';
import type { Damage } from './damage.js';
import type { Database } from './database.js';

export interface EmbeddingRow extends Part {
  key: number;
  /** Its item's key. */
  item: number;
}

export interface SpaceTally {
  modality: Modality;
  /** That have an embedding there. */
  items: number;
  embeddings: number;
  /** Items of which it is said why they have none. */
  unembedded: number;
}

/** At most so many of one modality in one space, in key order behind `after`. */
export interface Range {
  space: number;
  modality: Modality;
  after: number;
  limit: number;
}

type Stored = Pick<EmbeddingRow, 'key' | 'item'> & { vector: Buffer; checksum: number; box: string | null };

const columns = 'embeddings.key, item, vector, checksum, box';
const isNotSetApart = 'NOT EXISTS (SELECT 1 FROM unembedded WHERE unembedded.item = embeddings.item AND unembedded.space = embeddings.space)';

/**
 * Embeddings as rows, and why items have none. `item` and `space` are keys. A damaged embedding is told, and as good as
 * absent, wherever embeddings are read; once its item is set apart, so are all that the item has in that space.
 */
export class EmbeddingTable implements Written {
  readonly #database;
  readonly #damage;
  readonly #isMiscounted;
  readonly #insert;
  readonly #insertUnembedded;
  readonly #keysOf;
  readonly #ofItem;
  readonly #latest;
  readonly #tilesOf;
  readonly #byKey;
  readonly #after;
  readonly #ownersAfter;
  readonly #keys;
  readonly #newestKey;
  readonly #some;
  readonly #tallies;
  readonly #someUnembedded;
  readonly #undecided;
  readonly #outcomes;
  readonly #forget;
  readonly #forgetUnembedded;
  readonly #forgetImpossible;
  readonly #impossible;
  readonly #left;
  readonly #remove;
  readonly #removeOf;
  readonly #removeUnembedded;
  readonly #isEmpty;
  readonly #idOf;

  constructor(database: Database, damage: Damage) {
    this.#database = database;
    this.#damage = damage;
    // By indexes alone: the vectors are not read. `+space`: else SQLite looks by the index that has no parts, and at each row.
    this.#isMiscounted = database
      .prepare<[], 0 | 1>(
        `SELECT EXISTS (SELECT 1 FROM spaces
           LEFT JOIN (SELECT space, sum(items) AS items, sum(embeddings) AS embeddings, sum(unembedded) AS unembedded FROM space_tallies GROUP BY space) AS told ON told.space = key
           LEFT JOIN (SELECT space, count(*) AS embeddings FROM embeddings GROUP BY space) AS held ON held.space = key
           LEFT JOIN (SELECT space, count(*) AS embeddings FROM embeddings WHERE part > 0 GROUP BY +space) AS later ON later.space = key
           LEFT JOIN (SELECT space, count(*) AS unembedded FROM unembedded GROUP BY space) AS missing ON missing.space = key
           WHERE coalesce(told.items, 0) <> coalesce(held.embeddings, 0) - coalesce(later.embeddings, 0) OR coalesce(told.embeddings, 0) <> coalesce(held.embeddings, 0)
             OR coalesce(told.unembedded, 0) <> coalesce(missing.unembedded, 0))`,
      )
      .pluck();
    this.#insert = database.prepare<[number, number, Modality, number, number, Buffer, string | null]>('INSERT INTO embeddings (item, space, modality, part, checksum, vector, box) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#insertUnembedded = database.prepare<[number, number, Modality, string]>('INSERT OR IGNORE INTO unembedded (item, space, modality, reason) VALUES (?, ?, ?, ?)');
    // `+space`: an item has few embeddings and a space has many, by which SQLite would rather look.
    this.#keysOf = database.prepare<[number, number], EmbeddingKey>('SELECT key, modality FROM embeddings WHERE item = ? AND +space = ?');
    this.#ofItem = database.prepare<[number, number], Stored>(`SELECT ${columns} FROM embeddings WHERE item = ? AND +space = ? ORDER BY part`);
    this.#latest = database.prepare<[number], Stored & { space: number }>(
      `SELECT ${columns}, space FROM embeddings JOIN spaces ON spaces.key = space WHERE item = ? AND since IS NOT NULL ORDER BY since DESC, part LIMIT 1`,
    );
    this.#tilesOf = database.prepare<[number, number], EmbeddingKey & { box: string | null; bytes: number }>('SELECT key, modality, box, length(vector) AS bytes FROM embeddings WHERE item = ? AND +space = ? AND part > 0 ORDER BY part');
    this.#byKey = database.prepare<[number, number], Stored>(`SELECT ${columns} FROM embeddings WHERE embeddings.key = ? AND space = ? AND ${isNotSetApart}`);
    this.#after = database.prepare<[number, Modality, number, number], Stored>(
      `SELECT ${columns} FROM embeddings WHERE space = ? AND embeddings.modality = ? AND embeddings.key > ? AND ${isNotSetApart} ORDER BY embeddings.key LIMIT +?`,
    );
    this.#ownersAfter = database
      .prepare<[number, Modality, number, number], [key: number, item: number]>('SELECT key, item FROM embeddings WHERE space = ? AND modality = ? AND key > ? ORDER BY key LIMIT +?')
      .raw();
    this.#keys = database.prepare<[number, Modality], number>(`SELECT key FROM embeddings WHERE space = ? AND modality = ? AND ${isNotSetApart} ORDER BY key`).pluck();
    this.#newestKey = database.prepare<[number, Modality], number | null>('SELECT max(key) FROM embeddings WHERE space = ? AND modality = ?').pluck();
    this.#some = database.prepare<[number], Stored>(`SELECT ${columns} FROM embeddings WHERE space = ? LIMIT 1`);
    this.#tallies = database.prepare<[number], SpaceTally>('SELECT modality, items, embeddings, unembedded FROM space_tallies WHERE space = ?');
    this.#someUnembedded = database.prepare<[number, number], ImpossibleItem>('SELECT id, reason FROM unembedded JOIN items ON items.key = item WHERE space = ? ORDER BY item LIMIT +?');
    this.#undecided = database
      .prepare<[object], number>(
        `SELECT (SELECT count(*) FROM items WHERE collection = :collection)
           - (SELECT count(*) FROM embeddings WHERE space = :space) + (SELECT count(*) FROM embeddings WHERE +space = :space AND part > 0)
           - (SELECT count(*) FROM unembedded WHERE space = :space AND NOT EXISTS (SELECT 1 FROM embeddings WHERE item = unembedded.item AND space = :space AND part = 0))`,
      )
      .pluck();
    this.#outcomes = database.prepare<[object], { key: number; waits: 0 | 1 }>(
      `SELECT key, NOT EXISTS (SELECT 1 FROM embeddings WHERE item = items.key AND space = :space)
           AND NOT EXISTS (SELECT 1 FROM unembedded WHERE item = items.key AND space = :space) AS waits
         FROM items WHERE collection = :collection AND modality = :modality AND key > :after ORDER BY key LIMIT +:limit`,
    );
    this.#forget = database.prepare<[number, number]>('DELETE FROM embeddings WHERE item = ? AND +space = ?');
    this.#forgetUnembedded = database.prepare<[number, number]>('DELETE FROM unembedded WHERE item = ? AND space = ?');
    this.#forgetImpossible = database.prepare<[number]>('DELETE FROM unembedded WHERE space = ?');
    this.#impossible = database.prepare<[number], number>('SELECT item FROM unembedded WHERE space = ?').pluck();
    this.#left = database.prepare<[object], { key: number; isKept: 0 | 1 }>(
      `SELECT key, :since IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM embeddings later JOIN spaces ON spaces.key = later.space WHERE later.item = embeddings.item AND since > :since) AS isKept
         FROM embeddings WHERE space = :space AND modality = :modality AND key > :after ORDER BY key LIMIT +:limit`,
    );
    this.#remove = database.prepare<[number]>('DELETE FROM embeddings WHERE key = ?');
    this.#removeOf = database.prepare<[number]>('DELETE FROM embeddings WHERE item = ?');
    this.#removeUnembedded = database.prepare<[object]>('DELETE FROM unembedded WHERE space = :space AND item IN (SELECT item FROM unembedded WHERE space = :space LIMIT +:limit)');
    this.#idOf = database.prepare<[number], string>('SELECT id FROM items WHERE key = ?').pluck();
    this.#isEmpty = database
      .prepare<[object], 0 | 1>('SELECT NOT EXISTS (SELECT 1 FROM embeddings WHERE space = :space) AND NOT EXISTS (SELECT 1 FROM unembedded WHERE space = :space)')
      .pluck();
  }

  /** Whether the tallies are not of what is there. */
  isMiscounted(): boolean {
    return this.#isMiscounted.get() === 1;
  }

  /** Makes the tallies anew, of what is there. */
  recount(): void {
    this.#database.exec(
      `DELETE FROM space_tallies;
       INSERT INTO space_tallies (space, modality, items, embeddings, bytes, unembedded)
         SELECT space, modality, sum(items), sum(embeddings), sum(bytes), sum(unembedded) FROM (
           SELECT space, modality, part = 0 AS items, 1 AS embeddings, length(vector) AS bytes, 0 AS unembedded FROM embeddings
           UNION ALL SELECT space, modality, 0, 0, 0, 1 FROM unembedded
         ) WHERE space IN (SELECT key FROM spaces) GROUP BY space, modality`,
    );
  }

  /** One row for each part; their keys. */
  insert(item: number, space: number, modality: Modality, parts: Part[]): EmbeddingKey[] {
    return this.#insertFrom(0, { item, space, modality }, parts);
  }

  /** Behind the first part, which it has, in place of all others. How many bytes more there are. */
  replaceTiles(of: { item: number; space: number; modality: Modality }, tiles: Part[]): { gone: EmbeddingKey[]; added: EmbeddingKey[]; bytes: number } {
    const before = this.#tilesOf.all(of.item, of.space);
    for (const { key } of before) this.#remove.run(key);
    return {
      gone: before.map(({ key, modality }) => ({ key, modality })),
      added: this.#insertFrom(1, of, tiles),
      bytes: tiles.reduce((sum, { embedding }) => sum + embedding.byteLength, 0) - before.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  #insertFrom(first: number, { item, space, modality }: { item: number; space: number; modality: Modality }, parts: Part[]): EmbeddingKey[] {
    return parts.map(({ embedding, box }, i) => {
      const vector = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
      const place = box === undefined ? null : JSON.stringify(box);
      return { key: Number(this.#insert.run(item, space, modality, first + i, embeddingChecksum(vector, space, place), vector, place).lastInsertRowid), modality };
    });
  }

  /** Where the parts behind the first lie, as far as it is known; not checked for damage. */
  boxesOf(item: number, space: number): Box[] {
    return this.#tilesOf.all(item, space).flatMap(({ box }) => (box === null ? [] : readableBox(box)));
  }

  /** Says why the item has none in the space, or why those that it has there do not count. The first reason stands. */
  setApart(item: number, space: number, modality: Modality, reason: string): void {
    this.#insertUnembedded.run(item, space, modality, reason);
  }

  /** Of all its parts. */
  keysOf(item: number, space: number): EmbeddingKey[] {
    return this.#keysOf.all(item, space);
  }

  /** All its parts in their order; `undefined` when it has none, or one is damaged. */
  ofItem(item: number, space: number): Part[] | undefined {
    const parts = this.#ofItem.all(item, space).map((stored) => this.#read(stored, space));
    return parts.length > 0 && parts.every((part) => part !== undefined) ? parts : undefined;
  }

  areWhole(item: number, space: number): boolean {
    return this.ofItem(item, space) !== undefined;
  }

  /** The parts in that one, among the spaces that its collection has been in, which it was in last. */
  latest(item: number): { space: number; parts: Part[] } | undefined {
    const stored = this.#latest.get(item);
    const parts = stored && this.ofItem(item, stored.space);
    return parts && { space: stored.space, parts };
  }

  byKey(key: number, space: number): EmbeddingRow | undefined {
    const stored = this.#byKey.get(key, space);
    return stored && this.#read(stored, space);
  }

  /** In key order, behind `after`. Fewer than `limit`: there are no more. */
  after(space: number, modality: Modality, after: number, limit: number): EmbeddingRow[] {
    const found: EmbeddingRow[] = [];
    for (let from = after; ; ) {
      const wanted = limit - found.length;
      const stored = this.#after.all(space, modality, from, wanted);
      for (const each of stored) {
        const row = this.#read(each, space);
        if (row) found.push(row);
      }
      if (stored.length < wanted || found.length === limit) return found;
      from = stored.at(-1)!.key;
    }
  }

  /** Which item each is of, in key order, behind `after`. */
  ownersAfter(space: number, modality: Modality, after: number, limit: number): [key: number, item: number][] {
    return this.#ownersAfter.all(space, modality, after, limit);
  }

  /** Ascending, without those of items that are set apart. */
  keys(space: number, modality: Modality): number[] {
    return this.#keys.all(space, modality);
  }

  /** 0 when there are none. */
  newestKey(space: number, modality: Modality): number {
    return this.#newestKey.get(space, modality) ?? 0;
  }

  /** Reads any one of the space. */
  probe(space: number): void {
    const stored = this.#some.get(space);
    if (stored) this.#read(stored, space);
  }

  tallies(space: number): SpaceTally[] {
    return this.#tallies.all(space);
  }

  /** Those that have none in the space, with why. */
  unembedded(space: number, limit: number): ImpossibleItem[] {
    return this.#someUnembedded.all(space, limit);
  }

  unembeddedKeys(space: number): number[] {
    return this.#impossible.all(space);
  }

  /** How many of the collection's items have neither a first part in the space nor a reason why not: by counting, not by looking at each. */
  undecided(collection: number, space: number): number {
    return this.#undecided.get({ collection, space })!;
  }

  /** Items by their keys; one `waits` that has neither an embedding in the space nor a reason why not. */
  outcomes(collection: number, range: Range): { key: number; waits: 0 | 1 }[] {
    return this.#outcomes.all({ collection, ...range });
  }

  /** Whatever was said of the item in the space. */
  forget(item: number, space: number): void {
    this.#forget.run(item, space);
    this.#forgetUnembedded.run(item, space);
  }

  /** All that the item has, in whatever space. */
  removeOf(item: number): void {
    this.#removeOf.run(item);
  }

  forgetUnembedded(space: number): void {
    this.#forgetImpossible.run(space);
  }

  /**
   * Removes some of what is left in a space that its collection is not in; what is kept is
   * an embedding whose item has none of a later space. `since`: as the space's. Where to go on; `undefined` at the end.
   */
  sweepSome(since: number | null, range: Range): number | undefined {
    const left = this.#left.all({ since, ...range });
    for (const { key, isKept } of left) if (!isKept) this.#remove.run(key);
    return left.length === range.limit ? left.at(-1)!.key : undefined;
  }

  /** Removes some of the reasons why items have none in such a space; false when none is left. */
  sweepSomeUnembedded(space: number, limit: number): boolean {
    return this.#removeUnembedded.run({ space, limit }).changes === limit;
  }

  isEmpty(space: number): boolean {
    return this.#isEmpty.get({ space }) === 1;
  }

  #read({ key, item, vector, checksum, box }: Stored, space: number): EmbeddingRow | undefined {
    if (checksum === embeddingChecksum(vector, space, box) && vector.byteLength % 4 === 0) return { key, item, embedding: toEmbedding(vector), box: box === null ? undefined : toBox(box) };
    this.#damage.embedding(item, this.#idOf.get(item) ?? '');
    return undefined;
  }
}

/** A view of the bytes where they are aligned. */
function toEmbedding(stored: Buffer): Float32Array {
  const { buffer, byteOffset, byteLength } = stored.byteOffset % 4 === 0 ? stored : Uint8Array.from(stored);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** Of a row that is not checked for damage. */
function readableBox(stored: string): Box[] {
  try {
    return [toBox(stored)];
  } catch {
    return [];
  }
}

const toBox = (stored: string): Box => JSON.parse(stored) as Box;

/**
 * Carries the items of an older database over to the tables of today: an embedding was a column of its item's row, and
 * those of another space lay in a table of their own. Whatever was damaged stays as damaged as it was.
 */
import type { Log } from '../../telemetry.js';
import { checksumOf, embeddingChecksum, itemChecksum, type CollectionColumns, type ItemColumns } from './checksums.js';
import { CollectionTable } from './collection-table.js';
import type { Database } from './database.js';

const tellEveryMs = 5_000;

interface OldItem extends ItemColumns {
  key: number;
  collection: number;
  metadata: string;
  /** The number, in its collection, of the embedding's space. */
  space: number;
  embedding: Buffer;
  unembedded: string | null;
  checksum: number | null;
  metadata_checksum: number | null;
  embedding_checksum: number | null;
  thumbnail_checksum: number | null;
}

interface OldEmbedding {
  space: number;
  embedding: Buffer | null;
  reason: string | null;
  embedding_checksum: number | null;
}

interface OldCollection {
  /** Its present space's number and key. */
  space: number;
  key: number;
  /** Of all its spaces, by number. */
  keys: Map<number, number>;
  /** The number of the space it is on its way to. */
  target: number | undefined;
}

/** `rowsAtOnce`: in one transaction. Nothing is lost when the process ends at any moment: the next call goes on. */
export function carryOver(database: Database, rowsAtOnce: number, log: Log): void {
  const left = database.prepare<[], number>('SELECT count(*) FROM old_items').pluck().get()!;
  if (left > 0) {
    const total = database.prepare<[], number>('SELECT coalesce(sum(items), 0) FROM tallies').pluck().get()!;
    const carrier = new Carrier(database);
    let done = total - left;
    const tell = (): void => log('info', `The database is carried over to this version's tables: ${done} of ${total} items are done.`, { done, total });
    tell();
    let told = performance.now();
    for (let carried: number; (carried = carrier.carrySome(rowsAtOnce)) > 0; ) {
      done += carried;
      if (performance.now() - told < tellEveryMs) continue;
      tell();
      told = performance.now();
    }
    tell();
  }
  const collections = new CollectionTable(database);
  database.transaction(() => collections.sealAll()).immediate();
}

/** As the schema before this one has them; their checksums are null where they are older than those. */
export function oldCollections(database: Database): (CollectionColumns & { checksum: number | null })[] {
  return database
    .prepare<[], CollectionColumns & { checksum: number | null }>(
      'SELECT key, name, description, model, fingerprint, dimension, originals, space, since, created_at AS createdAt, checksum FROM collections WHERE name IS NOT NULL ORDER BY name',
    )
    .all();
}

const itemColumns =
  'key, collection, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, created_at, updated_at';

class Carrier {
  readonly #database: Database;
  readonly #collections = new Map<number, OldCollection>();
  readonly #some;
  readonly #other;
  readonly #thumbnail;
  readonly #insertItem;
  readonly #insertEmbedding;
  readonly #insertUnembedded;
  readonly #removeItem;
  readonly #removeOther;

  constructor(database: Database) {
    this.#database = database;
    this.#some = database.prepare<[number], OldItem>(
      `SELECT ${itemColumns}, space, embedding, unembedded, checksum, metadata_checksum, embedding_checksum, thumbnail_checksum FROM old_items ORDER BY key LIMIT ?`,
    );
    this.#other = database.prepare<[number], OldEmbedding>('SELECT space, embedding, reason, embedding_checksum FROM old_reembedded WHERE item = ?');
    this.#thumbnail = database.prepare<[number], Buffer>('SELECT webp FROM thumbnails WHERE item = ?').pluck();
    // From row to row: a text whose bytes are no UTF-8 any more would come out of here as another one.
    this.#insertItem = database.prepare<[number, number, number | null, number]>(
      `INSERT INTO items (${itemColumns}, checksum, metadata_checksum, thumbnail_checksum) SELECT ${itemColumns}, ?, ?, ? FROM old_items WHERE key = ?`,
    );
    this.#insertEmbedding = database.prepare<[number | null, number, number, string, number, Buffer]>(
      'INSERT INTO embeddings (key, item, space, modality, part, checksum, vector) VALUES (?, ?, ?, ?, 0, ?, ?)',
    );
    this.#insertUnembedded = database.prepare<[number, number, string, string]>('INSERT INTO unembedded (item, space, modality, reason) VALUES (?, ?, ?, ?)');
    this.#removeItem = database.prepare<[number]>('DELETE FROM old_items WHERE key = ?');
    this.#removeOther = database.prepare<[number]>('DELETE FROM old_reembedded WHERE item = ?');
    const spaces = database.prepare<[], { collection: number; number: number; key: number; present: number; target: number | null }>(
      `SELECT old_spaces.collection, number, old_spaces.key, collections.space AS present, reembeddings.space AS target
         FROM old_spaces JOIN collections ON collections.key = old_spaces.collection LEFT JOIN reembeddings ON reembeddings.collection = old_spaces.collection`,
    );
    for (const { collection, number, key, present, target } of spaces.all()) {
      let of = this.#collections.get(collection);
      if (!of) this.#collections.set(collection, (of = { space: number, key, keys: new Map(), target: undefined }));
      of.keys.set(number, key);
      if (key === present) Object.assign(of, { space: number, key });
      if (key === target) of.target = number;
    }
  }

  /** How many items. */
  carrySome(limit: number): number {
    return this.#database
      .transaction(() => {
        const rows = this.#some.all(limit);
        for (const row of rows) this.#carry(row);
        return rows.length;
      })
      .immediate();
  }

  #carry(item: OldItem): void {
    const { key, modality } = item;
    const collection = this.#collections.get(item.collection)!;
    const thumbnailChecksum = item.checksum === null ? this.#checksumOfThumbnail(key) : item.thumbnail_checksum;
    this.#insertItem.run(item.checksum ?? itemChecksum(item), item.metadata_checksum ?? checksumOf(item.metadata), thumbnailChecksum, key);

    const put = (embeddingKey: number | null, { from, to }: { from: number; to: number }, vector: Buffer, checksum: number | null): void => {
      this.#insertEmbedding.run(embeddingKey, key, to, modality, carriedChecksum(vector, checksum, from, to), vector);
    };
    const other = this.#other.get(key);
    if (other && other.space === collection.space && other.embedding && item.space !== collection.space) {
      // Its collection has gone over; the embedding had not been moved to the item's row yet.
      put(key, { from: other.space, to: collection.key }, other.embedding, other.embedding_checksum);
    } else {
      // Of a space that nobody knows: the number is damaged, and the checksum, which covers it, says so.
      const known = collection.keys.get(item.space);
      const to = known ?? collection.key;
      put(to === collection.key ? key : null, { from: item.space, to }, item.embedding, known === undefined ? (item.embedding_checksum ?? 0) : item.embedding_checksum);
    }
    if (item.unembedded !== null) this.#insertUnembedded.run(key, collection.key, modality, item.unembedded);
    if (other && other.space === collection.target) {
      const to = collection.keys.get(other.space)!;
      if (other.embedding) put(null, { from: other.space, to }, other.embedding, other.embedding_checksum);
      else this.#insertUnembedded.run(key, to, modality, other.reason!);
    }
    if (other) this.#removeOther.run(key);
    this.#removeItem.run(key);
  }

  #checksumOfThumbnail(item: number): number | null {
    const thumbnail = this.#thumbnail.get(item);
    return thumbnail ? checksumOf(thumbnail) : null;
  }
}

/** By as much as the old checksum is beside what it should be, the new one is. */
function carriedChecksum(vector: Buffer, checksum: number | null, from: number, to: number): number {
  const right = embeddingChecksum(vector, to);
  return checksum === null ? right : (right ^ checksum ^ embeddingChecksum(vector, from)) >>> 0;
}


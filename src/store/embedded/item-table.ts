import type { Item, ItemContent, Metadata, Modality } from '../store.js';
import type { Database } from './database.js';

/** An item's row without its embedding; `metadata` and `sources` are JSON. */
export interface ItemRow {
  key: number;
  id: string;
  modality: Modality;
  content_hash: string;
  text: string | null;
  metadata: string;
  sources: string;
  width: number | null;
  height: number | null;
  taken_at: string | null;
  media_type: string | null;
  path: string | null;
  original_bytes: number | null;
  thumbnail_bytes: number | null;
  /** Of the embedding in the row. */
  space: number;
  /** Why it has no embedding of the collection's space. */
  unembedded: string | null;
  created_at: string;
  updated_at: string;
}

export interface NewItem {
  id: string;
  /** The number of its embedding's space. */
  space: number;
  content: ItemContent & { embedding: Float32Array; thumbnail?: Uint8Array; original?: Uint8Array };
  metadata: string;
  sources: string;
  createdAt: string;
  updatedAt: string;
}

export interface EmbeddingRow {
  key: number;
  id: string;
  embedding: Float32Array;
}

type StoredEmbedding = Omit<EmbeddingRow, 'embedding'> & { embedding: Buffer | null };

const columns =
  'key, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, space, unembedded, created_at, updated_at';

/** An item's embedding of the space whose number is given twice; NULL where it has none. */
const embeddingColumn = 'CASE space WHEN ? THEN embedding ELSE (SELECT other.embedding FROM reembedded other WHERE other.item = items.key AND other.space = ?) END AS embedding';

/** Items as rows. `key` is the row's and the graph's, `collection` the collection's key. */
export class ItemTable {
  readonly #database;
  readonly #insert;
  readonly #insertThumbnail;
  readonly #update;
  readonly #attach;
  readonly #remove;
  readonly #byKey;
  readonly #byId;
  readonly #page;
  readonly #keys;
  readonly #embeddedKeys;
  readonly #unembedded;
  readonly #someUnembedded;
  readonly #newestKey;
  readonly #someOf;
  readonly #embedding;
  readonly #embeddingInRow;
  readonly #embeddingsAfter;
  readonly #metadataAfter;
  readonly #thumbnail;
  readonly #namesOriginal;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.prepare(
      `INSERT INTO items (collection, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path,
         original_bytes, thumbnail_bytes, created_at, updated_at, space, embedding) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertThumbnail = database.prepare<[number, Uint8Array]>('INSERT INTO thumbnails (item, webp) VALUES (?, ?)');
    this.#update = database.prepare<[string, string, string, number]>('UPDATE items SET metadata = ?, sources = ?, updated_at = ? WHERE key = ?');
    this.#attach = database.prepare<[string | null, number | null, number | null, number]>(
      'UPDATE items SET path = ?, original_bytes = ?, thumbnail_bytes = ? WHERE key = ?',
    );
    this.#remove = database.prepare<[number]>('DELETE FROM items WHERE key = ?');
    this.#byKey = database.prepare<[number], ItemRow>(`SELECT ${columns} FROM items WHERE key = ?`);
    this.#byId = database.prepare<[number, string], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? AND id = ?`);
    this.#page = database.prepare<[number, string, number], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? AND id > ? ORDER BY id LIMIT ?`);
    this.#keys = database.prepare<[number, Modality], number>('SELECT key FROM items WHERE collection = ? AND modality = ? ORDER BY key').pluck();
    this.#embeddedKeys = database
      .prepare<[number, Modality], number>('SELECT key FROM items WHERE collection = ? AND modality = ? AND unembedded IS NULL ORDER BY key')
      .pluck();
    this.#unembedded = database.prepare<[number, Modality], number>('SELECT count(*) FROM items WHERE collection = ? AND modality = ? AND unembedded IS NOT NULL').pluck();
    this.#someUnembedded = database.prepare<[number, number], { id: string; reason: string }>(
      'SELECT id, unembedded AS reason FROM items WHERE collection = ? AND unembedded IS NOT NULL LIMIT ?',
    );
    this.#newestKey = database.prepare<[number, Modality], number | null>('SELECT max(key) FROM items WHERE collection = ? AND modality = ?').pluck();
    this.#someOf = database.prepare<[number, number], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? LIMIT ?`);
    this.#embedding = database.prepare<[number, number, number], StoredEmbedding>(`SELECT key, id, ${embeddingColumn} FROM items WHERE key = ? AND unembedded IS NULL`);
    this.#embeddingInRow = database.prepare<[number], Buffer>('SELECT embedding FROM items WHERE key = ?').pluck();
    this.#embeddingsAfter = database.prepare<[number, number, number, Modality, number, number], StoredEmbedding>(
      `SELECT key, id, ${embeddingColumn} FROM items WHERE collection = ? AND modality = ? AND key > ? AND unembedded IS NULL ORDER BY key LIMIT ?`,
    );
    this.#metadataAfter = database.prepare<[number, Modality, number, number], { key: number; metadata: string }>(
      'SELECT key, metadata FROM items WHERE collection = ? AND modality = ? AND key > ? ORDER BY key LIMIT ?',
    );
    this.#thumbnail = database.prepare<[number], Buffer>('SELECT webp FROM thumbnails WHERE item = ?').pluck();
    this.#namesOriginal = database.prepare<[string], number>('SELECT 1 FROM items WHERE content_hash = ? AND original_bytes IS NOT NULL LIMIT 1').pluck();
  }

  /** Runs all of it or, when it throws, none of it; on disk when it returns. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  /** The new row's key. */
  insert(collection: number, item: NewItem): number {
    const { content } = item;
    const { lastInsertRowid } = this.#insert.run(
      collection,
      item.id,
      content.modality,
      content.contentHash,
      content.text ?? null,
      item.metadata,
      item.sources,
      content.width ?? null,
      content.height ?? null,
      content.takenAt ?? null,
      content.mediaType ?? null,
      content.path ?? null,
      content.original?.byteLength ?? null,
      content.thumbnail?.byteLength ?? null,
      item.createdAt,
      item.updatedAt,
      item.space,
      Buffer.from(content.embedding.buffer, content.embedding.byteOffset, content.embedding.byteLength),
    );
    const key = Number(lastInsertRowid);
    if (content.thumbnail) this.#insertThumbnail.run(key, content.thumbnail);
    return key;
  }

  update(key: number, metadata: string, sources: string, updatedAt: string): void {
    this.#update.run(metadata, sources, updatedAt, key);
  }

  /** Gives a row what came with the same content and it lacked; the newest path holds. */
  attach(row: ItemRow, content: NewItem['content']): void {
    const path = content.path ?? row.path;
    const original = row.original_bytes ?? content.original?.byteLength ?? null;
    const thumbnail = row.thumbnail_bytes ?? content.thumbnail?.byteLength ?? null;
    if (path === row.path && original === row.original_bytes && thumbnail === row.thumbnail_bytes) return;
    this.#attach.run(path, original, thumbnail, row.key);
    if (row.thumbnail_bytes === null && content.thumbnail) this.#insertThumbnail.run(row.key, content.thumbnail);
  }

  remove(key: number): void {
    this.#remove.run(key);
  }

  byKey(key: number): ItemRow | undefined {
    return this.#byKey.get(key);
  }

  byId(collection: number, id: string): ItemRow | undefined {
    return this.#byId.get(collection, id);
  }

  /** By id, behind `after`. */
  page(collection: number, after: string, limit: number): ItemRow[] {
    return this.#page.all(collection, after, limit);
  }

  /** Ascending. */
  keys(collection: number, modality: Modality): number[] {
    return this.#keys.all(collection, modality);
  }

  /** Those that have an embedding of the collection's space, ascending. */
  embeddedKeys(collection: number, modality: Modality): number[] {
    return this.#embeddedKeys.all(collection, modality);
  }

  /** How many have none of the collection's space. */
  unembedded(collection: number, modality: Modality): number {
    return this.#unembedded.get(collection, modality)!;
  }

  someUnembedded(collection: number, limit: number): { id: string; reason: string }[] {
    return this.#someUnembedded.all(collection, limit);
  }

  /** 0 when there are no items. */
  newestKey(collection: number, modality: Modality): number {
    return this.#newestKey.get(collection, modality) ?? 0;
  }

  someOf(collection: number, limit: number): ItemRow[] {
    return this.#someOf.all(collection, limit);
  }

  /** Of the space with this number. */
  embedding(key: number, space: number): EmbeddingRow | undefined {
    return readEmbedding(this.#embedding.get(space, space, key));
  }

  /** Whichever space it is of. */
  embeddingInRow(key: number): Float32Array | undefined {
    const stored = this.#embeddingInRow.get(key);
    return stored && toEmbedding(stored);
  }

  /** In key order, behind `after`; of the space with this number, which is the collection's. */
  embeddingsAfter(collection: number, space: number, modality: Modality, after: number, limit: number): EmbeddingRow[] {
    return this.#embeddingsAfter.all(space, space, collection, modality, after, limit).flatMap((row) => readEmbedding(row) ?? []);
  }

  /** In key order, behind `after`. */
  metadataAfter(collection: number, modality: Modality, after: number, limit: number): { key: number; metadata: string }[] {
    return this.#metadataAfter.all(collection, modality, after, limit);
  }

  thumbnail(key: number): Buffer | undefined {
    return this.#thumbnail.get(key);
  }

  /** Whether any item, of any collection, keeps the original of this content. */
  namesOriginal(contentHash: string): boolean {
    return this.#namesOriginal.get(contentHash) !== undefined;
  }
}

/** Undefined where there is none. */
function readEmbedding(row: StoredEmbedding | undefined): EmbeddingRow | undefined {
  if (!row?.embedding) return undefined;
  const { key, id, embedding } = row;
  return { key, id, embedding: toEmbedding(embedding) };
}

/** A view of the bytes where they are aligned. */
export function toEmbedding(stored: Buffer): Float32Array {
  const { buffer, byteOffset, byteLength } = stored.byteOffset % 4 === 0 ? stored : Uint8Array.from(stored);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

export function toItem(row: ItemRow): Item {
  return {
    id: row.id,
    modality: row.modality,
    contentHash: row.content_hash,
    ...(row.text === null ? {} : { text: row.text }),
    metadata: JSON.parse(row.metadata) as Metadata,
    sources: JSON.parse(row.sources) as string[],
    ...(row.width === null ? {} : { width: row.width }),
    ...(row.height === null ? {} : { height: row.height }),
    ...(row.taken_at === null ? {} : { takenAt: row.taken_at }),
    ...(row.media_type === null ? {} : { mediaType: row.media_type }),
    hasImage: row.modality === 'image' && (row.thumbnail_bytes !== null || row.original_bytes !== null || row.path !== null),
    ...(row.unembedded === null ? {} : { unembedded: row.unembedded }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

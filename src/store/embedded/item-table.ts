import type { Metadata } from '../../domain/metadata.js';
import type { Modality } from '../../domain/modality.js';
import type { Item, ItemContent } from '../store.js';
import { checksumOf, embeddingChecksum, itemChecksum } from './checksums.js';
import type { Commits } from './commits.js';
import type { Damage } from './damage.js';
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
  /** NULL in a row that is older than its checksums. */
  checksum: number | null;
  metadata_checksum: number | null;
  thumbnail_checksum: number | null;
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

type StoredEmbedding = Omit<EmbeddingRow, 'embedding'> & { embedding: Buffer | null; checksum: number | null };

const columns =
  'key, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, space, unembedded, created_at, updated_at, checksum, metadata_checksum, thumbnail_checksum';

/** An item's embedding, with its checksum, of the space whose number is :space; NULL where it has none. */
const ofSpace = (column: string): string =>
  `CASE space WHEN :space THEN ${column} ELSE (SELECT other.${column} FROM reembedded other WHERE other.item = items.key AND other.space = :space) END`;
const embeddingColumns = `${ofSpace('embedding')} AS embedding, ${ofSpace('embedding_checksum')} AS checksum`;

/** Items as rows. `key` is the row's and the graph's, `collection` the collection's key. */
export class ItemTable {
  readonly #commits;
  readonly #damage;
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
  readonly #setUnembedded;
  readonly #unsealed;
  readonly #hasUnsealed;
  readonly #collectionOf;
  readonly #seal;

  constructor(database: Database, commits: Commits, damage: Damage) {
    this.#commits = commits;
    this.#damage = damage;
    this.#insert = database.prepare(
      `INSERT INTO items (collection, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path,
         original_bytes, thumbnail_bytes, created_at, updated_at, space, embedding,
         checksum, metadata_checksum, embedding_checksum, thumbnail_checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertThumbnail = database.prepare<[number, Uint8Array]>('INSERT INTO thumbnails (item, webp) VALUES (?, ?)');
    this.#update = database.prepare('UPDATE items SET metadata = ?, sources = ?, updated_at = ?, checksum = ?, metadata_checksum = ? WHERE key = ?');
    this.#attach = database.prepare('UPDATE items SET path = ?, original_bytes = ?, thumbnail_bytes = ?, checksum = ?, thumbnail_checksum = ? WHERE key = ?');
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
    this.#embedding = database.prepare<[object], StoredEmbedding>(`SELECT key, id, ${embeddingColumns} FROM items WHERE key = :key AND unembedded IS NULL`);
    this.#embeddingInRow = database.prepare<[number], StoredEmbedding>('SELECT key, id, embedding, embedding_checksum AS checksum FROM items WHERE key = ?');
    this.#embeddingsAfter = database.prepare<[object], StoredEmbedding>(
      `SELECT key, id, ${embeddingColumns} FROM items WHERE collection = :collection AND modality = :modality AND key > :after AND unembedded IS NULL ORDER BY key LIMIT :limit`,
    );
    this.#metadataAfter = database.prepare<[number, Modality, number, number], { key: number; id: string; metadata: string; checksum: number | null }>(
      'SELECT key, id, metadata, metadata_checksum AS checksum FROM items WHERE collection = ? AND modality = ? AND key > ? ORDER BY key LIMIT ?',
    );
    this.#thumbnail = database.prepare<[number], Buffer>('SELECT webp FROM thumbnails WHERE item = ?').pluck();
    this.#namesOriginal = database.prepare<[string], number>('SELECT 1 FROM items WHERE content_hash = ? AND original_bytes IS NOT NULL LIMIT 1').pluck();
    this.#setUnembedded = database.prepare<[string, number]>('UPDATE items SET unembedded = ? WHERE key = ?');
    this.#unsealed = database.prepare<[number], ItemRow & { embedding: Buffer }>(`SELECT ${columns}, embedding FROM items WHERE checksum IS NULL ORDER BY key LIMIT ?`);
    this.#hasUnsealed = database.prepare<[], number>('SELECT 1 FROM items WHERE checksum IS NULL LIMIT 1').pluck();
    this.#collectionOf = database.prepare<[number], number>('SELECT collection FROM items WHERE key = ?').pluck();
    this.#seal = database.prepare('UPDATE items SET checksum = ?, metadata_checksum = ?, embedding_checksum = ?, thumbnail_checksum = ? WHERE key = ?');
  }

  /** Runs all of it or, when it throws, none of it; on disk when it returns. */
  transaction<T>(work: () => T): T {
    return this.#commits.run(work);
  }

  /** The new row's key. */
  insert(collection: number, item: NewItem): number {
    const { content } = item;
    const embedding = Buffer.from(content.embedding.buffer, content.embedding.byteOffset, content.embedding.byteLength);
    const row = {
      id: item.id,
      modality: content.modality,
      content_hash: content.contentHash,
      text: content.text ?? null,
      sources: item.sources,
      width: content.width ?? null,
      height: content.height ?? null,
      taken_at: content.takenAt ?? null,
      media_type: content.mediaType ?? null,
      path: content.path ?? null,
      original_bytes: content.original?.byteLength ?? null,
      thumbnail_bytes: content.thumbnail?.byteLength ?? null,
      created_at: item.createdAt,
      updated_at: item.updatedAt,
    };
    const { lastInsertRowid } = this.#insert.run(
      collection,
      row.id,
      row.modality,
      row.content_hash,
      row.text,
      item.metadata,
      row.sources,
      row.width,
      row.height,
      row.taken_at,
      row.media_type,
      row.path,
      row.original_bytes,
      row.thumbnail_bytes,
      row.created_at,
      row.updated_at,
      item.space,
      embedding,
      itemChecksum(row),
      checksumOf(item.metadata),
      embeddingChecksum(embedding, item.space),
      content.thumbnail ? checksumOf(content.thumbnail) : null,
    );
    const key = Number(lastInsertRowid);
    if (content.thumbnail) this.#insertThumbnail.run(key, content.thumbnail);
    return key;
  }

  update(row: ItemRow, metadata: string, sources: string, updatedAt: string): void {
    this.#update.run(metadata, sources, updatedAt, itemChecksum({ ...row, sources, updated_at: updatedAt }), checksumOf(metadata), row.key);
  }

  /** Gives a row what came with the same content and it lacked; the newest path holds. */
  attach(row: ItemRow, content: NewItem['content']): ItemRow {
    const path = content.path ?? row.path;
    const original_bytes = row.original_bytes ?? content.original?.byteLength ?? null;
    const thumbnail_bytes = row.thumbnail_bytes ?? content.thumbnail?.byteLength ?? null;
    if (path === row.path && original_bytes === row.original_bytes && thumbnail_bytes === row.thumbnail_bytes) return row;
    const thumbnail_checksum = row.thumbnail_bytes === null && content.thumbnail ? checksumOf(content.thumbnail) : row.thumbnail_checksum;
    const attached = { ...row, path, original_bytes, thumbnail_bytes, thumbnail_checksum };
    this.#attach.run(path, original_bytes, thumbnail_bytes, itemChecksum(attached), thumbnail_checksum, row.key);
    if (row.thumbnail_bytes === null && content.thumbnail) this.#insertThumbnail.run(row.key, content.thumbnail);
    return attached;
  }

  remove(key: number): void {
    this.#remove.run(key);
  }

  byKey(key: number): ItemRow | undefined {
    return this.#byKey.get(key);
  }

  /** The key of the item's collection. */
  collectionOf(key: number): number | undefined {
    return this.#collectionOf.get(key);
  }

  byId(collection: number, id: string): ItemRow | undefined {
    const row = this.#byId.get(collection, id);
    if (row && row.id !== id) throw this.#damage.row(row.key, id);
    return row;
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

  /** Of the space with this number. Damaged ones are told, and as good as absent, here and below. */
  embedding(key: number, space: number): EmbeddingRow | undefined {
    return this.#readEmbedding(this.#embedding.get({ key, space }), space);
  }

  /** Whichever space it is of. */
  embeddingInRow({ key, space }: ItemRow): Float32Array | undefined {
    return this.#readEmbedding(this.#embeddingInRow.get(key), space)?.embedding;
  }

  /** In key order, behind `after`; of the space with this number, which is the collection's. Fewer than `limit`: there are no more. */
  embeddingsAfter(collection: number, space: number, modality: Modality, after: number, limit: number): EmbeddingRow[] {
    const rows: EmbeddingRow[] = [];
    for (let from = after; ; ) {
      const wanted = limit - rows.length;
      const stored = this.#embeddingsAfter.all({ collection, space, modality, after: from, limit: wanted });
      for (const each of stored) {
        const row = this.#readEmbedding(each, space);
        if (row) rows.push(row);
      }
      if (stored.length < wanted || rows.length === limit) return rows;
      from = stored.at(-1)!.key;
    }
  }

  /** In key order, behind `after`; without metadata where it is damaged. */
  metadataAfter(collection: number, modality: Modality, after: number, limit: number): { key: number; metadata: string | undefined }[] {
    return this.#metadataAfter.all(collection, modality, after, limit).map(({ key, id, metadata, checksum }) => {
      if (checksum === null || checksum === checksumOf(metadata)) return { key, metadata };
      this.#damage.row(key, id);
      return { key, metadata: undefined };
    });
  }

  thumbnail({ key, id, thumbnail_bytes, thumbnail_checksum }: ItemRow): Buffer | 'none' | 'damaged' {
    if (thumbnail_bytes === null) return 'none';
    const bytes = this.#thumbnail.get(key);
    if (bytes && (thumbnail_checksum === null || thumbnail_checksum === checksumOf(bytes))) return bytes;
    this.#damage.tell('A thumbnail does not match its checksum: it is not shown until its picture is sent again.', { id, key });
    return 'damaged';
  }

  /** Whether what the row says, without its metadata, is as it was written. */
  isSound(row: ItemRow): boolean {
    return row.checksum === null || row.checksum === itemChecksum(row);
  }

  hasSoundMetadata({ metadata, metadata_checksum }: ItemRow): boolean {
    return metadata_checksum === null || metadata_checksum === checksumOf(metadata);
  }

  /** Whether all that the database holds of the item is as it was written. */
  isWhole(row: ItemRow): boolean {
    return this.isSound(row) && this.hasSoundMetadata(row) && this.embeddingInRow(row) !== undefined && this.thumbnail(row) !== 'damaged';
  }

  /** Errors: `not_ready` when the row is damaged. */
  toItem(row: ItemRow): Item {
    if (!this.isSound(row) || !this.hasSoundMetadata(row)) throw this.#damage.row(row.key, row.id);
    return toItem(row);
  }

  setUnembedded(key: number, reason: string): void {
    this.#setUnembedded.run(reason, key);
  }

  hasUnsealed(): boolean {
    return this.#hasUnsealed.get() !== undefined;
  }

  /** Gives some rows that are older than their checksums theirs. */
  sealSome(limit: number): void {
    const rows = this.#unsealed.all(limit);
    for (const row of rows) {
      const thumbnail = this.#thumbnail.get(row.key);
      this.#seal.run(itemChecksum(row), checksumOf(row.metadata), embeddingChecksum(row.embedding, row.space), thumbnail ? checksumOf(thumbnail) : null, row.key);
    }
  }

  /** Whether any item, of any collection, keeps the original of this content. */
  namesOriginal(contentHash: string): boolean {
    return this.#namesOriginal.get(contentHash) !== undefined;
  }

  #readEmbedding(row: StoredEmbedding | undefined, space: number): EmbeddingRow | undefined {
    if (!row) return undefined;
    const { key, id, embedding, checksum } = row;
    if (!embedding) {
      // Its collection has gone over to another space meanwhile, or it is lost.
      this.#damage.onEmbedding(key);
      return undefined;
    }
    if (checksum === null ? embedding.byteLength % 4 === 0 : checksum === embeddingChecksum(embedding, space)) return { key, id, embedding: toEmbedding(embedding) };
    this.#damage.embedding(key, id);
    return undefined;
  }
}

/** A view of the bytes where they are aligned. */
function toEmbedding(stored: Buffer): Float32Array {
  const { buffer, byteOffset, byteLength } = stored.byteOffset % 4 === 0 ? stored : Uint8Array.from(stored);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

function toItem(row: ItemRow): Item {
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

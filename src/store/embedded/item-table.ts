import type { Metadata } from '../../domain/metadata.js';
import { modalities, type Modality } from '../../domain/modality.js';
import type { Item } from '../catalog.js';
import { fieldsOf, toItem, type StoredItem } from '../stored-item.js';
import type { ItemTable as Written, NewItem } from '../writing/tables.js';
import { checksumOf, itemChecksum } from './checksums.js';
import type { Commits } from './commits.js';
import type { Damage } from './damage.js';
import type { Database } from './database.js';
import type { WordTable } from './full-text/word-table.js';

/** With the checksums of what it says. */
export interface ItemRow extends StoredItem {
  checksum: number;
  metadata_checksum: number;
  thumbnail_checksum: number | null;
}

/** What filters see of a row. */
type FieldColumns = Pick<ItemRow, 'modality' | 'metadata' | 'metadata_checksum' | 'sources' | 'width' | 'height' | 'taken_at' | 'media_type' | 'created_at' | 'updated_at' | 'exif'>;
const fieldColumns = 'key, id, modality, metadata, metadata_checksum, sources, width, height, taken_at, media_type, created_at, updated_at, exif';

const columns = `items.key, items.id, items.modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, items.path, original_bytes, thumbnail_bytes,
  (SELECT reason FROM unembedded WHERE item = items.key AND space = (SELECT space FROM collections WHERE collections.key = items.collection)) AS unembedded,
  created_at, updated_at, exif, items.checksum, metadata_checksum, thumbnail_checksum`;

type ItemValues = [
  key: number, id: string, modality: Modality, content_hash: string, text: string | null, metadata: string, sources: string, width: number | null, height: number | null,
  taken_at: string | null, media_type: string | null, path: string | null, original_bytes: number | null, thumbnail_bytes: number | null, unembedded: string | null,
  created_at: string, updated_at: string, exif: string | null, checksum: number, metadata_checksum: number, thumbnail_checksum: number | null,
];

/** `values`: in the order of `columns`. */
function rowOf(values: ItemValues): ItemRow {
  const [key, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, unembedded, created_at, updated_at, exif, checksum, metadata_checksum, thumbnail_checksum] = values;
  return { key, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path, original_bytes, thumbnail_bytes, unembedded, created_at, updated_at, exif, checksum, metadata_checksum, thumbnail_checksum };
}

/** Items as rows. `key` is the row's, `collection` the collection's key. */
export class ItemTable implements Written<ItemRow> {
  readonly #commits;
  readonly #damage;
  readonly #words;
  readonly #insert;
  readonly #insertThumbnail;
  readonly #update;
  readonly #attach;
  readonly #remove;
  readonly #byKey;
  readonly #byEmbeddings;
  readonly #byId;
  readonly #page;
  readonly #keys;
  readonly #keysAfter;
  readonly #someOf;
  readonly #fieldsAfter;
  readonly #fields;
  readonly #thumbnail;
  readonly #namesOriginal;
  readonly #collectionOf;
  readonly #idOf;
  readonly #keyOf;

  /** `words`: what reads items before their transaction ends; left out where nothing is written. */
  constructor(database: Database, commits: Pick<Commits, 'run'>, damage: Damage, words?: WordTable) {
    this.#commits = commits;
    this.#damage = damage;
    this.#words = words;
    this.#insert = database.prepare(
      `INSERT INTO items (collection, id, modality, content_hash, text, metadata, sources, width, height, taken_at, media_type, path,
         original_bytes, thumbnail_bytes, created_at, updated_at, exif, checksum, metadata_checksum, thumbnail_checksum)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#insertThumbnail = database.prepare<[number, Uint8Array]>('INSERT INTO thumbnails (item, webp) VALUES (?, ?)');
    this.#update = database.prepare('UPDATE items SET metadata = ?, sources = ?, updated_at = ?, checksum = ?, metadata_checksum = ? WHERE key = ?');
    this.#attach = database.prepare('UPDATE items SET path = ?, original_bytes = ?, thumbnail_bytes = ?, checksum = ?, thumbnail_checksum = ? WHERE key = ?');
    this.#remove = database.prepare<[number]>('DELETE FROM items WHERE key = ?');
    this.#byKey = database.prepare<[number], ItemRow>(`SELECT ${columns} FROM items WHERE key = ?`);
    // As objects rows take nearly twice as long.
    this.#byEmbeddings = database
      .prepare<[string], [embedding: number, part: number, ...ItemValues]>(
        `SELECT embeddings.key, part, ${columns} FROM (SELECT value AS wanted FROM json_each(?)) JOIN embeddings ON embeddings.key = wanted JOIN items ON items.key = item`,
      )
      .raw();
    this.#idOf = database.prepare<[number], string>('SELECT id FROM items WHERE key = ?').pluck();
    this.#keyOf = database.prepare<[number, string], number>('SELECT key FROM items WHERE collection = ? AND id = ?').pluck();
    this.#byId = database.prepare<[number, string], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? AND id = ?`);
    this.#page = database.prepare<[number, string, number], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? AND id > ? ORDER BY id LIMIT +?`);
    this.#keys = database.prepare<[number, Modality], number>('SELECT key FROM items WHERE collection = ? AND modality = ? ORDER BY key').pluck();
    this.#keysAfter = database.prepare<[number, Modality, number, number], number>('SELECT key FROM items WHERE collection = ? AND modality = ? AND key > ? ORDER BY key LIMIT +?').pluck();
    this.#someOf = database.prepare<[number, number], ItemRow>(`SELECT ${columns} FROM items WHERE collection = ? LIMIT +?`);
    this.#fieldsAfter = database.prepare<[number, Modality, number, number], FieldColumns & { key: number; id: string }>(
      `SELECT ${fieldColumns} FROM items WHERE collection = ? AND modality = ? AND key > ? ORDER BY key LIMIT +?`,
    );
    this.#fields = database.prepare<[number], FieldColumns & { key: number; id: string }>(`SELECT ${fieldColumns} FROM items WHERE key = ?`);
    this.#thumbnail = database.prepare<[number], Buffer>('SELECT webp FROM thumbnails WHERE item = ?').pluck();
    this.#namesOriginal = database.prepare<[string], number>('SELECT 1 FROM items WHERE content_hash = ? AND original_bytes IS NOT NULL LIMIT 1').pluck();
    this.#collectionOf = database.prepare<[number], number>('SELECT collection FROM items WHERE key = ?').pluck();
  }

  /** Runs all of it or, when it throws, none of it; on disk when it returns. */
  transaction<T>(work: () => T): T {
    return this.#commits.run(() => {
      const outcome = work();
      this.#words?.readNow();
      return outcome;
    });
  }

  /** The new row's key. */
  insert(collection: number, item: NewItem): number {
    const { content } = item;
    const row = {
      id: item.id,
      modality: content.modality,
      content_hash: content.contentHash,
      text: content.text ?? null,
      metadata: item.metadata,
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
      exif: content.exif === undefined ? null : JSON.stringify(content.exif),
    };
    const checksums = { checksum: itemChecksum(row), metadata_checksum: checksumOf(item.metadata), thumbnail_checksum: content.thumbnail ? checksumOf(content.thumbnail) : null };
    return this.insertRow(collection, { ...row, ...checksums }, content.thumbnail);
  }

  /** As another database has it, checksums included: what was damaged there is so here. The new row's key. */
  insertRow(collection: number, row: Omit<ItemRow, 'key' | 'unembedded'>, thumbnail: Uint8Array | undefined): number {
    const { lastInsertRowid } = this.#insert.run(
      collection,
      row.id,
      row.modality,
      row.content_hash,
      row.text,
      row.metadata,
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
      row.exif,
      row.checksum,
      row.metadata_checksum,
      row.thumbnail_checksum,
    );
    const key = Number(lastInsertRowid);
    if (thumbnail) this.#insertThumbnail.run(key, thumbnail);
    return key;
  }

  update(row: ItemRow, metadata: string, sources: string, updatedAt: string): void {
    this.#update.run(metadata, sources, updatedAt, itemChecksum({ ...row, sources, updated_at: updatedAt }), checksumOf(metadata), row.key);
  }

  /** Gives a row what came with the same content and it lacked; the newest path holds. */
  attach(row: ItemRow, content: Pick<NewItem['content'], 'path' | 'original' | 'thumbnail'>): ItemRow {
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

  /** The items that embeddings are of, by those ones' keys, and which of the items' parts those are; without those that have gone. */
  byEmbeddings(keys: number[]): Map<number, { row: ItemRow; part: number }> {
    return new Map(this.#byEmbeddings.all(JSON.stringify(keys)).map(([embedding, part, ...values]) => [embedding, { row: rowOf(values), part }]));
  }

  /** The key of the item's collection. */
  collectionOf(key: number): number | undefined {
    return this.#collectionOf.get(key);
  }

  /** Its id; '' when it has gone. */
  idOf(key: number): string {
    return this.#idOf.get(key) ?? '';
  }

  keyOf(collection: number, id: string): number | undefined {
    return this.#keyOf.get(collection, id);
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

  /** The next ones of all modalities, ascending. */
  keysAfter(collection: number, after: number, limit: number): number[] {
    return modalities
      .flatMap((modality) => this.#keysAfter.all(collection, modality, after, limit))
      .sort((a, b) => a - b)
      .slice(0, limit);
  }

  someOf(collection: number, limit: number): ItemRow[] {
    return this.#someOf.all(collection, limit);
  }

  /** What filters see, in key order, behind `after`; `undefined` where the metadata is damaged. */
  fieldsAfter(collection: number, modality: Modality, after: number, limit: number): { key: number; fields: Metadata | undefined }[] {
    return this.#fieldsAfter.all(collection, modality, after, limit).map((row) => ({ key: row.key, fields: this.#soundFields(row) }));
  }

  /** The same of one; `undefined` where it has gone as well. */
  fields(key: number): Metadata | undefined {
    const row = this.#fields.get(key);
    return row && this.#soundFields(row);
  }

  #soundFields(row: FieldColumns & { key: number; id: string }): Metadata | undefined {
    if (this.hasSoundMetadata(row)) return fieldsOf(row);
    this.#damage.row(row.key, row.id);
    return undefined;
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
    return row.checksum === itemChecksum(row);
  }

  hasSoundMetadata({ metadata, metadata_checksum }: FieldColumns): boolean {
    return metadata_checksum === checksumOf(metadata);
  }

  /** Whether all that the database holds of the item, but for its embeddings, is as it was written. */
  isWhole(row: ItemRow): boolean {
    return this.isSound(row) && this.hasSoundMetadata(row) && this.thumbnail(row) !== 'damaged';
  }

  /** Errors: `not_ready` when the row is damaged. */
  toItem(row: ItemRow): Item {
    if (!this.isSound(row) || !this.hasSoundMetadata(row)) throw this.#damage.row(row.key, row.id);
    return toItem(row);
  }

  /** Whether any item, of any collection, keeps the original of this content. */
  namesOriginal(contentHash: string): boolean {
    return this.#namesOriginal.get(contentHash) !== undefined;
  }
}

import { MixspaceError } from '../../errors.js';
import type { StoredItem } from '../stored-item.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { fromStored } from './stored-text.js';
import { itemsOf } from './tables.js';

/** What a statement selects of `items_N AS items`, in a collection's space: a `StoredItem`, see `toStoredItem`. */
export function itemColumns(space: number): string {
  return `items.key, items.id, items.modality, items.content_hash, items.text, items.metadata, items.sources, items.width, items.height, items.taken_at, items.media_type, items.path,
    items.original_bytes, items.thumbnail_bytes, (SELECT reason FROM unembedded WHERE unembedded.space = ${space} AND unembedded.item = items.key) AS unembedded,
    items.created_at, items.updated_at, items.exif`;
}

/** Of a row with the columns above; what else it has stays. */
export function toStoredItem<Row extends StoredItem>(row: Row): Row {
  return { ...row, text: row.text === null ? null : fromStored(row.text) };
}

/** Those of the ids that are there, in no order. */
export async function itemsByIds(session: Session, { key, space }: CollectionRow, ids: string[]): Promise<StoredItem[]> {
  return (await session.rows<StoredItem>(`SELECT ${itemColumns(space)} FROM ${itemsOf(key)} AS items WHERE id = ANY($1)`, [ids])).map(toStoredItem);
}

/** Those of the keys that are there, in no order. */
export async function itemsByKeys(session: Session, { key, space }: CollectionRow, keys: number[]): Promise<StoredItem[]> {
  return (await session.rows<StoredItem>(`SELECT ${itemColumns(space)} FROM ${itemsOf(key)} AS items WHERE key = ANY($1::bigint[])`, [keys])).map(toStoredItem);
}

/** Errors: `not_found`. */
export async function findItem(session: Session, collection: CollectionRow, id: string): Promise<StoredItem> {
  const [item] = await itemsByIds(session, collection, [id]);
  if (!item) throw missingItem(collection, id);
  return item;
}

export const missingItem = ({ name }: Pick<CollectionRow, 'name'>, id: string): MixspaceError => new MixspaceError('not_found', `There is no item "${id}" in the collection "${name}".`);

/** New keys of items or of embeddings, ascending. */
export async function newKeys(session: Session, of: 'item' | 'embedding', count: number): Promise<number[]> {
  if (count === 0) return [];
  const rows = await session.rows<{ key: number }>(`SELECT nextval('${of}_keys') AS key FROM generate_series(1, $1)`, [count]);
  return rows.map(({ key }) => key).sort((a, b) => a - b);
}

/** What it means for an item to be written, changed or removed, whichever engine has its tables. */
import { isDeepStrictEqual } from 'node:util';
import type { Metadata } from '../../domain/metadata.js';
import type { Modality } from '../../domain/modality.js';
import { sameBoxes } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { AdditionOutcome, ItemWrite, MetadataAddition, WriteStatus } from '../catalog.js';
import type { StoredItem } from '../stored-item.js';
import type { EmbeddingKey, EmbeddingTable, Heritage, ItemTable, NewItem, WrittenCollection } from './tables.js';

/** What a transaction did, for everything that follows the database; told once it is on disk. */
export interface Changes<Row extends StoredItem> {
  /** Embeddings of the collection's space. */
  added: EmbeddingKey[];
  gone: EmbeddingKey[];
  /** Items. */
  removed: Row[];
  /** Items that were there and are, of which something but the content changed. */
  remarked: { key: number; modality: Modality }[];
}

export const noChanges = <Row extends StoredItem>(): Changes<Row> => ({ added: [], gone: [], removed: [], remarked: [] });

interface Tables<Row extends StoredItem> {
  items: ItemTable<Row>;
  embeddings: EmbeddingTable;
}

/** Brings one item to what the write says, inside the caller's transaction. `heritage`: of one that is not there yet. */
export function writeItem<Row extends StoredItem>(tables: Tables<Row>, collection: WrittenCollection, write: ItemWrite & { heritage?: Heritage }, changes: Changes<Row>): WriteStatus {
  const { items } = tables;
  const row = items.byId(collection.key, write.id);
  const { content, heritage } = write;
  const at = new Date().toISOString();
  if (!row) {
    if (!content) throw new MixspaceError('not_found', `There is no item "${write.id}".`);
    const sources = write.source === undefined ? [] : [write.source];
    const metadata = write.metadata === undefined && heritage ? heritage.metadata : JSON.stringify(write.metadata ?? {});
    insertItem(tables, collection, { id: write.id, content, metadata, sources: JSON.stringify(sources), createdAt: heritage?.createdAt ?? at, updatedAt: at }, changes);
    return 'created';
  }

  // Content makes a damaged row whole again; of what it said, only what is sound is kept.
  const isSound = items.isSound(row);
  const isReadable = items.hasSoundMetadata(row);
  if (!content && !(isSound && (isReadable || write.metadata))) items.toItem(row);
  const before = isReadable ? row.metadata : '{}';
  const metadata = write.metadata === undefined || (isReadable && sameMetadata(before, write.metadata)) ? before : JSON.stringify(write.metadata);
  const sources = withSource(isSound ? row.sources : '[]', write.source);
  if (content && (content.contentHash !== row.content_hash || content.modality !== row.modality || row.unembedded !== null || !isWhole(tables, collection, row))) {
    removeItem(tables, collection, row, changes);
    insertItem(tables, collection, { id: write.id, content, metadata, sources, createdAt: isSound ? row.created_at : at, updatedAt: at }, changes);
    return 'updated';
  }
  const attached = content ? items.attach(row, content) : write.seen ? items.attach(row, { path: write.seen.file }) : row;
  const isCutAnew = content !== undefined && cutAnew(tables, { ...row, space: collection.space }, content, changes);
  if (metadata === row.metadata && sources === row.sources) return isCutAnew ? 'updated' : 'unchanged';
  items.update(attached, metadata, sources, at);
  changes.remarked.push(row);
  return 'updated';
}

/** Lays fields over an item's metadata, inside the caller's transaction. */
export function addFields<Row extends StoredItem>({ items }: Tables<Row>, collection: WrittenCollection, { id, fields, mostBytes }: MetadataAddition & { mostBytes: number }, changes: Changes<Row>): AdditionOutcome {
  const row = items.byId(collection.key, id);
  if (!row) return 'missing';
  if (!items.isSound(row) || !items.hasSoundMetadata(row)) return 'damaged';
  const metadata = JSON.stringify({ ...(JSON.parse(row.metadata) as Metadata), ...fields });
  if (Buffer.byteLength(metadata) > mostBytes) return 'too_large';
  if (metadata === row.metadata) return 'written';
  items.update(row, metadata, row.sources, new Date().toISOString());
  changes.remarked.push(row);
  return 'written';
}

/** What is removed goes first, what is added stands behind the others; inside the caller's transaction. */
export function changeSources<Row extends StoredItem>({ items }: Tables<Row>, row: Row, { add, remove, metadata }: { add: string[]; remove: string[]; metadata?: Metadata }, changes: Changes<Row>): void {
  const left = new Set(remove);
  const before = (JSON.parse(row.sources) as string[]).filter((source) => !left.has(source));
  const sources = JSON.stringify([...new Set([...before, ...add])]);
  const told = metadata === undefined ? row.metadata : JSON.stringify(metadata);
  if (sources === row.sources && told === row.metadata) return;
  items.update(row, told, sources, new Date().toISOString());
  changes.remarked.push(row);
}

export function removeItem<Row extends StoredItem>({ items, embeddings }: Tables<Row>, { space }: WrittenCollection, row: Row, changes: Changes<Row>): void {
  changes.gone.push(...embeddings.keysOf(row.key, space));
  items.remove(row.key);
  changes.removed.push(row);
}

/** Whether all that the database holds of the item is as it was written, its embeddings in the collection's space included. */
export function isWhole<Row extends StoredItem>({ items, embeddings }: Tables<Row>, { space }: WrittenCollection, row: Row): boolean {
  return items.isWhole(row) && embeddings.areWhole(row.key, space);
}

/** Gives an item the tiles that came with the same content, where they are others; whether they are. */
function cutAnew<Row extends StoredItem>({ embeddings }: Pick<Tables<Row>, 'embeddings'>, { key: item, space, modality }: Pick<Row, 'key' | 'modality'> & { space: number }, content: NonNullable<ItemWrite['content']>, changes: Changes<Row>): boolean {
  const { boxes, embeddings: vectors } = content;
  if (boxes === undefined || sameBoxes(boxes, embeddings.boxesOf(item, space))) return false;
  const { gone, added } = embeddings.replaceTiles({ item, space, modality }, boxes.map((box, i) => ({ box, embedding: vectors[1 + i]! })));
  changes.gone.push(...gone);
  changes.added.push(...added);
  return true;
}

/** One that is not there yet, inside the caller's transaction. */
export function insertItem<Row extends StoredItem>({ items, embeddings }: Tables<Row>, { key: collection, space }: WrittenCollection, item: NewItem & { content: NonNullable<ItemWrite['content']> }, changes: Changes<Row>): void {
  const { modality, embeddings: vectors, boxes = [] } = item.content;
  const key = items.insert(collection, item);
  changes.added.push(...embeddings.insert(key, space, modality, vectors.map((embedding, part) => ({ embedding, box: part === 0 ? undefined : boxes[part - 1] }))));
  if (vectors.length === 0) embeddings.setApart(key, space, modality, 'It came without an embedding.');
}

function withSource(stored: string, source: string | undefined): string {
  if (source === undefined) return stored;
  const sources = JSON.parse(stored) as string[];
  return sources.includes(source) ? stored : JSON.stringify([...sources, source]);
}

/** Whatever the order of their keys. */
function sameMetadata(stored: string, metadata: Metadata): boolean {
  const written = JSON.stringify(metadata);
  return stored === written || isDeepStrictEqual(JSON.parse(stored), JSON.parse(written));
}

/** What it means for items that files were seen, were edited or have gone; all inside the caller's transaction. */
import type { SeenFile, Sighting } from '../sync-catalog.js';
import type { ClassifierTable } from './classifier-table.js';
import type { CollectionRow } from './collection-table.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { SeenTable } from './seen-table.js';
import { removeItem, type Changes, type Heritage } from './writer.js';

interface Tables {
  items: ItemTable;
  embeddings: EmbeddingTable;
  classifiers: ClassifierTable;
  seen: SeenTable;
}

/** What an item takes over that is new where it was seen: of the one that the file was before, else of itself when it went. */
export function heritageOf({ items, seen }: Tables, { key }: CollectionRow, id: string, { machine, path }: Sighting): Heritage | undefined {
  const before = seen.get(key, machine, path);
  const edited = before && before.item !== id ? items.byId(key, before.item) : undefined;
  if (edited && items.isSound(edited) && items.hasSoundMetadata(edited)) return { metadata: edited.metadata, createdAt: edited.created_at };
  return seen.departed(key, id);
}

/** The item has been written, with the path among its sources. */
export function noteSighting(tables: Tables, collection: CollectionRow, item: string, { machine, path, stamp }: Sighting, changes: Changes): void {
  const before = tables.seen.get(collection.key, machine, path);
  if (before?.former != null && before.item !== item && before.former !== item) settle(tables, collection, machine, path, changes);
  const former = before === undefined ? null : before.item === item ? before.former : before.item;
  tables.seen.put(collection.key, machine, { path, stamp, item }, former);
  tables.seen.returned(collection.key, item);
}

/** The item that the file's content was before loses the path. Its id, where it went. */
export function settle(tables: Tables, collection: CollectionRow, machine: string, path: string, changes: Changes): string | undefined {
  const { items, seen } = tables;
  const row = seen.get(collection.key, machine, path);
  if (row?.former == null) return undefined;
  seen.put(collection.key, machine, row, null);
  seen.removeOfItem(collection.key, row.former, path);
  return leave(tables, collection, { machine, path, item: row.former, successor: items.byId(collection.key, row.item) }, changes);
}

/** The file is no longer there. Whether it was as told; ids of items that went. */
export function forget(tables: Tables, collection: CollectionRow, machine: string, { path, stamp, item }: SeenFile, changes: Changes): string[] | undefined {
  const { seen } = tables;
  const row = seen.get(collection.key, machine, path);
  if (row?.item !== item || row.stamp !== stamp) return undefined;
  const former = settle(tables, collection, machine, path, changes);
  seen.remove(collection.key, machine, path);
  seen.removeOfItem(collection.key, item, path);
  const gone = leave(tables, collection, { machine, path, item }, changes);
  return [former, gone].filter((id) => id !== undefined);
}

interface Leaving {
  machine: string;
  path: string;
  item: string;
  /** What the file is now. */
  successor?: ItemRow | undefined;
}

function leave(tables: Tables, collection: CollectionRow, { machine, path, item: id, successor }: Leaving, changes: Changes): string | undefined {
  const { items, seen } = tables;
  const row = items.byId(collection.key, id);
  if (!row || !items.isSound(row)) return undefined;
  const before = JSON.parse(row.sources) as string[];
  const sources = before.filter((source) => source !== path);
  // Somebody has taken the path off its sources: then it does not stand and fall with it.
  if (sources.length === before.length) return undefined;
  if (sources.length > 0) {
    const elsewhere = row.path === null ? undefined : seen.anyOf(collection.key, id, machine);
    const moved = elsewhere === undefined ? row : items.attach(row, { path: elsewhere });
    items.update(moved, row.metadata, JSON.stringify(sources), new Date().toISOString());
    changes.remarked.push(row);
    return undefined;
  }
  if (successor) followExamples(tables, collection, row, successor);
  else if (items.hasSoundMetadata(row) && row.metadata !== '{}') seen.depart(collection.key, id, row.metadata, row.created_at);
  removeItem(tables, collection, row, changes);
  return id;
}

function followExamples({ classifiers, embeddings }: Tables, { space, fingerprint }: CollectionRow, before: ItemRow, now: ItemRow): void {
  const [whole] = embeddings.ofItem(now.key, space) ?? [];
  if (whole) classifiers.replaceExample(fingerprint, before.content_hash, { hash: now.content_hash, embedding: whole.embedding });
}

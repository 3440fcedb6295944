import type { ItemCopy } from '../copy-catalog.js';
import type { StoredItem } from '../stored-item.js';
import type { EmbeddingTable, ItemTable, WrittenCollection } from './tables.js';
import { insertItem, removeItem, type Changes } from './writer.js';

/** Each in the place of whatever has its id, inside the caller's transaction. */
export function putCopies<Row extends StoredItem>(tables: { items: ItemTable<Row>; embeddings: EmbeddingTable }, collection: WrittenCollection, copies: ItemCopy[], changes: Changes<Row>): void {
  for (const { id, content, metadata, sources, createdAt, updatedAt } of copies) {
    const before = tables.items.byId(collection.key, id);
    if (before) removeItem(tables, collection, before, changes);
    insertItem(tables, collection, { id, content, metadata: JSON.stringify(metadata), sources: JSON.stringify(sources), createdAt, updatedAt }, changes);
  }
}

import type { CopyCatalog, ItemCopy, Uncopied } from '../copy-catalog.js';
import { bytesOf, copiedBytes, copyOf } from '../item-copies.js';
import type { Sources } from '../pictures/sources.js';
import type { CollectionRow } from './collection-table.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';

interface Tables {
  items: ItemTable;
  embeddings: EmbeddingTable;
}

/** The next items as they are. See the port. */
export async function readCopies({ items, embeddings, sources }: Tables & { sources: Sources<ItemRow> }, { key, space, fingerprint }: CollectionRow, { after = '', limit, files }: Parameters<CopyCatalog['readCopies']>[1]): ReturnType<CopyCatalog['readCopies']> {
  const found: (ItemCopy | Uncopied)[] = [];
  let bytes = 0;
  const page = items.page(key, after, limit);
  for (const row of page) {
    const copied = await copyOf(row, { parts: embeddings.ofItem(row.key, space), sources, files });
    found.push(copied);
    bytes += bytesOf(copied);
    if (bytes >= copiedBytes) break;
  }
  const isAll = found.length === page.length && page.length < limit;
  return { fingerprint, items: found, ...(isAll ? {} : { next: found.at(-1)!.id }) };
}

import { modalities } from '../../domain/modality.js';
import type { CopyCatalog, ItemCopy, Uncopied } from '../copy-catalog.js';
import { bytesOf, copiedBytes, copyOf } from '../item-copies.js';
import type { StoredItem } from '../stored-item.js';
import { putCopies } from '../writing/copies.js';
import type { Part } from '../writing/tables.js';
import { findCollection, takeCollection } from './collections.js';
import { partsOf } from './embeddings.js';
import { itemColumns, toStoredItem } from './items.js';
import type { Parts } from './parts.js';
import { sourcesOf } from './pictures.js';
import { isGone } from './problems.js';
import { itemsOf } from './tables.js';
import { changeItems } from './transact.js';

export function copyCatalogOf({ database, log }: Parts): CopyCatalog {
  return {
    readCopies: async (name, { after = '', limit, files }) => {
      const { collection, rows, parts } = await database.read(async (session) => {
        const found = await findCollection(session, name);
        const { key, space } = found;
        const page = (await session.rows<StoredItem>(`SELECT ${itemColumns(space)} FROM ${itemsOf(key)} AS items WHERE id > $1 ORDER BY id LIMIT $2`, [after, limit])).map(toStoredItem);
        const embeddings = new Map<number, Part[]>();
        for (const modality of modalities) {
          const own = page.filter((row) => row.modality === modality && row.unembedded === null).map((row) => row.key);
          for (const [item, each] of await partsOf(session, { space, modality }, own)) embeddings.set(item, each);
        }
        return { collection: found, rows: page, parts: embeddings };
      }, isGone);
      const sources = sourcesOf((work) => database.session(work), collection, log);
      const items: (ItemCopy | Uncopied)[] = [];
      let bytes = 0;
      for (const row of rows) {
        const copied = await copyOf(row, { parts: parts.get(row.key), sources, files });
        items.push(copied);
        bytes += bytesOf(copied);
        if (bytes >= copiedBytes) break;
      }
      const isAll = items.length === rows.length && rows.length < limit;
      return { fingerprint: collection.fingerprint, items, ...(isAll ? {} : { next: items.at(-1)!.id }) };
    },
    putCopies: (name, fingerprint, copies) =>
      database.write(async (session) => {
        const collection = await takeCollection(session, name, fingerprint);
        await changeItems(session, collection, { ids: copies.map(({ id }) => id) }, (tables, changes) => putCopies(tables, collection, copies, changes));
      }),
  };
}

import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Catalog, Item, ItemEmbeddings } from '../catalog.js';
import { sizeOf, toItem, type StoredItem } from '../stored-item.js';
import { Sightings, type SightingTables } from '../writing/sightings.js';
import { addFields, changeSources, writeItem, type Changes } from '../writing/writer.js';
import type { Part } from '../writing/tables.js';
import { findCollection, takeCollection, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { partsOf } from './embeddings.js';
import { compileFilter } from './filter.js';
import { removeItems } from './item-rows.js';
import { findItem, itemsByIds, missingItem } from './items.js';
import type { Parts } from './parts.js';
import { sourcesOf } from './pictures.js';
import { isGone } from './problems.js';
import { Tallies } from './tallies.js';
import { changeItems } from './transact.js';
import { itemsWithBoxes } from './working-set.js';

type ItemCatalog = Pick<Catalog, 'write' | 'present' | 'getItem' | 'getEmbedding' | 'getEmbeddings' | 'setMetadata' | 'changeSources' | 'addMetadata' | 'deleteItem' | 'deleteItems' | 'getPicture'>;

export function itemCatalogOf({ database, log }: Parts): ItemCatalog {
  const reading = <T>(name: string, work: (session: Session, collection: CollectionRow) => Promise<T>): Promise<T> => database.read(async (session) => work(session, await findCollection(session, name)), isGone);
  const writing = <T>(name: string, work: (session: Session, collection: CollectionRow) => Promise<T>): Promise<T> => database.write(async (session) => work(session, await takeCollection(session, name)));
  return {
    write: (name, writes, fingerprint, tiles) =>
      database.write(async (session) => {
        const collection = await takeCollection(session, name, fingerprint);
        if (tiles !== undefined && tiles !== collection.tiles) throw new MixspaceError('conflict', `Collection "${name}" wants its pictures cut otherwise by now: ${collection.tiles}, not ${tiles}.`);
        const concerned = { ids: writes.map(({ id }) => id), files: writes.flatMap(({ seen }) => seen ?? []) };
        return changeItems(session, collection, concerned, (tables, changes) => {
          const sightings = new Sightings(tables);
          return writes.map((write) => sightings.write(collection, write, changes));
        });
      }),
    present: (name, ids) =>
      reading(name, async (session, collection) => {
        const found = await itemsWithBoxes(session, collection, ids);
        return found.map(({ row, boxes }) => ({
          id: row.id,
          contentHash: row.content_hash,
          modality: row.modality,
          embedded: row.unembedded === null && boxes.length > 0,
          ...sizeOf(row),
          boxes: boxes.slice(1).filter((box) => box !== undefined),
        }));
      }),
    getItem: (name, id) => reading(name, async (session, collection) => toItem(await findItem(session, collection, id))),
    getEmbedding: (name, id) =>
      reading(name, async (session, collection) => {
        const { key, modality, unembedded } = await findItem(session, collection, id);
        if (unembedded !== null) throw new MixspaceError('conflict', `The item "${id}" has no embedding of the space that the collection "${name}" is in. ${unembedded}`);
        const [first] = (await partsOf(session, { space: collection.space, modality }, [key])).get(key) ?? [];
        if (!first) throw new MixspaceError('conflict', `The item "${id}" has no embedding.`);
        return first.embedding;
      }),
    getEmbeddings: (name, ids) => reading(name, (session, collection) => embeddingsOfItems(session, collection, ids)),
    setMetadata: (name, id, metadata) =>
      writing(name, (session, collection) =>
        changeItem(session, collection, id, (tables, changes) => void writeItem(tables, collection, { id, metadata }, changes)),
      ),
    changeSources: (name, id, change) =>
      writing(name, (session, collection) => changeItem(session, collection, id, (tables, changes) => changeSources(tables, tables.items.byId(collection.key, id)!, change, changes))),
    addMetadata: (name, additions, mostBytes) =>
      writing(name, (session, collection) =>
        changeItems(session, collection, { ids: additions.map(({ id }) => id) }, (tables, changes) => additions.map((each) => addFields(tables, collection, { ...each, mostBytes }, changes))),
      ),
    deleteItem: (name, id) =>
      writing(name, async (session, collection) => {
        const tallies = new Tallies();
        const removed = await removeItems(session, collection, { condition: 'id = $1', values: [id] }, tallies);
        if (removed === 0) throw missingItem(collection, id);
        await tallies.write(session);
      }),
    deleteItems: (name, filter) =>
      writing(name, async (session, collection) => {
        const values: unknown[] = [];
        const condition = filter ? compileFilter(filter, values) : 'true';
        const tallies = new Tallies();
        const removed = await removeItems(session, collection, { condition, values }, tallies);
        await tallies.write(session);
        if (filter) return removed;
        // Who empties a collection may fill it again from the same files.
        for (const table of ['seen_files', 'departed_items']) await session.write(`DELETE FROM ${table} WHERE collection = $1`, [collection.key]);
        return removed;
      }),
    getPicture: async (name, id, size) => {
      const { collection, item } = await reading(name, async (session, collection) => ({ collection, item: await findItem(session, collection, id) }));
      return sourcesOf((work) => database.session(work), collection, log).picture(item, size);
    },
  };
}

/** One that is there; as it is then. Errors: `not_found`. */
function changeItem(session: Session, collection: CollectionRow, id: string, work: (tables: SightingTables<StoredItem>, changes: Changes<StoredItem>) => void): Promise<Item> {
  return changeItems(session, collection, { ids: [id] }, (tables, changes) => {
    if (!tables.items.byId(collection.key, id)) throw missingItem(collection, id);
    work(tables, changes);
    return toItem(tables.items.byId(collection.key, id)!);
  });
}

async function embeddingsOfItems(session: Session, collection: CollectionRow, ids: string[]): Promise<ItemEmbeddings> {
  const rows = (await itemsByIds(session, collection, [...new Set(ids)])).filter(({ unembedded }) => unembedded === null);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const items: ItemEmbeddings['items'] = [];
  const found = new Map<number, Part[]>();
  for (const modality of modalities) {
    const keys = rows.filter((row) => row.modality === modality).map(({ key }) => key);
    for (const [key, parts] of await partsOf(session, { space: collection.space, modality }, keys)) found.set(key, parts);
  }
  for (const id of ids) {
    const row = byId.get(id);
    const parts = row && found.get(row.key);
    if (row && parts) items.push({ id, modality: row.modality, contentHash: row.content_hash, parts: parts.map(({ embedding }) => embedding), boxes: parts.map(({ box }) => box) });
  }
  return { fingerprint: collection.fingerprint, items };
}

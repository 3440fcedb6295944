import type { ItemWrite, WriteStatus } from '../catalog.js';
import type { StoredItem } from '../stored-item.js';
import type { SeenFile, Sighting } from '../sync-catalog.js';
import type { EmbeddingTable, ExampleTable, Heritage, ItemTable, SeenRow, SeenTable, WrittenCollection } from './tables.js';
import { removeItem, writeItem, type Changes } from './writer.js';

export interface SightingTables<Row extends StoredItem> {
  items: ItemTable<Row>;
  embeddings: EmbeddingTable;
  examples: ExampleTable<Row>;
  seen: SeenTable;
}

interface Leaving<Row extends StoredItem> {
  machine: string;
  path: string;
  item: string;
  /** What the file is now. */
  successor?: Row | undefined;
}

type Former = SeenRow & { former: string };
const hasFormer = (row: SeenRow | undefined): row is Former => row !== undefined && row.former !== null;

/** What it means for items that files were seen, were edited or have gone; all inside the caller's transaction. */
export class Sightings<Row extends StoredItem> {
  readonly #tables: SightingTables<Row>;

  constructor(tables: SightingTables<Row>) {
    this.#tables = tables;
  }

  /** Brings an item to what the write says, and notes where it was seen. */
  write(collection: WrittenCollection, write: ItemWrite, changes: Changes<Row>): WriteStatus {
    const { seen } = write;
    if (!seen) return writeItem(this.#tables, collection, write, changes);
    const heritage = this.#heritage(collection, write.id, seen);
    const status = writeItem(this.#tables, collection, { ...write, ...(heritage && { heritage }) }, changes);
    this.#note(collection, write.id, seen, changes);
    return status;
  }

  /** What was seen, and nothing of any item. */
  record({ key }: WrittenCollection, machine: string, files: SeenFile[]): void {
    const { seen } = this.#tables;
    for (const file of files) seen.put(key, machine, file, seen.get(key, machine, file.path)?.former ?? null);
  }

  /** The item that the file's content was before loses the path. Its id, where it went. */
  settle(collection: WrittenCollection, { machine, path }: Pick<Sighting, 'machine' | 'path'>, changes: Changes<Row>): string | undefined {
    const { items, seen } = this.#tables;
    const row = seen.get(collection.key, machine, path);
    if (!hasFormer(row)) return undefined;
    seen.put(collection.key, machine, row, null);
    seen.removeOfItem(collection.key, row.former, path);
    return this.#leave(collection, { machine, path, item: row.former, successor: items.byId(collection.key, row.item) }, changes);
  }

  /** The file is no longer there: ids of items that went. Undefined where it was seen otherwise. */
  forget(collection: WrittenCollection, { machine, path, stamp, item }: SeenFile & { machine: string }, changes: Changes<Row>): string[] | undefined {
    const { seen } = this.#tables;
    const row = seen.get(collection.key, machine, path);
    if (row?.item !== item || row.stamp !== stamp) return undefined;
    const former = this.settle(collection, { machine, path }, changes);
    seen.remove(collection.key, machine, path);
    seen.removeOfItem(collection.key, item, path);
    const gone = this.#leave(collection, { machine, path, item }, changes);
    return [former, gone].filter((id) => id !== undefined);
  }

  /** What an item takes over that is new where it was seen: of the one that the file was before, else of itself when it went. */
  #heritage({ key }: WrittenCollection, id: string, { machine, path }: Sighting): Heritage | undefined {
    const { items, seen } = this.#tables;
    const before = seen.get(key, machine, path);
    const edited = before && before.item !== id ? items.byId(key, before.item) : undefined;
    if (edited && items.isSound(edited) && items.hasSoundMetadata(edited)) return { metadata: edited.metadata, createdAt: edited.created_at };
    return seen.departed(key, id);
  }

  /** The item has been written, with the path among its sources. */
  #note(collection: WrittenCollection, item: string, { machine, path, stamp }: Sighting, changes: Changes<Row>): void {
    const { seen } = this.#tables;
    const before = seen.get(collection.key, machine, path);
    if (hasFormer(before) && before.item !== item && before.former !== item) this.settle(collection, { machine, path }, changes);
    const former = before === undefined ? null : before.item === item ? before.former : before.item;
    seen.put(collection.key, machine, { path, stamp, item }, former);
    seen.returned(collection.key, item);
  }

  #leave(collection: WrittenCollection, { machine, path, item: id, successor }: Leaving<Row>, changes: Changes<Row>): string | undefined {
    const { items, examples, seen } = this.#tables;
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
    if (successor) examples.follow(collection, row, successor);
    else if (items.hasSoundMetadata(row) && row.metadata !== '{}') seen.depart(collection.key, id, row.metadata, row.created_at);
    removeItem(this.#tables, collection, row, changes);
    return id;
  }
}

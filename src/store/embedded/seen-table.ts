import { boundsOf } from '../paths-under.js';
import type { RecordedFile, SeenFile } from '../sync-catalog.js';
import { keptDays, keptDeparted, type SeenRow, type SeenTable as Written } from '../writing/tables.js';
import { checksumOf } from './checksums.js';
import type { Database } from './database.js';

type Stored = SeenRow & { checksum: number };

/** A row to be taken into another database. */
export type WholeSeenRow = Stored & { machine: string };

export interface DepartedRow {
  item: string;
  metadata: string;
  created_at: string;
  gone_at: string;
  checksum: number;
}

/** Files in which items were seen, and what was known of items that went with theirs; `collection` is a key. */
export class SeenTable implements Written {
  readonly #list;
  readonly #count;
  readonly #get;
  readonly #put;
  readonly #remove;
  readonly #removeOfItem;
  readonly #anyOf;
  readonly #clear;
  readonly #depart;
  readonly #departed;
  readonly #returned;
  readonly #forgetOld;
  readonly #clearDeparted;
  readonly #mounts;
  readonly #addMount;
  readonly #removeMount;
  readonly #rowsAfter;
  readonly #departedAfter;

  constructor(database: Database) {
    this.#list = database.prepare<[{ collection: number; machine: string; after: string; first: string; last: string; alone: string; limit: number }], Stored & { is_there: 0 | 1 }>(
      `SELECT path, stamp, item, former, checksum, EXISTS (SELECT 1 FROM items WHERE items.collection = @collection AND items.id = item) AS is_there FROM seen_files
         WHERE collection = @collection AND machine = @machine AND path > @after AND (path = @alone OR (path >= @first AND path < @last)) ORDER BY path LIMIT +@limit`,
    );
    this.#count = database
      .prepare<[{ collection: number; machine: string; first: string; last: string; alone: string }], number>(
        'SELECT count(*) FROM seen_files WHERE collection = @collection AND machine = @machine AND (path = @alone OR (path >= @first AND path < @last))',
      )
      .pluck();
    this.#get = database.prepare<[number, string, string], Stored>('SELECT path, stamp, item, former, checksum FROM seen_files WHERE collection = ? AND machine = ? AND path = ?');
    this.#put = database.prepare<[number, string, string, string, string, string | null, number]>('INSERT OR REPLACE INTO seen_files (collection, machine, path, stamp, item, former, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#remove = database.prepare<[number, string, string]>('DELETE FROM seen_files WHERE collection = ? AND machine = ? AND path = ?');
    this.#removeOfItem = database.prepare<[number, string, string]>('DELETE FROM seen_files WHERE collection = ? AND item = ? AND path = ?');
    this.#anyOf = database.prepare<[number, string, string], string>('SELECT path FROM seen_files WHERE collection = ? AND item = ? AND machine = ? LIMIT 1').pluck();
    this.#clear = database.prepare<[number]>('DELETE FROM seen_files WHERE collection = ?');
    this.#depart = database.prepare<[number, string, string, string, string, number]>('INSERT OR REPLACE INTO departed_items (collection, item, metadata, created_at, gone_at, checksum) VALUES (?, ?, ?, ?, ?, ?)');
    this.#departed = database.prepare<[number, string], DepartedRow>('SELECT item, metadata, created_at, gone_at, checksum FROM departed_items WHERE collection = ? AND item = ?');
    this.#returned = database.prepare<[number, string]>('DELETE FROM departed_items WHERE collection = ? AND item = ?');
    this.#forgetOld = database.prepare<[{ collection: number; before: string; kept: number }]>(
      `DELETE FROM departed_items WHERE collection = @collection AND (gone_at < @before
         OR gone_at < (SELECT gone_at FROM departed_items WHERE collection = @collection ORDER BY gone_at DESC LIMIT 1 OFFSET @kept))`,
    );
    this.#clearDeparted = database.prepare<[number]>('DELETE FROM departed_items WHERE collection = ?');
    this.#mounts = database.prepare<[number, string], string>('SELECT path FROM seen_mounts WHERE collection = ? AND machine = ?').pluck();
    this.#addMount = database.prepare<[number, string, string]>('INSERT OR IGNORE INTO seen_mounts (collection, machine, path) VALUES (?, ?, ?)');
    this.#removeMount = database.prepare<[number, string, string]>('DELETE FROM seen_mounts WHERE collection = ? AND machine = ? AND path = ?');
    this.#rowsAfter = database.prepare<[number, string, string, number], WholeSeenRow>('SELECT machine, path, stamp, item, former, checksum FROM seen_files WHERE collection = ? AND (machine, path) > (?, ?) ORDER BY machine, path LIMIT +?');
    this.#departedAfter = database.prepare<[number, string, number], DepartedRow>('SELECT item, metadata, created_at, gone_at, checksum FROM departed_items WHERE collection = ? AND item > ? ORDER BY item LIMIT +?');
  }

  list(collection: number, machine: string, under: string, { limit, after = '' }: { limit: number; after?: string }): { files: RecordedFile[]; more: boolean } {
    const rows = this.#list.all({ collection, machine, after, ...boundsOf(under), limit: limit + 1 });
    const files = rows.slice(0, limit).filter((row) => isSound(machine, row));
    return {
      files: files.map(({ path, stamp, item, former, is_there }) => ({ path, stamp, item, isThere: is_there === 1, ...(former === null ? {} : { former }) })),
      more: rows.length > limit,
    };
  }

  count(collection: number, machine: string, under: string): number {
    return this.#count.get({ collection, machine, ...boundsOf(under) })!;
  }

  /** Undefined where it is damaged, too. */
  get(collection: number, machine: string, path: string): SeenRow | undefined {
    const row = this.#get.get(collection, machine, path);
    return row && isSound(machine, row) ? row : undefined;
  }

  put(collection: number, machine: string, { path, stamp, item }: SeenFile, former: string | null): void {
    this.#put.run(collection, machine, path, stamp, item, former, sumOf(machine, { path, stamp, item, former }));
  }

  remove(collection: number, machine: string, path: string): void {
    this.#remove.run(collection, machine, path);
  }

  /** As an item's file, of whatever machine. */
  removeOfItem(collection: number, item: string, path: string): void {
    this.#removeOfItem.run(collection, item, path);
  }

  /** The path of one of the files that an item was seen in. */
  anyOf(collection: number, item: string, machine: string): string | undefined {
    return this.#anyOf.get(collection, item, machine);
  }

  /** Nothing was seen, and nothing has gone. */
  clear(collection: number): void {
    this.#clear.run(collection);
    this.#clearDeparted.run(collection);
  }

  depart(collection: number, item: string, metadata: string, createdAt: string): void {
    const at = new Date();
    this.#depart.run(collection, item, metadata, createdAt, at.toISOString(), checksumOf(`${item}\n${metadata}\n${createdAt}`));
    this.#forgetOld.run({ collection, before: new Date(at.getTime() - keptDays * 86_400_000).toISOString(), kept: keptDeparted });
  }

  /** What was known of an item that went. */
  departed(collection: number, item: string): { metadata: string; createdAt: string } | undefined {
    const row = this.#departed.get(collection, item);
    return row && row.checksum === checksumOf(`${item}\n${row.metadata}\n${row.created_at}`) ? { metadata: row.metadata, createdAt: row.created_at } : undefined;
  }

  /** It is there again. */
  returned(collection: number, item: string): void {
    this.#returned.run(collection, item);
  }

  mounts(collection: number, machine: string, under: string): string[] {
    const { first, last, alone } = boundsOf(under);
    return this.#mounts.all(collection, machine).filter((path) => path === alone || (path >= first && path < last));
  }

  hasOtherMounts(collection: number, machine: string, under: string, mounts: string[]): boolean {
    const before = this.mounts(collection, machine, under);
    return before.length !== mounts.length || before.some((path) => !mounts.includes(path));
  }

  putMounts(collection: number, machine: string, under: string, mounts: string[]): void {
    for (const path of this.mounts(collection, machine, under)) if (!mounts.includes(path)) this.#removeMount.run(collection, machine, path);
    for (const path of mounts) this.#addMount.run(collection, machine, path);
  }

  /** As they are stored, in the order of machine and path. */
  rowsAfter(collection: number, after: { machine: string; path: string } | undefined, limit: number): WholeSeenRow[] {
    return this.#rowsAfter.all(collection, after?.machine ?? '', after?.path ?? '', limit);
  }

  departedAfter(collection: number, after: string, limit: number): DepartedRow[] {
    return this.#departedAfter.all(collection, after, limit);
  }

  /** As another database has them, damage included. */
  insertRows(collection: number, rows: WholeSeenRow[]): void {
    for (const { machine, path, stamp, item, former, checksum } of rows) this.#put.run(collection, machine, path, stamp, item, former, checksum);
  }

  insertDeparted(collection: number, rows: DepartedRow[]): void {
    for (const { item, metadata, created_at, gone_at, checksum } of rows) this.#depart.run(collection, item, metadata, created_at, gone_at, checksum);
  }
}

const sumOf = (machine: string, { path, stamp, item, former }: SeenRow): number => checksumOf(JSON.stringify([machine, path, stamp, item, former]));
const isSound = (machine: string, row: Stored): boolean => row.checksum === sumOf(machine, row);

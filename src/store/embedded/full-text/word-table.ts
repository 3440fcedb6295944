import type { Phrase } from '../../../domain/words.js';
import type { Database } from '../database.js';
import { contentOf, type Readable } from '../../item-words.js';

/** A collection's rows lie behind each other: (its key << 40) + the item's. */
const itemMask = '1099511627775';
const tableSql = "CREATE VIRTUAL TABLE words USING fts5 (content, content = '', contentless_delete = 1, tokenize = 'ascii')";

/** What a service does when full text's own tables are damaged. */
export const isDamagedFullText = (error: unknown): boolean => (error as { code?: unknown } | undefined)?.code === 'SQLITE_CORRUPT_VTAB';

/** Items' words as rows: those of an item, or its key in `unread`. */
export class WordTable {
  readonly #database: Database;
  readonly #now;
  readonly #later;
  readonly #source;
  readonly #put;
  readonly #done;
  readonly #again;
  readonly #waiting;
  readonly #waits;
  readonly #isMiscounted;

  constructor(database: Database) {
    this.#database = database;
    this.#now = database.prepare<[], number>('SELECT item FROM unread WHERE waits = 0').pluck();
    this.#later = database.prepare<[number], number>('SELECT item FROM unread ORDER BY item LIMIT +?').pluck();
    this.#source = database.prepare<[number], Readable & { collection: number }>(
      'SELECT items.collection, text, metadata, sources, text_fields FROM items JOIN collections ON collections.key = items.collection WHERE items.key = ?',
    );
    this.#put = database.prepare<[number, number, string]>('INSERT OR REPLACE INTO words (rowid, content) VALUES ((? << 40) + ?, ?)');
    this.#done = database.prepare<[number]>('DELETE FROM unread WHERE item = ?');
    this.#again = database.prepare<[number]>('INSERT OR REPLACE INTO unread SELECT key, collection, 1 FROM items WHERE collection = ?');
    this.#waiting = database.prepare<[number], number>('SELECT count(*) FROM unread WHERE collection = ?').pluck();
    this.#waits = database.prepare<[], 0 | 1>('SELECT EXISTS (SELECT 1 FROM unread)').pluck();
    this.#isMiscounted = database
      .prepare<[], 0 | 1>('SELECT (SELECT count(*) FROM items) <> (SELECT count(*) FROM words_docsize) + (SELECT count(*) FROM unread WHERE NOT EXISTS (SELECT 1 FROM words_docsize WHERE id = (collection << 40) + item))')
      .pluck();
  }

  /** Reads what the present transaction wrote. */
  readNow(): void {
    for (const item of this.#now.all()) this.#read(item);
  }

  /** Reads one after the other of what waits, until `isEnough`; false when nothing is left. */
  readSome(limit: number, isEnough: () => boolean): boolean {
    const items = this.#later.all(limit);
    for (const item of items) {
      this.#read(item);
      if (isEnough()) return true;
    }
    return items.length === limit;
  }

  /** All items of a collection wait to be read again. */
  readAgain(collection: number): void {
    this.#again.run(collection);
  }

  /** How many items of a collection wait. */
  waiting(collection: number): number {
    return this.#waiting.get(collection)!;
  }

  get waits(): boolean {
    return this.#waits.get() === 1;
  }

  /** Whether some item's words are neither there nor waited for, or words are of no item. */
  isMiscounted(): boolean {
    return this.#isMiscounted.get() === 1;
  }

  /** Throws away all; every item waits. Not inside a transaction. */
  beginAnew(): void {
    this.#database
      .transaction(() => this.#database.exec(`DROP TABLE words; ${tableSql}; DELETE FROM unread; INSERT INTO unread SELECT key, collection, 1 FROM items`))
      .immediate();
  }

  /** Keys of the collection's items in which the phrases stand, all of them, ascending, behind `after`. */
  itemsWith(collection: number, phrases: Phrase[], after: number, limit: number): number[] {
    return this.#database
      .prepare<[string, number, number, number, number], number>(
        `SELECT rowid & ${itemMask} FROM words WHERE words MATCH ? AND rowid > (? << 40) + ? AND rowid < ((? + 1) << 40) ORDER BY rowid LIMIT +?`,
      )
      .pluck()
      .all(phrases.map(expressionOf).join(' AND '), collection, after, collection, limit);
  }

  #read(item: number): void {
    const source = this.#source.get(item);
    if (source) this.#put.run(source.collection, item, contentOf(source));
    this.#done.run(item);
  }
}

/** In FTS5's language. Words are letters and digits alone. */
function expressionOf({ words, prefix }: Phrase): string {
  return `"${words.join(' ')}"${prefix ? ' *' : ''}`;
}

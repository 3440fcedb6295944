import type { StoredItem } from '../stored-item.js';
import type { Session } from './database.js';
import { readColumnsOf, wordsFrom } from './derived-columns.js';
import type { Parts } from './parts.js';
import { Rounds } from './rounds.js';
import { itemsOf } from './tables.js';

/** Items that are read in one transaction, while which nobody else writes to their collection. */
const readAtOnce = 256;

/** Reads items again whose collection has chosen other fields for full text. */
export class UnreadItems {
  readonly #parts: Parts;
  readonly #rounds: Rounds;
  /** Sequence numbers of collections at which nothing was unread, by their keys. */
  readonly #read = new Map<number, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#rounds = new Rounds(parts, 'Words could not be read; it is tried again.', () => this.#look());
  }

  start(): void {
    this.#rounds.start();
  }

  close(): Promise<void> {
    return this.#rounds.stop();
  }

  async #look(): Promise<void> {
    const { database } = this.#parts;
    const collections = await database.session((session) => session.rows<{ key: number; seq: number }>('SELECT key, seq FROM collections'));
    for (const { key, seq } of collections) {
      if (this.#read.get(key) === seq) continue;
      let isLeft = true;
      while (isLeft && !this.#rounds.isOver) isLeft = await database.write((session) => readSome(session, key));
      if (!isLeft) this.#read.set(key, seq);
    }
    const there = new Set(collections.map(({ key }) => key));
    for (const key of this.#read.keys()) if (!there.has(key)) this.#read.delete(key);
  }
}

/** Whether there may be more. */
async function readSome(session: Session, collection: number): Promise<boolean> {
  const items = itemsOf(collection);
  const there = await session.row<{ waits: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS waits`, [items]);
  if (!there?.waits) return false;
  if (!(await session.row(`SELECT FROM ${items} WHERE unread LIMIT 1`))) return false;
  // Whoever writes items or chooses fields takes the collection too: what is read here stays what it is until it is written.
  const row = await session.row<{ text_fields: string }>('SELECT text_fields FROM collections WHERE key = $1 FOR NO KEY UPDATE', [collection]);
  if (!row) return false;
  const rows = await session.rows<Pick<StoredItem, 'key' | 'text' | 'metadata' | 'sources'>>(`SELECT key, text, metadata, sources FROM ${items} WHERE unread ORDER BY key LIMIT ${readAtOnce}`);
  const read = rows.map((each) => readColumnsOf(each, row.text_fields));
  await session.write(
    `UPDATE ${items} AS items SET content = read.content, words = ${wordsFrom('read.words')}, unread = false
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS read(key, content, words) WHERE items.key = read.key`,
    [rows.map(({ key }) => key), read.map(({ content }) => content), read.map(({ words }) => words)],
  );
  return rows.length === readAtOnce;
}

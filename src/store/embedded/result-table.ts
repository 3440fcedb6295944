import type { Result, ResultEntry, ResultKey } from '../result-catalog.js';
import { checksumOf } from './checksums.js';
import type { Commits } from './commits.js';
import type { Damage } from './damage.js';
import type { Database } from './database.js';
import { nextTurn } from './time-slices.js';

interface EntryRow {
  number: number;
  body: string;
  checksum: number;
}

/** A result's row, to be taken into another database. */
export interface ResultRow {
  key: number;
  kind: string;
  job: string;
  summary: string;
  checksum: number;
}

export type ResultEntryRow = EntryRow & { list: string };

/** Entries that go in one transaction. */
const removedAtOnce = 2_000;

/** Results of jobs as rows; `collection` is a key. */
export class ResultTable {
  readonly #commits: Pick<Commits, 'run'>;
  readonly #damage: Damage;
  readonly #add;
  readonly #keyOf;
  readonly #put;
  readonly #entries;
  readonly #publish;
  readonly #latest;
  readonly #others;
  readonly #hide;
  readonly #removeList;
  readonly #removeSome;
  readonly #remove;
  readonly #rows;
  readonly #entriesAfter;
  readonly #removeJob;

  constructor(database: Database, commits: Pick<Commits, 'run'>, damage: Damage) {
    this.#commits = commits;
    this.#damage = damage;
    this.#add = database.prepare<[number, string, string], number>('INSERT INTO results (collection, kind, job) VALUES (?, ?, ?) RETURNING key').pluck();
    this.#keyOf = database.prepare<[number, string], number>('SELECT key FROM results WHERE collection = ? AND job = ?').pluck();
    this.#put = database.prepare<[number, string, number, string, number]>('INSERT OR REPLACE INTO result_entries (result, list, number, body, checksum) VALUES (?, ?, ?, ?, ?)');
    this.#entries = database.prepare<[number, string, number, number], EntryRow>('SELECT number, body, checksum FROM result_entries WHERE result = ? AND list = ? AND number > ? ORDER BY number LIMIT +?');
    this.#publish = database.prepare<[string, number, number]>('UPDATE results SET summary = ?, checksum = ? WHERE key = ?');
    this.#latest = database.prepare<[number, string], { job: string; summary: string; checksum: number }>('SELECT job, summary, checksum FROM results WHERE collection = ? AND kind = ? AND summary IS NOT NULL ORDER BY key DESC LIMIT 1');
    this.#others = database.prepare<[number, string, number], number>('SELECT key FROM results WHERE collection = ? AND kind = ? AND key <> ?').pluck();
    this.#hide = database.prepare<[number]>('UPDATE results SET summary = NULL WHERE key = ?');
    this.#removeList = database.prepare<[number, string]>('DELETE FROM result_entries WHERE result = ? AND list = ?');
    this.#removeSome = database.prepare<[{ result: number; limit: number }]>('DELETE FROM result_entries WHERE result = @result AND (list, number) IN (SELECT list, number FROM result_entries WHERE result = @result LIMIT @limit)');
    this.#remove = database.prepare<[number]>('DELETE FROM results WHERE key = ?');
    this.#rows = database.prepare<[number], ResultRow>('SELECT key, kind, job, summary, checksum FROM results WHERE collection = ? AND summary IS NOT NULL ORDER BY key');
    this.#entriesAfter = database.prepare<[number, string, number, number], ResultEntryRow>('SELECT list, number, body, checksum FROM result_entries WHERE result = ? AND (list, number) > (?, ?) ORDER BY list, number LIMIT +?');
    this.#removeJob = database.prepare<[string]>('DELETE FROM results WHERE job = ?');
  }

  put(collection: number, { kind, job }: ResultKey, list: string, entries: ResultEntry[]): void {
    this.#commits.run(() => {
      const key = this.#keyOf.get(collection, job) ?? this.#add.get(collection, kind, job)!;
      for (const { number, body } of entries) {
        const text = JSON.stringify(body);
        this.#put.run(key, list, number, text, entryChecksum(list, number, text));
      }
    });
  }

  list(collection: number, job: string, list: string, { limit, after = -1 }: { limit: number; after?: number }): { entries: ResultEntry[]; more: boolean } {
    const key = this.#keyOf.get(collection, job);
    const rows = key === undefined ? [] : this.#entries.all(key, list, after, limit + 1);
    const entries: ResultEntry[] = [];
    for (const { number, body, checksum } of rows.slice(0, limit)) {
      if (checksum === entryChecksum(list, number, body)) entries.push({ number, body: JSON.parse(body) });
      else this.#damage.tell('An entry of what a job found is damaged, and left out; the job can be run again.', { job, list, number });
    }
    return { entries, more: rows.length > limit };
  }

  /** The others are out of sight at once, and go in slices. */
  async publish(collection: number, { kind, job, summary }: ResultKey & Result, drop: string[]): Promise<void> {
    const text = JSON.stringify(summary);
    const others = this.#commits.run(() => {
      const key = this.#keyOf.get(collection, job) ?? this.#add.get(collection, kind, job)!;
      for (const list of drop) this.#removeList.run(key, list);
      this.#publish.run(text, checksumOf(text), key);
      const found = this.#others.all(collection, kind, key);
      for (const other of found) this.#hide.run(other);
      return found;
    });
    for (const other of others) await this.#removeAll(other);
  }

  get(collection: number, kind: string): Result | undefined {
    const row = this.#latest.get(collection, kind);
    return row && this.#read({ ...row, kind });
  }

  latest(collection: number): (Result & { kind: string })[] {
    const ofKinds = new Map(this.#rows.all(collection).map((row) => [row.kind, row]));
    return [...ofKinds.values()].flatMap((row) => {
      const result = this.#read(row);
      return result ? [{ ...result, kind: row.kind }] : [];
    });
  }

  async discard(collection: number, job: string): Promise<void> {
    const key = this.#keyOf.get(collection, job);
    if (key !== undefined) await this.#removeAll(key);
  }

  /** Those that are in sight. */
  rows(collection: number): ResultRow[] {
    return this.#rows.all(collection);
  }

  /** Of a result by its key, in the order of lists and numbers. */
  rowsAfter(result: number, after: { list: string; number: number } | undefined, limit: number): ResultEntryRow[] {
    return this.#entriesAfter.all(result, after?.list ?? '', after?.number ?? -1, limit);
  }

  /** As another database has it; its entries come later. What is left here of the same job, of a collection that is gone, gives way. Answers its key here. */
  insertRow(collection: number, { kind, job, summary, checksum }: ResultRow): number {
    return this.#commits.run(() => {
      this.#removeJob.run(job);
      const key = this.#add.get(collection, kind, job)!;
      this.#publish.run(summary, checksum, key);
      return key;
    });
  }

  insertEntryRows(result: number, entries: ResultEntryRow[]): void {
    this.#commits.run(() => {
      for (const { list, number, body, checksum } of entries) this.#put.run(result, list, number, body, checksum);
    });
  }

  #read({ kind, job, summary, checksum }: Omit<ResultRow, 'key'>): Result | undefined {
    if (checksumOf(summary) === checksum) return { job, summary: JSON.parse(summary) };
    this.#damage.tell('What a job found is damaged; the job can be run again.', { job, kind });
    return undefined;
  }

  async #removeAll(result: number): Promise<void> {
    for (;;) {
      const removed = this.#commits.run(() => this.#removeSome.run({ result, limit: removedAtOnce }).changes);
      if (removed < removedAtOnce) break;
      await nextTurn();
    }
    this.#commits.run(() => this.#remove.run(result));
  }
}

const entryChecksum = (list: string, number: number, body: string): number => checksumOf(`${list}\n${number}\n${body}`);

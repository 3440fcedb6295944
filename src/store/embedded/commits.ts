import type { Database } from './database.js';
import { Mark, type Held } from './mark.js';

/** Every write goes through here: it raises the database's sequence number, and the mark follows it. */
export class Commits {
  readonly #database: Database;
  readonly #mark: Mark;
  readonly #identity: string;
  readonly #advance;
  readonly #countItems;

  /** Makes the mark anew. `onProblem`: it could not be written; the database is as good as before. */
  constructor(database: Database, directory: string, onProblem: (error: unknown) => void) {
    this.#database = database;
    this.#advance = database.prepare<[], number>('UPDATE lineage SET seq = seq + 1 RETURNING seq').pluck();
    this.#countItems = database.prepare<[], number>('SELECT coalesce(sum(items), 0) FROM tallies').pluck();
    const held = heldBy(database)!;
    this.#identity = held.identity;
    this.#mark = Mark.create(directory, held, onProblem);
  }

  /** Runs all of it or, when it throws, none of it; on disk when it returns. Inside another it is a part of that. */
  run<T>(work: () => T): T {
    if (this.#database.inTransaction) return work();
    let held: Held | undefined;
    const result = this.#database
      .transaction(() => {
        const outcome = work();
        held = { identity: this.#identity, seq: this.#advance.get()!, items: this.#countItems.get()! };
        return outcome;
      })
      .immediate();
    this.#mark.note(held!);
    return result;
  }

  close(): void {
    this.#mark.close();
  }
}

/** `undefined` when the database is older than this. */
export function heldBy(database: Database): Held | undefined {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'lineage'").get();
  return isThere ? database.prepare<[], Held>('SELECT identity, seq, (SELECT coalesce(sum(items), 0) FROM tallies) AS items FROM lineage').get() : undefined;
}

/** See `Store.cursorKey`. */
export function cursorKeyOf(database: Database): Uint8Array {
  return Uint8Array.from(database.prepare<[], Buffer>('SELECT cursor_key FROM lineage').pluck().get()!);
}

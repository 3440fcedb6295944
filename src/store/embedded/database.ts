import { createRequire } from 'node:module';
import { join } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { MixspaceError } from '../../errors.js';

/** SQLite plans by what a bare `LIMIT ?` is bound to, each time anew: statements that are often run say `LIMIT +?`. */
export type Database = BetterSqlite3.Database;

/**
 * One library in two versions. 12 is the last for Node 20; from Node 24.19 on, a statement of it that is garbage
 * collected can end the process. 13, on Node-API, mends that and needs Node 22.
 */
const nodeMajor = Number.parseInt(process.versions.node, 10);
export const Sqlite = createRequire(import.meta.url)(nodeMajor >= 22 ? 'better-sqlite3-node-api' : 'better-sqlite3') as typeof BetterSqlite3;

export const databaseName = 'mixspace.db';
/** Two embeddings of 768 dimensions fit a page. */
const pageBytes = 8192;

/**
 * Opens the directory's database, which must have been inspected, for this process alone; `bringUpToDate` runs its migrations.
 * The kernel drops the lock when the process ends, however it ends.
 *
 * Errors: as `databaseProblem` has them.
 */
export function openDatabase(directory: string, bringUpToDate: (database: Database) => void, maxBytes?: number): Database {
  const file = join(directory, databaseName);
  let database: Database | undefined;
  try {
    database = new Sqlite(file, { timeout: 0 });
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma(`page_size = ${pageBytes}`);
    database.pragma('journal_mode = WAL');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('cache_size = -65536');
    database.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    if (maxBytes !== undefined) database.pragma(`max_page_count = ${Math.ceil(maxBytes / pageBytes)}`);
    bringUpToDate(database);
    return database;
  } catch (error) {
    database?.close();
    throw databaseProblem(error, file) ?? error;
  }
}

export const wayOut = 'Restore it from a backup, together with its -wal file where the backup has one.';

/** What SQLite says of its file, as an error with a sentence and the way out; `undefined` for everything else. */
export function databaseProblem(error: unknown, file: string): MixspaceError | undefined {
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return undefined;
  if (code.startsWith('SQLITE_BUSY')) {
    return new MixspaceError('conflict', `Another mixspace process uses ${file}; stop it, or choose another index directory.`, { cause: error });
  }
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
    return new MixspaceError('not_ready', `${file} is damaged (${message}). ${wayOut}`, { cause: error });
  }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH|PROTOCOL)/.test(code)) {
    return new MixspaceError('not_ready', `${file} cannot be read or written (${message}, ${code}). Look at its permissions and its disk; where those are well, restore it from a backup.`, { cause: error });
  }
  return undefined;
}

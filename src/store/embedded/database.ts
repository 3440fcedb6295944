import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import { MixspaceError } from '../../errors.js';

export type Database = BetterSqlite3.Database;

/**
 * One library in two versions. 12 is the last for Node 20; from Node 24.19 on, a statement of it that is garbage
 * collected can end the process. 13, on Node-API, mends that and needs Node 22.
 */
const nodeMajor = Number.parseInt(process.versions.node, 10);
export const Sqlite = createRequire(import.meta.url)(nodeMajor >= 22 ? 'better-sqlite3-node-api' : 'better-sqlite3') as typeof BetterSqlite3;

/** Two embeddings of 768 dimensions fit a page. */
const pageBytes = 8192;

/**
 * Opens the directory's database for this process alone and brings it up to date.
 * The kernel drops the lock when the process ends, however it ends.
 *
 * Errors: `conflict` when another process holds it or it is newer than this code; `not_ready` when it is damaged.
 */
export function openDatabase(directory: string, migrationsDirectory: string, maxBytes?: number): Database {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'mixspace.db');
  const database = new Sqlite(file, { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma(`page_size = ${pageBytes}`);
    database.pragma('journal_mode = WAL');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('cache_size = -65536');
    database.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    if (maxBytes !== undefined) database.pragma(`max_page_count = ${Math.ceil(maxBytes / pageBytes)}`);
    migrate(database, migrationsDirectory, file);
    return database;
  } catch (error) {
    database.close();
    const code = (error as { code?: unknown }).code;
    if (code === 'SQLITE_BUSY') {
      throw new MixspaceError('conflict', `Another mixspace process uses ${directory}; stop it, or choose another index directory.`, { cause: error });
    }
    if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') {
      throw new MixspaceError('not_ready', `${file} is damaged or no database of mixspace; restore it from a backup.`, { cause: error });
    }
    throw error;
  }
}

/** Runs the `NNNN_name.sql` files that the database has not seen, in order, each in one transaction; `user_version` is the last one's number. */
function migrate(database: Database, directory: string, file: string): void {
  const migrations = readdirSync(directory)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length) {
    throw new MixspaceError('conflict', `${file} was written by a newer mixspace (schema ${version}, this one knows ${migrations.length}); use that one.`);
  }
  migrations.forEach((name, i) => {
    if (Number(name.slice(0, 4)) !== i + 1) throw new Error(`Migrations are numbered without gaps; ${name} stands at ${i + 1}.`);
    if (i < version) return;
    database.transaction(() => {
      database.exec(readFileSync(join(directory, name), 'utf8'));
      database.pragma(`user_version = ${i + 1}`);
    })();
  });
}

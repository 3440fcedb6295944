/** A thread that looks whether the database of an unpacked backup is whole, and brings it up to date: both take as long as it is large. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { MixspaceError, toMixspaceError, traceOf } from '../../errors.js';
import { databaseName, openDatabase, Sqlite } from './database.js';
import { inspect } from './directory-check.js';
import { readMigrations } from '../migrations.js';
import { migrate } from './migrations.js';
import { refuse } from './unpacked.js';
import type { PreparedDatabase, PreparingOptions } from './restoring.js';

function prepare({ folder, migrationsDirectory, carriedAtOnce }: PreparingOptions): void {
  const migrations = readMigrations(migrationsDirectory);
  const version = versionOf(join(folder, databaseName));
  if (version > migrations.length) throw new MixspaceError('conflict', `The backup was made by a newer mixspace (schema ${version}, this one knows ${migrations.length}).`);
  inspect(folder, migrations, Infinity);
  const database = openDatabase(folder, (opened) => migrate(opened, migrations, { carriedAtOnce, log: () => undefined }));
  // One file, without a log beside it.
  database.pragma('journal_mode = DELETE');
  database.close();
}

function versionOf(file: string): number {
  const database = new Sqlite(file, { readonly: true });
  try {
    return database.pragma('user_version', { simple: true }) as number;
  } finally {
    database.close();
  }
}

function problemOf(error: unknown): MixspaceError {
  const { code } = error as { code?: unknown };
  if (code === 'SQLITE_FULL') return toMixspaceError(error);
  // Whatever else is said of it names the folder, and ways out that are not this one's.
  return error instanceof MixspaceError && error.code === 'conflict' && error.message.startsWith('The backup') ? error : refuse('the database in it is damaged, or none of mixspace', error);
}

try {
  prepare(workerData as PreparingOptions);
  parentPort!.postMessage({} satisfies PreparedDatabase);
} catch (error) {
  parentPort!.postMessage({ error: problemOf(error).toPlain(), cause: traceOf(error) } satisfies PreparedDatabase);
}

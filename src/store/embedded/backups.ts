import { existsSync, rmSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupManifest } from '../../domain/backup.js';
import { MixspaceError } from '../../errors.js';
import type { Originals } from '../pictures/originals.js';
import { databaseName, Sqlite, type Database } from './database.js';

/** Where the copy lies, and what is in it. */
export interface BackupCopy {
  file: string;
  bytes: number;
  collections: BackupManifest['collections'];
}

const folderName = 'backup.tmp';
/** Pages of the database copied in one turn: some milliseconds. */
const pagesPerTurn = 128;

/**
 * A copy of the database as it is at one moment, taken while the store goes on, and the originals that it names, which
 * stay until the backup has ended. One at a time.
 */
export class Backups {
  readonly #database: Database;
  readonly #folder: string;
  readonly #originals: Originals;
  #copy: Database | undefined;
  #isRunning = false;

  /** Removes what a crash left of one. */
  constructor(database: Database, directory: string, originals: Originals) {
    this.#database = database;
    this.#folder = join(directory, folderName);
    this.#originals = originals;
    if (existsSync(this.#folder)) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Errors: `conflict`; `disk_full`: there must be room for a second database. */
  async begin(): Promise<BackupCopy> {
    if (this.#isRunning) throw new MixspaceError('conflict', 'Another backup is being taken; this one can be taken when it has ended.');
    this.#isRunning = true;
    try {
      this.#originals.keep();
      await mkdir(this.#folder, { recursive: true });
      const file = join(this.#folder, databaseName);
      await this.#database.backup(file, { progress: () => pagesPerTurn });
      this.#copy = new Sqlite(file);
      // One file, without a log beside it.
      this.#copy.pragma('journal_mode = DELETE');
      const collections = this.#copy
        .prepare<[], BackupCopy['collections'][number]>(
          `SELECT name, model, fingerprint, dimension, (SELECT coalesce(sum(items), 0) FROM tallies WHERE collection = collections.key) AS items
             FROM collections JOIN spaces ON spaces.key = collections.space WHERE name IS NOT NULL ORDER BY name`,
        )
        .all();
      return { file, bytes: (await stat(file)).size, collections };
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Content hashes of the originals that the copy names, ascending, behind `after`. */
  originals(after: string, limit: number): string[] {
    return this.#copy!.prepare<[string, number], string>(`SELECT DISTINCT content_hash FROM items WHERE original_bytes IS NOT NULL AND content_hash > ?
           AND collection IN (SELECT key FROM collections WHERE name IS NOT NULL) ORDER BY content_hash LIMIT ?`).pluck().all(after, limit);
  }

  async end(): Promise<void> {
    if (!this.#isRunning) return;
    this.#copy?.close();
    this.#copy = undefined;
    try {
      await rm(this.#folder, { recursive: true, force: true });
    } finally {
      this.#isRunning = false;
      await this.#originals.stopKeeping();
    }
  }
}

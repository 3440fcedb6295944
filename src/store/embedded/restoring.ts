/** The main thread's end of restoring into a store that is open: a backup comes, is verified as a whole, and is taken in. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MixspaceError, reviveError, type PlainError } from '../../errors.js';
import type { RestoreChoice, StoreRestore, StoreRestores } from '../store.js';
import type { Connection } from './connection.js';
import { unpack } from './restore.js';
import { unpackedName } from './unpacked.js';

export interface PreparingOptions {
  folder: string;
  migrationsDirectory: string;
  carriedAtOnce: number;
}

/** What the thread says of a database. */
export interface PreparedDatabase {
  error?: PlainError;
  /** Of the error, for the log. */
  cause?: string;
}

/** `forget`: what was known of the collection of a name. */
export function restoresOf(connection: Connection, { directory, forget, ...options }: Omit<PreparingOptions, 'folder'> & { directory: string; forget: (name: string) => void }): StoreRestores {
  const folder = join(directory, unpackedName);
  let isTaken = false;
  let current: StoreRestore | undefined;
  const release = async (): Promise<void> => {
    current = undefined;
    try {
      await connection.call('endRestore', []);
    } finally {
      isTaken = false;
    }
  };
  return {
    current: () => current,
    unpack: async (archive, choose) => {
      if (isTaken) throw new MixspaceError('conflict', 'Another backup is being restored; this one can be restored when that has ended.');
      isTaken = true;
      try {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder);
        let choice: RestoreChoice = { collections: [], classifiers: false };
        const { summary } = await unpack(archive, folder, async ({ collections }) => {
          choice = await choose(collections);
        });
        await prepare({ ...options, folder });
        const collections = await connection.call('beginRestore', [choice]);
        current = {
          id: randomBytes(6).toString('hex'),
          collections,
          some: () => connection.call('restoreSome', []),
          originals: () => connection.call('restoreOriginals', [summary.missing]),
          publish: async (overEmpty) => {
            const classifiers = await connection.call('publishRestore', [overEmpty]);
            choice.collections.forEach(forget);
            return classifiers;
          },
          release,
        };
        return current;
      } catch (error) {
        await release().catch(() => undefined);
        throw error;
      }
    },
  };
}

function prepare(workerData: PreparingOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./restored-database.js', import.meta.url), { workerData });
    let prepared: PreparedDatabase | undefined;
    worker.once('message', (told: PreparedDatabase) => (prepared = told));
    worker.once('error', reject);
    worker.once('exit', () => {
      if (!prepared) reject(new Error('The thread that prepares a database has ended.'));
      else if (prepared.error) reject(reviveError(prepared.error, prepared.cause));
      else resolve();
    });
  });
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { piecesOf } from '../../files.js';
import type { Log } from '../../telemetry.js';
import type { Catalog, ItemWrite } from '../catalog.js';
import { Originals } from '../pictures/originals.js';
import type { Store, StoreBackup } from '../store.js';
import { Connection } from './connection.js';
import { databaseName } from './database.js';
import { withIdentities } from './identity-cache.js';
import { catalogMethods, type StoreArguments, type WorkerOptions } from './protocol.js';
import { restoresOf } from './restoring.js';
import { defaultSettings, type EmbeddedStoreSettings } from './settings.js';

export { defaultSettings, type EmbeddedStoreSettings } from './settings.js';

export interface EmbeddedStoreOptions {
  /** Made when it is missing. Holds `mixspace.db`, `mixspace.mark` and `originals/`. */
  directory: string;
  /** Left out: the package's own. */
  migrationsDirectory?: string;
  settings?: Partial<EmbeddedStoreSettings>;
  log: Log;
}

const originalsAtOnce = 1_000;
/** Beyond what closing may wait for the background: the database's last checkpoint. */
const closeGraceMs = 2_000;
const packageMigrations = new URL('../../../migrations/sqlite', import.meta.url);

/**
 * Opens the store in a thread of its own; the directory is this process's alone until `close`.
 *
 * Errors, each with the path and the reason: `conflict` when another process holds the directory, or its database is newer
 * than this code or another program's; `not_ready` when the directory cannot be used, or its database is damaged or holds
 * less than it held.
 */
export async function openEmbeddedStore({ directory, migrationsDirectory, settings, log }: EmbeddedStoreOptions): Promise<Store> {
  const workerData: WorkerOptions = {
    directory,
    migrationsDirectory: migrationsDirectory ?? fileURLToPath(packageMigrations),
    settings: { ...defaultSettings, ...settings },
  };
  const connection = new Connection(new Worker(new URL('./worker.js', import.meta.url), { workerData }), log, workerData.settings);
  await connection.opened;
  const catalog = Object.fromEntries(
    catalogMethods.map((method) => [method, (...parameters: StoreArguments[typeof method]) => connection.call(method, parameters)]),
  ) as unknown as Catalog;
  const identities = withIdentities(catalog);
  return {
    catalog: {
      ...catalog,
      ...identities.catalog,
      write: (collection, writes, fingerprint, tiles) => connection.call('write', [collection, writes.map(writeWithOwnMemory), fingerprint, tiles]),
      putReembedded: (collection, fingerprint, items) =>
        connection.call('putReembedded', [collection, fingerprint, items.map((item) => ('embedding' in item ? { ...item, embedding: withOwnMemory(item.embedding), ...(item.tiles ? { tiles: item.tiles.map(tileWithOwnMemory) } : {}) } : item))]),
      putCopies: (collection, fingerprint, items) => connection.call('putCopies', [collection, fingerprint, items.map(writeWithOwnMemory)]),
      putTiles: (collection, made, items) => connection.call('putTiles', [collection, made, items.map(({ key, tiles }) => ({ key, tiles: tiles.map(tileWithOwnMemory) }))]),
    },
    index: {
      capabilities: { exact: true, filters: true, cursors: true },
      sample: (...parameters) => connection.call('sample', parameters),
      nearest: (collection, request) => connection.call('nearest', [collection, { ...request, embedding: withOwnMemory(request.embedding) }]),
    },
    words: {
      countWords: (...parameters) => connection.call('countWords', parameters),
      withWords: (collection, request) => connection.call('withWords', [collection, { ...request, embedding: withOwnMemory(request.embedding) }]),
      foldersNamed: (...parameters) => connection.call('foldersNamed', parameters),
    },
    backup: () => backupOf(connection, new Originals(join(directory, 'originals'), () => true)),
    restores: restoresOf(connection, { directory, migrationsDirectory: workerData.migrationsDirectory, carriedAtOnce: workerData.settings.carriedAtOnce, forget: identities.forget }),
    close: () => connection.close(workerData.settings.closeWithinMs + closeGraceMs),
  };
}

async function backupOf(connection: Connection, originals: Originals): Promise<StoreBackup> {
  const { file, bytes, collections } = await connection.call('beginBackup', []);
  const all = async function* (): StoreBackup['originals'] {
    for (let after = ''; ; ) {
      const hashes = await connection.call('backupOriginals', [after, originalsAtOnce]);
      for (const contentHash of hashes) {
        const read = await originals.read(contentHash);
        yield { contentHash, bytes: 'bytes' in read ? read.bytes : undefined };
      }
      if (hashes.length < originalsAtOnce) return;
      after = hashes.at(-1)!;
    }
  };
  return { collections, database: { name: databaseName, bytes, read: () => piecesOf(file) }, originals: all(), release: () => connection.call('endBackup', []) };
}

/** Cloning a view takes along all of the memory behind it, such as Node's pool or a whole batch; a view of its own memory costs what it shows. */
function withOwnMemory<T extends Uint8Array | Float32Array>(view: T): T {
  return view.byteLength === view.buffer.byteLength ? view : (Reflect.construct(view instanceof Float32Array ? Float32Array : Uint8Array, [view]) as T);
}

const tileWithOwnMemory = <T extends { embedding: Float32Array }>(tile: T): T => ({ ...tile, embedding: withOwnMemory(tile.embedding) });

function writeWithOwnMemory<Write extends Pick<ItemWrite, 'content'>>(write: Write): Write {
  if (!write.content) return write;
  const { embeddings, thumbnail, original, ...rest } = write.content;
  const content = {
    ...rest,
    embeddings: embeddings.map(withOwnMemory),
    ...(thumbnail ? { thumbnail: withOwnMemory(thumbnail) } : {}),
    ...(original ? { original: withOwnMemory(original) } : {}),
  };
  return { ...write, content };
}

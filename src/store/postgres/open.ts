import { fileURLToPath } from 'node:url';
import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import { readMigrations } from '../migrations.js';
import type { Store } from '../store.js';
import { classifierCatalogOf } from './classifier-catalog.js';
import { collectionCatalogOf } from './collection-catalog.js';
import { copyCatalogOf } from './copy-catalog.js';
import { Database } from './database.js';
import { fullTextOf } from './full-text.js';
import { Graphs } from './graphs.js';
import { itemCatalogOf } from './item-catalog.js';
import { jobCatalogOf } from './job-catalog.js';
import { jobLeasesOf } from './job-leases.js';
import { listingOf } from './listing.js';
import { migrate } from './migrations.js';
import type { Parts } from './parts.js';
import { reembeddingCatalogOf } from './reembedding-catalog.js';
import { resultCatalogOf } from './result-catalog.js';
import { defaultSettings, type PostgresStoreSettings } from './settings.js';
import { surveyOf } from './survey.js';
import { Sweeping } from './sweeping.js';
import { syncCatalogOf } from './sync-catalog.js';
import { tileCatalogOf } from './tile-catalog.js';
import { UnreadItems } from './unread-items.js';
import { vectorIndexOf } from './vector-index.js';

export { defaultSettings, type PostgresStoreSettings } from './settings.js';

export interface PostgresStoreOptions {
  /** As `Database` has it. No log and no error shows it. */
  url: string;
  settings?: Partial<PostgresStoreSettings>;
  log: Log;
}

const packageMigrations = fileURLToPath(new URL('../../../migrations/postgres', import.meta.url));

/**
 * Opens the store in a PostgreSQL database, which other services may use at the same time.
 *
 * Errors: `not_ready`: it cannot be reached, or lacks pgvector; `conflict`: it is of a newer mixspace.
 */
export async function openPostgresStore({ url, settings, log }: PostgresStoreOptions): Promise<Store> {
  const all = { ...defaultSettings, ...settings };
  const database = new Database({ url, most: all.connections, connectWithinMs: all.connectWithinMs, onProblem: (error) => log('warn', 'A connection to the database was lost.', { reason: String((error as Error).message) }) });
  const parts: Parts = { database, settings: all, log };
  const background = [new Graphs(parts), new UnreadItems(parts), new Sweeping(parts)];
  try {
    await migrate(database, readMigrations(packageMigrations));
  } catch (error) {
    await database.close();
    throw error;
  }
  for (const each of background) each.start();
  return {
    catalog: {
      ...collectionCatalogOf(parts),
      ...itemCatalogOf(parts),
      ...listingOf(parts),
      ...surveyOf(parts),
      ...syncCatalogOf(parts),
      ...reembeddingCatalogOf(parts),
      ...tileCatalogOf(parts),
      ...jobCatalogOf(parts),
      ...resultCatalogOf(parts),
      ...classifierCatalogOf(parts),
      ...copyCatalogOf(parts),
    },
    index: vectorIndexOf(parts),
    words: fullTextOf(parts),
    leases: jobLeasesOf(parts),
    backup: () => Promise.reject(elsewhere('A backup is taken')),
    restores: { unpack: () => Promise.reject(elsewhere('A backup is restored')), current: () => undefined },
    close: async () => {
      await Promise.all(background.map((each) => each.close()));
      await database.close();
    },
  };
}

const elsewhere = (what: string): MixspaceError => new MixspaceError('unprocessable', `${what} by PostgreSQL's own tools where the collections lie in it, such as pg_dump and pg_restore.`);

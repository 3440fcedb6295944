/** Any of the engines, by the address that says where collections live. */
import type { Log } from '../telemetry.js';
import { openEmbeddedStore, type EmbeddedStoreSettings } from './embedded/open.js';
import { openPostgresStore, type PostgresStoreSettings } from './postgres/open.js';
import type { Store } from './store.js';

export interface StoreOptions {
  /** A PostgreSQL database's URL, or the index directory of the embedded store. */
  address: { url: string } | { directory: string };
  embedded?: Partial<EmbeddedStoreSettings>;
  postgres?: Partial<PostgresStoreSettings>;
  log: Log;
}

/** Errors: as `openEmbeddedStore` and `openPostgresStore`. */
export function openStore({ address, embedded, postgres, log }: StoreOptions): Promise<Store> {
  if ('url' in address) return openPostgresStore({ url: address.url, ...(postgres && { settings: postgres }), log });
  return openEmbeddedStore({ directory: address.directory, ...(embedded && { settings: embedded }), log });
}

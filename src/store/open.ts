/** Any of the engines, by the address that says where collections live. */
import type { Log } from '../telemetry.js';
import type { EmbeddedStoreSettings } from './embedded/settings.js';
import type { PostgresStoreSettings } from './postgres/settings.js';
import type { Store } from './store.js';

export interface StoreOptions {
  /** A PostgreSQL database's URL, or the index directory of the embedded store. */
  address: { url: string } | { directory: string };
  embedded?: Partial<EmbeddedStoreSettings>;
  postgres?: Partial<PostgresStoreSettings>;
  log: Log;
}

/** Errors: as `openEmbeddedStore` and `openPostgresStore`. */
export async function openStore({ address, embedded, postgres, log }: StoreOptions): Promise<Store> {
  // Whoever has one engine loads nothing of the other.
  if ('url' in address) {
    const { openPostgresStore } = await import('./postgres/open.js');
    return openPostgresStore({ url: address.url, ...(postgres && { settings: postgres }), log });
  }
  const { openEmbeddedStore } = await import('./embedded/open.js');
  return openEmbeddedStore({ directory: address.directory, ...(embedded && { settings: embedded }), log });
}

import type { Log } from '../../telemetry.js';
import type { Database } from './database.js';
import type { PostgresStoreSettings } from './settings.js';

/** What each part of the store works with. */
export interface Parts {
  database: Database;
  settings: PostgresStoreSettings;
  log: Log;
}

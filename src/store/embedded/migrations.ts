import type { Log } from '../../telemetry.js';
import type { Migrations } from '../migrations.js';
import { carryOver } from './carry-over.js';
import type { Database } from './database.js';

/** With this schema an older database's rows are being carried over to its tables. */
export const carryingVersion = 4;

/**
 * Runs what the database has not seen, each in one transaction; `user_version` is the last one's number.
 * `carriedAtOnce`: rows of an older database that one transaction carries over.
 */
export function migrate(database: Database, migrations: Migrations, { carriedAtOnce, log }: { carriedAtOnce: number; log: Log }): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  // Tables that refer to each other are made anew one after the other.
  database.pragma('foreign_keys = OFF');
  migrations.forEach(({ sql }, i) => {
    if (i < version) return;
    if (i === carryingVersion) carryOver(database, carriedAtOnce, log);
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${i + 1}`);
    })();
  });
  database.pragma('foreign_keys = ON');
}

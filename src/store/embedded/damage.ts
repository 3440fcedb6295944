import { MixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import { databaseName } from './database.js';

const remembered = 10_000;

/** Why an item whose embedding is damaged has none. */
export const damagedEmbedding = `Its embedding in ${databaseName} is damaged; send the item again.`;

/** What was found damaged: told once each, and handed on. */
export class Damage {
  readonly #log: Log;
  readonly #told = new Set<string>();
  /** The key of an item whose embedding is damaged or lost; it may be told more than once. */
  onEmbedding: (key: number) => void = () => {};

  constructor(log: Log) {
    this.#log = log;
  }

  tell(what: string, fields: Record<string, unknown>): void {
    const name = `${what} ${JSON.stringify(fields)}`;
    if (this.#told.has(name)) return;
    if (this.#told.size === remembered) this.#told.clear();
    this.#told.add(name);
    this.#log('error', what, fields);
  }

  embedding(key: number, id: string): void {
    this.tell('An embedding does not match its checksum: its item is left out of searches until it is sent again.', { id, key });
    this.onEmbedding(key);
  }

  lostEmbedding(key: number, id: string): void {
    this.tell('An embedding is lost: its item is left out of searches until it is sent again.', { id, key });
    this.onEmbedding(key);
  }

  /** To be thrown. */
  row(key: number, id: string): MixspaceError {
    this.tell('The row of an item does not match its checksum: it is not shown until it is sent again.', { id, key });
    return new MixspaceError('not_ready', `What ${databaseName} says of the item "${id}" is damaged. Send the item again, or delete it; or restore the database from a backup.`);
  }
}

/** What an engine gives: both ports over the same data. */
import type { BackupManifest } from '../domain/backup.js';
import type { Catalog } from './catalog.js';
import type { VectorIndex } from './vector-index.js';

/** A consistent copy, as files to be kept together. */
export interface StoreBackup {
  collections: BackupManifest['collections'];
  /** What it is a copy of. */
  database: BackupFile;
  /** The pictures kept as they came, each verified as it is read; `undefined` in place of one that is missing or damaged. */
  originals: AsyncIterable<{ contentHash: string; bytes: Uint8Array | undefined }>;
  /** Nothing of it is needed any more. */
  release(): Promise<void>;
}

export interface BackupFile {
  name: string;
  bytes: number;
  read: () => AsyncIterable<Uint8Array>;
}

export interface Store {
  catalog: Catalog;
  index: VectorIndex;
  /** Of all that the catalog holds at one moment, while it goes on. Errors: `conflict`: another is being taken; `disk_full`. */
  backup: () => Promise<StoreBackup>;
  /** What follows the catalog is saved, files are closed. */
  close(): Promise<void>;
}

/** What an engine gives: its ports over the same data. */
import type { BackupManifest } from '../domain/backup.js';
import type { Catalog } from './catalog.js';
import type { FullText } from './full-text.js';
import type { JobLeases } from './job-leases.js';
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

/** A backup that has come whole. Of its collections nothing is seen until all of them are. */
export interface StoreRestore {
  /** Its own, among all that there ever were. */
  id: string;
  /** Those that were chosen. */
  collections: { name: string; items: number }[];
  /** Takes in some more of their items: how many are in by now, and whether these are all. */
  some(): Promise<{ items: number; isAll: boolean }>;
  /** Once all items are in: takes in the pictures that were kept as they came. Content hashes of those that the backup lacks. */
  originals(): Promise<string[]>;
  /**
   * Then: all of the collections are there from now on, with what jobs found in them, and the classifiers, where they were
   * chosen. `overEmpty`: names of collections that give way while they are empty.
   * Errors: `conflict`, and none of them is: there is one of the name.
   */
  publish(overEmpty: string[]): Promise<RestoredClassifiers>;
  /** It has been published, or is not to be: nothing else of it is kept. */
  release(): Promise<void>;
}

/** Names of a backup's. */
export interface RestoredClassifiers {
  taken: string[];
  /** There was one of the name, which stays as it is. */
  kept: string[];
}

/** What is to be restored of a backup. */
export interface RestoreChoice {
  collections: string[];
  classifiers: boolean;
}

export interface StoreRestores {
  /**
   * Takes a backup's archive, and verifies it as a whole. `choose` says what of it is to be restored,
   * before anything is written; what it throws ends it. One at a time, until it is released.
   *
   * Errors: `conflict`: another one is on its way, or it is of a newer mixspace; `invalid_request`: no backup, cut or damaged; `disk_full`.
   */
  unpack(archive: AsyncIterable<Uint8Array>, choose: (held: BackupManifest['collections']) => Promise<RestoreChoice>): Promise<StoreRestore>;
  /** The one that was unpacked, until it is released. */
  current(): StoreRestore | undefined;
}

export interface BackupFile {
  name: string;
  bytes: number;
  read: () => AsyncIterable<Uint8Array>;
}

export interface Store {
  catalog: Catalog;
  index: VectorIndex;
  words: FullText;
  /** Left out: this process alone uses the store. */
  leases?: JobLeases;
  /** Of all that the catalog holds at one moment, while it goes on. Errors: `conflict`: another is being taken; `disk_full`. */
  backup: () => Promise<StoreBackup>;
  restores: StoreRestores;
  /** What follows the catalog is saved, files are closed. */
  close(): Promise<void>;
}

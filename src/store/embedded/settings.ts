/** Every number a deployment may want to turn; `defaultSettings` holds what was measured to be good. */
export interface EmbeddedStoreSettings {
  /** Embeddings of one modality up to which no graph is built: comparing with each of them is as fast, and exact. */
  graphThreshold: number;
  /** The same in numbers, embeddings times their dimensions: whichever is reached first. */
  graphThresholdNumbers: number;
  /** Embeddings held in memory for exact searches, all collections together; beyond, they are read from disk. */
  vectorCacheBytes: number;
  /** Memory for fields of items, which filters, facets and orders go by, all collections together, in bytes; fields beyond are looked up on disk. */
  columnBytes: number;
  /** Changes of a graph after which it is saved; of a big graph, at least a fifth of its items. */
  snapshotAfterChanges: number;
  /** Milliseconds without a change after which a changed graph is saved. */
  snapshotAfterQuietMs: number;
  /** Milliseconds that closing may spend on saving graphs; what is not saved is added again at the next start. */
  closeWithinMs: number;
  /** The database's greatest size; a write beyond it is `disk_full`. Left out: what the disk holds. */
  maxDatabaseBytes?: number;
  /** Bytes up to which a database is read as a whole when it is opened: some 2 s for each GB that the disk's cache holds. */
  checkedBytes: number;
  /** Rows of an older version's database that one transaction carries over to this version's tables. */
  carriedAtOnce: number;
  /** Milliseconds after which a store's thread that gives no sign of life is given up. */
  silentForMs: number;
}

export const defaultSettings: EmbeddedStoreSettings = {
  graphThreshold: 300_000,
  graphThresholdNumbers: 300_000 * 256,
  vectorCacheBytes: 256 * 1024 * 1024,
  columnBytes: 256 * 1024 * 1024,
  snapshotAfterChanges: 5_000,
  snapshotAfterQuietMs: 60_000,
  closeWithinMs: 6_000,
  checkedBytes: 512 * 1024 * 1024,
  carriedAtOnce: 256,
  silentForMs: 300_000,
};

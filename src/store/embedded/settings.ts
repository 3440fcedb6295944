/** Every number a deployment may want to turn; `defaultSettings` holds what was measured to be good. */
export interface EmbeddedStoreSettings {
  /** Embeddings of one modality up to which each search compares with all of them; beyond, with those of the nearest cells. */
  cellsFrom: number;
  /** The same in numbers, embeddings times their dimensions: whichever is reached first. */
  cellsFromNumbers: number;
  /** Memory for embeddings that searches compare with, all collections together, in bytes; those beyond are read from disk. */
  vectorCacheBytes: number;
  /** Memory for fields of items, which filters, facets and orders go by, all collections together, in bytes; fields beyond are looked up on disk. */
  columnBytes: number;
  /** Milliseconds that closing waits for what is under way in the background. */
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
  cellsFrom: 50_000,
  cellsFromNumbers: 50_000 * 256,
  vectorCacheBytes: 512e6,
  columnBytes: 256e6,
  closeWithinMs: 6_000,
  checkedBytes: 512 * 1024 * 1024,
  carriedAtOnce: 256,
  silentForMs: 300_000,
};

/** What an engine gives: both ports over the same data. */
import type { Catalog } from './catalog.js';
import type { VectorIndex } from './vector-index.js';

export interface Store {
  catalog: Catalog;
  index: VectorIndex;
  /** What follows the catalog is saved, files are closed. */
  close(): Promise<void>;
}

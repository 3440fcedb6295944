/** The part of the catalog's port by which items go from one store to another, as they are. */
import type { Metadata } from '../domain/metadata.js';
import type { Box } from '../domain/tiles.js';
import type { ItemContent } from './item-content.js';

/** All that is held of an item, but for embeddings of spaces that its collection has left. */
export interface ItemCopy {
  id: string;
  /** As in `ItemWrite`. */
  content: ItemContent & { embeddings: Float32Array[]; boxes?: Box[]; thumbnail?: Uint8Array; original?: Uint8Array };
  metadata: Metadata;
  sources: string[];
  /** ISO 8601, UTC. */
  createdAt: string;
  updatedAt: string;
}

/** What cannot be copied, and why: a sentence. */
export interface Uncopied {
  id: string;
  problem: string;
}

export interface CopyCatalog {
  /**
   * The next items by id, behind `after`: at most `limit`, and fewer where they are large. `files`: of pictures that were
   * taken in by path, what lies there goes along. `next`: where to go on, left out at the end.
   */
  readCopies(collection: string, request: { after?: string; limit: number; files: boolean }): Promise<{ fingerprint: string; items: (ItemCopy | Uncopied)[]; next?: string }>;
  /** One transaction: each in the place of whatever has its id. `conflict` unless the collection is in the space. */
  putCopies(collection: string, fingerprint: string, items: ItemCopy[]): Promise<void>;
}

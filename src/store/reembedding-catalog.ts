/** The part of the catalog's port in which a collection goes over to another space. */
import type { Modality } from '../domain/modality.js';
import type { Space } from '../domain/space.js';
import type { Box } from '../domain/tiles.js';

/** A space that a collection is to go over to, and what may be done on the way. */
export interface ReembeddingTarget extends Space {
  /** Where there is no original, the thumbnail is embedded. */
  fromThumbnails: boolean;
  /** It goes over although items have no embedding of the other space: they stay, and are not found. */
  skipImpossible: boolean;
}

export interface Reembedding extends ReembeddingTarget {
  state: 'running' | 'stopped';
  /** Why it stopped, a sentence, where nobody asked for it. */
  problem?: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  /** Items that have an embedding of the other space ... */
  done: number;
  /** ... and that cannot have one. */
  impossible: number;
}

/** What lies before a collection that is to go over to another space. */
export interface ReembeddingPlan {
  /** That are still to be embedded, the impossible ones among them. */
  items: number;
  /** That have an embedding of that space from an earlier time: nothing is encoded. */
  kept: number;
  /** Whose thumbnail stands in for the original. */
  fromThumbnails: number;
  impossible: number;
  /** The first of the impossible ones. */
  first: ImpossibleItem[];
}

export interface ImpossibleItem {
  id: string;
  /** A sentence. */
  reason: string;
}

/** An item that waits to be embedded again, with what its embedding is made from. */
export interface ReembeddingItem {
  key: number;
  id: string;
  modality: Modality;
  source: { text: string } | { picture: Uint8Array } | ReembeddedParts | { impossible: string };
}

/** The whole's embedding, and those of its tiles. */
export interface ReembeddedParts {
  embedding: Float32Array;
  tiles?: { box: Box; embedding: Float32Array }[];
}

/** `key` as the store gave it; either its embeddings, or the sentence that says why there are none. */
export type ReembeddedItem = ({ key: number } & ReembeddedParts) | { key: number; impossible: string };

export interface ReembeddingCatalog {
  /** What can be embedded again, of what a reembedding into this space has not come to yet. Files are looked up; those that changed since they were taken in are read. */
  planReembedding(collection: string, target: { fingerprint: string; fromThumbnails: boolean }): Promise<ReembeddingPlan>;
  /**
   * Begins one, or goes on with one into the same space; what was impossible is then tried again. Nothing changes for
   * searches and writes until it is finished. `conflict` while there is one into another space.
   */
  startReembedding(collection: string, target: ReembeddingTarget): Promise<void>;
  /** The next items without an outcome, in a fixed order, behind `after` or from the beginning; empty at the end. `conflict` when there is no reembedding. */
  nextToReembed(collection: string, request: { limit: number; after?: { key: number; modality: Modality } }): Promise<ReembeddingItem[]>;
  /** One transaction. Items that have gone are passed over. `conflict` when there is no reembedding into this space. */
  putReembedded(collection: string, fingerprint: string, items: ReembeddedItem[]): Promise<void>;
  /**
   * The collection goes over: one transaction, after which it searches the other space. Not so while items are without an
   * outcome (`pending`), or cannot be embedded and may not be skipped (`impossible`).
   */
  finishReembedding(collection: string): Promise<'done' | 'pending' | 'impossible'>;
  /** Keeps what was done. `problem` says why, where nobody asked for it. */
  stopReembedding(collection: string, problem?: string): Promise<void>;
  /** Throws away what was done. */
  discardReembedding(collection: string): Promise<void>;
  /** Those that could not be embedded, in a reembedding or for want of one in the collection's own space. */
  listImpossible(collection: string, limit: number): Promise<ImpossibleItem[]>;
}

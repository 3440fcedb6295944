/**
 * The store's port: named collections of items, each item with its normalised embeddings,
 * written durably and searched by cosine similarity.
 *
 * Promises every implementation keeps:
 * - a write that was answered is on disk; a write that failed changed nothing;
 * - a search sees every write that was answered before it began;
 * - scores are computed from the stored embeddings, so the same pair always scores the same;
 * - what was damaged since it was written is never given out: it is refused by name, or left out and told, until the same
 *   content is written again.
 *
 * Errors are MixspaceErrors: `not_found`, `conflict`, `disk_full`, `not_ready`.
 */
import type { Filter } from '../domain/filter.js';
import type { Metadata } from '../domain/metadata.js';
import type { Modality } from '../domain/modality.js';
import type { Space } from '../domain/space.js';
import type { JobStore } from './job-store.js';

export { keptFailures } from './job-store.js';
export type { Job, JobFailure, JobQuery, JobStore, StoredFailure, StoredJob } from './job-store.js';

/** Embeddings of any other space than its own are refused before they reach the store. */
export interface NewCollection extends Space {
  name: string;
  description?: string;
  originals: 'keep' | 'thumbnail';
}

/** What a collection is: its space and its settings. */
export interface Collection extends NewCollection {
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** What it is, what it holds and how it does. */
export interface CollectionDescription extends Collection {
  counts: Record<Modality, number>;
  /** Those among the items that have no embedding of the collection's space. */
  unembedded: number;
  /** Of embeddings, texts, metadata, thumbnails and originals kept, roughly. */
  bytes: number;
  /** `ready`: the graph holds every item. `building`: searches add the rest exactly. `none`: too few items to need one; searches are exact. */
  graph: { state: 'ready' | 'building' | 'none'; indexed: number };
  /** Its way into another space, until it has gone over. */
  reembedding?: Reembedding;
}

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
  source: { text: string } | { picture: Uint8Array } | { embedding: Float32Array } | { impossible: string };
}

/** `key` as the store gave it; either its embedding, or the sentence that says why there is none. */
export type ReembeddedItem = { key: number; embedding: Float32Array } | { key: number; impossible: string };

/** What an item holds besides its embeddings. */
export interface ItemContent {
  modality: Modality;
  /** SHA-256 of the content's bytes (of the embedding's bytes where that is all there is), lower-case hex. */
  contentHash: string;
  text?: string;
  width?: number;
  height?: number;
  /** From EXIF, ISO 8601 without zone (cameras rarely know theirs). */
  takenAt?: string;
  /** `image/jpeg`, ... of the original. */
  mediaType?: string;
  /** Where the original lies when it was taken in by path; else undefined. */
  path?: string;
}

/**
 * One write. With `content`, the item is created, or replaced when its content hash differs.
 * Without, only metadata and sources change, and the item must exist (`not_found` otherwise).
 */
export interface ItemWrite {
  id: string;
  content?: ItemContent & {
    /** One for each part, the whole being the first. None: it is not found by searches. */
    embeddings: Float32Array[];
    /** WebP, at most 320 px. */
    thumbnail?: Uint8Array;
    /** The bytes as they came; kept when given. */
    original?: Uint8Array;
  };
  /** Left out: kept as it is, `{}` for a new item. */
  metadata?: Metadata;
  /** Added to the item's sources when it is not among them. */
  source?: string;
}

export type WriteStatus = 'created' | 'updated' | 'unchanged';

export interface Item {
  id: string;
  modality: Modality;
  contentHash: string;
  text?: string;
  metadata: Metadata;
  sources: string[];
  width?: number;
  height?: number;
  takenAt?: string;
  mediaType?: string;
  hasImage: boolean;
  /** Why it has no embedding of its collection's space, a sentence: it is not found by searches. */
  unembedded?: string;
  createdAt: string;
  updatedAt: string;
}

/** What a writer needs to know of an item to spare itself the encoding. */
export interface Presence {
  id: string;
  contentHash: string;
  modality: Modality;
  /** It has an embedding of the collection's space and, where that was asked for, all that is held of it is as it was written. */
  embedded: boolean;
}

/** Where to look, and how many to find there. */
export interface Leaf {
  modality: Modality;
  limit: number;
  /** Goes on behind this place: matches order by score descending, then id ascending (by UTF-8 bytes). `rank`: how many stand before it in the list that the leaf is a part of. */
  after?: { score: number; id: string; rank: number };
  minScore?: number;
}

export interface NearestRequest {
  /** Normalised, of the collection's dimension. */
  embedding: Float32Array;
  /** The embedding's space; `conflict` unless it is the collection's from beginning to end. Left out: trusted to be. */
  fingerprint?: string;
  leaves: Leaf[];
  filter?: Filter;
  /** Compare with every stored embedding. */
  exact?: boolean;
  /** Items left out. */
  excludeIds?: string[];
}

export interface Neighbor {
  id: string;
  /** Cosine similarity, -1..1. */
  score: number;
  /** Of one that is damaged, the sentence that refuses it: only who shows it need be refused. */
  item: Item | { problem: string };
}

/** What one leaf found, best first; of an item that has several embeddings there, the best. */
export interface Neighbors {
  neighbors: Neighbor[];
  /** The list is provably that of a full comparison. */
  exact: boolean;
  /** There may be more behind the last of them. */
  more: boolean;
}

export interface Picture {
  bytes: Uint8Array;
  mediaType: string;
}

export interface Store extends JobStore {
  createCollection(collection: NewCollection): Promise<CollectionDescription>;
  listCollections(): Promise<CollectionDescription[]>;
  /** Cheap: nothing is counted. */
  getCollection(name: string): Promise<Collection>;
  describeCollection(name: string): Promise<CollectionDescription>;
  deleteCollection(name: string): Promise<void>;

  /**
   * One transaction: all of the writes or none; statuses in the order given.
   * `fingerprint` is the embeddings' space: `conflict` unless it is the collection's. Left out: trusted to be.
   */
  write(collection: string, writes: ItemWrite[], fingerprint?: string): Promise<WriteStatus[]>;
  /** Those of the ids that are there, in no order. */
  present(collection: string, ids: string[], check?: 'whole'): Promise<Presence[]>;
  getItem(collection: string, id: string): Promise<Item>;
  /** The first part's. `conflict` when the item has none of the collection's space. */
  getEmbedding(collection: string, id: string): Promise<Float32Array>;
  listItems(collection: string, request: { filter?: Filter; limit: number; after?: string }): Promise<{ items: Item[]; more: boolean }>;
  /** Replaces the metadata. */
  setMetadata(collection: string, id: string, metadata: Metadata): Promise<Item>;
  deleteItem(collection: string, id: string): Promise<void>;
  /** Without a filter: every item. */
  deleteItems(collection: string, filter?: Filter): Promise<number>;
  /** `not_found` when the item is no picture, or its original is not kept, has gone from its path, or is not what it was. */
  getPicture(collection: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture>;

  /** The neighbors of an embedding, for each leaf in the order given: all of one moment's space, none merged with another. */
  nearest(collection: string, request: NearestRequest): Promise<Neighbors[]>;

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

  /** 32 random bytes, the same as long as the store lives: cursors are sealed with it. */
  cursorKey(): Promise<Uint8Array>;

  /** Rejects, with a sentence, when a collection cannot answer. */
  check(): Promise<void>;
  /** Graphs saved, files closed. */
  close(): Promise<void>;
}

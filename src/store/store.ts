/**
 * The store's port: named collections of items, each item with one normalised embedding,
 * written durably and searched by cosine similarity.
 *
 * Promises every implementation keeps:
 * - a write that was answered is on disk; a write that failed changed nothing;
 * - a search sees every write that was answered before it began;
 * - scores are computed from the stored embeddings, so the same pair always scores the same.
 *
 * Errors are MixspaceErrors: `not_found`, `conflict`, `disk_full`, `not_ready`.
 */
import type { Filter } from '../contract/filter.js';

export type Modality = 'image' | 'text';
export type Metadata = Record<string, unknown>;

export interface NewCollection {
  name: string;
  description?: string;
  model: string;
  /** The space's fingerprint: embeddings of any other space are refused before they reach the store. */
  fingerprint: string;
  dimension: number;
  originals: 'keep' | 'thumbnail';
}

export interface Collection extends NewCollection {
  /** ISO 8601, UTC. */
  createdAt: string;
  counts: Record<Modality, number>;
  /** Of embeddings, texts, metadata, thumbnails and originals kept, roughly. */
  bytes: number;
  /** `ready`: the graph holds every item. `building`: searches add the rest exactly. `none`: too few items to need one; searches are exact. */
  graph: { state: 'ready' | 'building' | 'none'; indexed: number };
}

/** What an item holds besides its embedding. */
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
    embedding: Float32Array;
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
  createdAt: string;
  updatedAt: string;
}

/** What a writer needs to know of an item to spare itself the encoding. */
export interface Presence {
  id: string;
  contentHash: string;
  modality: Modality;
}

export interface SearchRequest {
  /** Normalised, of the collection's dimension. */
  embedding: Float32Array;
  /** Left out: both. */
  modality?: Modality;
  filter?: Filter;
  limit: number;
  /** Goes on behind this place: matches order by score descending, then id ascending (by UTF-8 bytes). */
  after?: { score: number; id: string; rank: number };
  minScore?: number;
  /** Compare with every stored embedding. */
  exact?: boolean;
  /** Items left out of the answer. */
  excludeIds?: string[];
}

export interface Match {
  item: Item;
  /** Cosine similarity, -1..1. */
  score: number;
}

export interface SearchAnswer {
  matches: Match[];
  /** The list is provably that of a full comparison. */
  exact: boolean;
  /** There may be more behind the last match. */
  more: boolean;
}

export interface Picture {
  bytes: Uint8Array;
  mediaType: string;
}

export interface Store {
  createCollection(collection: NewCollection): Promise<Collection>;
  listCollections(): Promise<Collection[]>;
  getCollection(name: string): Promise<Collection>;
  deleteCollection(name: string): Promise<void>;

  /** One transaction: all of the writes or none; statuses in the order given. */
  write(collection: string, writes: ItemWrite[]): Promise<WriteStatus[]>;
  /** Those of the ids that are there, in no order. */
  present(collection: string, ids: string[]): Promise<Presence[]>;
  getItem(collection: string, id: string): Promise<Item>;
  getEmbedding(collection: string, id: string): Promise<Float32Array>;
  listItems(collection: string, request: { filter?: Filter; limit: number; after?: string }): Promise<{ items: Item[]; more: boolean }>;
  /** Replaces the metadata. */
  setMetadata(collection: string, id: string, metadata: Metadata): Promise<Item>;
  deleteItem(collection: string, id: string): Promise<void>;
  /** Without a filter: every item. */
  deleteItems(collection: string, filter?: Filter): Promise<number>;
  /** `not_found` when the item is no picture, or its original is not kept or has gone from its path. */
  getPicture(collection: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture>;

  search(collection: string, request: SearchRequest): Promise<SearchAnswer>;

  /** Rejects, with a sentence, when a collection cannot answer. */
  check(): Promise<void>;
  /** Graphs saved, files closed. */
  close(): Promise<void>;
}

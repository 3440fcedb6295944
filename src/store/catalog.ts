/**
 * The catalog's port, the truth: named collections of items, each item with its normalised embeddings, its metadata and
 * what is kept of its picture, written durably.
 *
 * Promises every implementation keeps:
 * - a write that was answered is on disk; a write that failed changed nothing;
 * - what was damaged since it was written is never given out: it is refused by name, or left out and told, until the same
 *   content is written again.
 *
 * Errors are MixspaceErrors: `not_found`, `conflict`, `disk_full`, `not_ready`.
 */
import type { Exif } from '../domain/exif.js';
import type { Filter, Scalar } from '../domain/filter.js';
import type { Metadata } from '../domain/metadata.js';
import type { Modality } from '../domain/modality.js';
import type { QueryKind } from '../domain/recall.js';
import type { Space } from '../domain/space.js';
import type { Box, Tiles } from '../domain/tiles.js';
import type { ClassifierCatalog } from './classifier-catalog.js';
import type { CopyCatalog } from './copy-catalog.js';
import type { ItemContent } from './item-content.js';
import type { JobCatalog } from './job-catalog.js';
import type { Reembedding, ReembeddingCatalog } from './reembedding-catalog.js';
import type { ResultCatalog } from './result-catalog.js';
import type { SurveyCatalog } from './survey-catalog.js';
import type { Sighting, SyncCatalog } from './sync-catalog.js';
import type { TileCatalog } from './tile-catalog.js';

export type { ItemContent } from './item-content.js';

/** Embeddings of any other space than its own are refused before they reach the store. */
export interface NewCollection extends Space {
  name: string;
  description?: string;
  originals: 'keep' | 'thumbnail';
  /** Fields of the metadata, as filters name them, of which full text holds the words. Left out: none. */
  textFields?: string[];
  /** What pictures are cut into. Left out: nothing. */
  tiles?: Tiles;
}

/** What a collection is: its space and its settings. */
export interface Collection extends NewCollection {
  textFields: string[];
  tiles: Tiles;
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** What it is, what it holds and how it does. */
export interface CollectionDescription extends Collection {
  counts: Record<Modality, number>;
  /** Embeddings of the collection's space: one of each item, and one of each tile. */
  parts: number;
  /** Those among the items that have no embedding of the collection's space. */
  unembedded: number;
  /** Of embeddings, texts, metadata, thumbnails and originals kept, roughly. */
  bytes: number;
  /** Of what makes searches of many embeddings quick: `ready`; `building`: they are right meanwhile, and slower; `none`: too few to need it, or too many for the memory; searches are exact. */
  graph: { state: 'ready' | 'building' | 'none'; indexed: number };
  /** How many of the ten nearest its searches find, as measured of late, and the greatest share of all embeddings that they look at for them. `exact`: all of them. */
  recall: { modality: Modality; state: 'exact' | 'measured' | 'unknown'; share?: number; bands: RecallBand[] }[];
  /** Items whose words full text does not hold yet, or not as they are: it follows in the background. */
  unread: number;
  /** Its way into another space, until it has gone over. */
  reembedding?: Reembedding;
}

/** recall@10 of one kind of queries, with a 95 % interval. */
export interface RecallBand {
  query: QueryKind;
  /** The share of embeddings that the queries' filters let through, a power of ten; 1: no filter. */
  selectivity: number;
  recall: number;
  low: number;
  high: number;
  queries: number;
  /** ISO 8601, UTC. */
  at: string;
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
    /** Where the parts behind the first lie, in their order; left out, or fewer of them: it is not known. */
    boxes?: Box[];
    /** WebP, at most 320 px. */
    thumbnail?: Uint8Array;
    /** The bytes as they came; kept when given. */
    original?: Uint8Array;
  };
  /** Left out: kept as it is, `{}` for a new item. */
  metadata?: Metadata;
  /** Added to the item's sources when it is not among them. */
  source?: string;
  /**
   * Where its content was seen, its `source`: noted with it. A new item has the metadata of the one that the file was
   * before or, where it was none, what it had itself when its last file went.
   */
  seen?: Sighting;
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
  exif?: Exif;
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
  /** Of a picture: its upright size, where it is known, and where its tiles lie. */
  width?: number;
  height?: number;
  boxes: Box[];
}

/** Fields that are laid over the metadata of an item. */
export interface MetadataAddition {
  id: string;
  fields: Metadata;
}

/** `missing`: there is no such item; `too_large`: its metadata would be longer than allowed; `damaged`: what it was is not known. */
export type AdditionOutcome = 'written' | 'missing' | 'too_large' | 'damaged';

export interface Picture {
  bytes: Uint8Array;
  mediaType: string;
}

export interface ItemEmbeddings {
  fingerprint: string;
  /** `contentHash`: of the content that they are of. `boxes`: where each of the parts lies; undefined for the whole. */
  items: { id: string; modality: Modality; contentHash: string; parts: Float32Array[]; boxes: (Box | undefined)[] }[];
}

export interface ListRequest {
  filter?: Filter;
  /** A field as filters name it. */
  sort?: { field: string; descending: boolean };
  limit: number;
  after?: ListPlace;
}

/** Where a page ended: the store's own, of requests that differ in nothing else. */
export type ListPlace = (string | number | boolean | null)[];

export interface ValueCounts {
  /** The most frequent, at most `limit`; an item with a list counts once for each scalar in it. */
  values: { value: Scalar; count: number }[];
  /** The same of all further values, and of items whose value is a string of over 256 characters, an object, or a list without a shorter scalar. */
  other: number;
  /** Items without the field. */
  missing: number;
}

export interface Catalog extends ReembeddingCatalog, TileCatalog, SurveyCatalog, JobCatalog, ResultCatalog, ClassifierCatalog, SyncCatalog, CopyCatalog {
  createCollection(collection: NewCollection): Promise<CollectionDescription>;
  listCollections(): Promise<CollectionDescription[]>;
  /** Cheap: nothing is counted. */
  getCollection(name: string): Promise<Collection>;
  describeCollection(name: string): Promise<CollectionDescription>;
  /** What is there is read again in the background. */
  setTextFields(name: string, fields: string[]): Promise<CollectionDescription>;
  /** Of pictures that come from now on; those that are there stay as they are. */
  setTiles(name: string, tiles: Tiles): Promise<CollectionDescription>;
  deleteCollection(name: string): Promise<void>;

  /**
   * One transaction: all of the writes or none; statuses in the order given.
   * `fingerprint` is the embeddings' space, `tiles` what pictures were cut into: `conflict` unless it is the collection's.
   * Left out: trusted to be.
   */
  write(collection: string, writes: ItemWrite[], fingerprint?: string, tiles?: Tiles): Promise<WriteStatus[]>;
  /** Those of the ids that are there, in no order. */
  present(collection: string, ids: string[], check?: 'whole'): Promise<Presence[]>;
  getItem(collection: string, id: string): Promise<Item>;
  /** The first part's. `conflict` when the item has none of the collection's space. */
  getEmbedding(collection: string, id: string): Promise<Float32Array>;
  /** All parts of those of the ids that have embeddings of the collection's space, in the order given. */
  getEmbeddings(collection: string, ids: string[]): Promise<ItemEmbeddings>;
  /** By id or, with `sort`, by a field: booleans, numbers, strings by code point; those without it come last. */
  listItems(collection: string, request: ListRequest): Promise<{ items: Item[]; next?: ListPlace }>;
  /** For each of the fields how many items have which value of it. */
  countValues(collection: string, request: { fields: string[]; filter?: Filter; limit: number }): Promise<Record<string, ValueCounts>>;
  /** Replaces the metadata. */
  setMetadata(collection: string, id: string, metadata: Metadata): Promise<Item>;
  /** One transaction: sources are added behind those that are there, each once, and others taken away; the metadata is replaced where it is given. */
  changeSources(collection: string, id: string, change: { add: string[]; remove: string[]; metadata?: Metadata }): Promise<Item>;
  /** One transaction: over what the items' metadata is at that moment; each stands for itself. `mostBytes`: of the JSON of one. */
  addMetadata(collection: string, additions: MetadataAddition[], mostBytes: number): Promise<AdditionOutcome[]>;
  deleteItem(collection: string, id: string): Promise<void>;
  /** Without a filter: every item. */
  deleteItems(collection: string, filter?: Filter): Promise<number>;
  /** `not_found` when the item is no picture, or its original is not kept, has gone from its path, or is not what it was. */
  getPicture(collection: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture>;

  /** 32 random bytes, the same as long as the store lives: cursors are sealed with it. */
  cursorKey(): Promise<Uint8Array>;

  /** Rejects, with a sentence, when a collection cannot answer. */
  check(): Promise<void>;
}

/**
 * The tables that writes go through, whichever engine has them, inside the caller's transaction: what they say is what it
 * has done so far. `collection`, `space` and `item` are keys.
 */
import type { Modality } from '../../domain/modality.js';
import type { Box } from '../../domain/tiles.js';
import type { Item, ItemContent } from '../catalog.js';
import type { StoredItem } from '../stored-item.js';
import type { SeenFile } from '../sync-catalog.js';

export interface WrittenCollection {
  key: number;
  space: number;
  fingerprint: string;
}

export interface NewItem {
  id: string;
  content: ItemContent & { thumbnail?: Uint8Array; original?: Uint8Array };
  /** JSON, as `sources`. */
  metadata: string;
  sources: string;
  createdAt: string;
  updatedAt: string;
}

/** What a new item takes over: its metadata, JSON, and when it came. */
export interface Heritage {
  metadata: string;
  createdAt: string;
}

export interface ItemTable<Row extends StoredItem> {
  byId(collection: number, id: string): Row | undefined;
  /** The new row's key. */
  insert(collection: number, item: NewItem): number;
  update(row: Row, metadata: string, sources: string, updatedAt: string): void;
  /** Gives a row what came with the same content and it lacked; the newest path holds. */
  attach(row: Row, content: Pick<NewItem['content'], 'path' | 'original' | 'thumbnail'>): Row;
  /** With all that belongs to it. */
  remove(key: number): void;
  /** Whether what the row says, without its metadata, is as it was written. */
  isSound(row: Row): boolean;
  hasSoundMetadata(row: NoInfer<Row>): boolean;
  /** Whether all that is held of the item, but for its embeddings, is as it was written. */
  isWhole(row: Row): boolean;
  /** Errors: `not_ready` when the row is damaged. */
  toItem(row: Row): Item;
}

/** Where an embedding is looked up by those who follow the table by key. */
export interface EmbeddingKey {
  key: number;
  modality: Modality;
}

/** One of the parts of an item. */
export interface Part {
  embedding: Float32Array;
  /** Where in the picture it is of; undefined: of the whole. */
  box?: Box | undefined;
}

/** The keys that it answers are for those who follow it: none where nobody does. */
export interface EmbeddingTable {
  /** One row for each part. */
  insert(item: number, space: number, modality: Modality, parts: Part[]): EmbeddingKey[];
  /** Behind the first part, which it has, in place of all others. */
  replaceTiles(of: { item: number; space: number; modality: Modality }, tiles: Part[]): { gone: EmbeddingKey[]; added: EmbeddingKey[] };
  /** Where the parts behind the first lie, as far as it is known. */
  boxesOf(item: number, space: number): Box[];
  /** Of all its parts. */
  keysOf(item: number, space: number): EmbeddingKey[];
  /** It has some, and they are as they were written. */
  areWhole(item: number, space: number): boolean;
  /** Says why the item has none in the space. The first reason stands. */
  setApart(item: number, space: number, modality: Modality, reason: string): void;
}

/** A file's row without the keys that it is looked up by. */
export interface SeenRow {
  path: string;
  stamp: string;
  item: string;
  former: string | null;
}

/** Files in which items were seen, and what was known of items that went with theirs. `item`: an id. */
export interface SeenTable {
  get(collection: number, machine: string, path: string): SeenRow | undefined;
  put(collection: number, machine: string, file: SeenFile, former: string | null): void;
  remove(collection: number, machine: string, path: string): void;
  /** As an item's file, of whatever machine. */
  removeOfItem(collection: number, item: string, path: string): void;
  /** The path of one of the files that an item was seen in. */
  anyOf(collection: number, item: string, machine: string): string | undefined;
  depart(collection: number, item: string, metadata: string, createdAt: string): void;
  /** What was known of an item that went. */
  departed(collection: number, item: string): Heritage | undefined;
  /** It is there again. */
  returned(collection: number, item: string): void;
}

/** How long what was known of items that went is kept, days, and of how many in a collection. */
export const keptDays = 400;
export const keptDeparted = 100_000;

export interface ExampleTable<Row extends StoredItem> {
  /** Examples of the collection's space that were of the one item's content are of the other's from now on. */
  follow(collection: WrittenCollection, before: Row, now: Row): void;
}

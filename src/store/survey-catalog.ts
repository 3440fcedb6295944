/**
 * The part of the catalog's port by which all of a collection is looked at at once, cheaply: items by their keys, which are
 * numbers that no other item of the store ever has, as long as it is this store: one that was restored has others.
 */
import type { Filter } from '../domain/filter.js';
import type { Modality } from '../domain/modality.js';

export interface SurveyCatalog {
  /** Rises with every change of the collection or its items. */
  changesOf(collection: string): Promise<number>;
  /** Keys of the items that match, those without an embedding among them, ascending. */
  matchingKeys(collection: string, filter?: Filter): Promise<Record<Modality, Uint32Array>>;
  /** Of all items that have an embedding of the collection's space, and the keys of the embeddings of the whole: one is another when its item's content is. Items ascending. */
  wholeEmbeddings(collection: string): Promise<{ fingerprint: string } & Record<Modality, { items: Uint32Array; embeddings: Uint32Array }>>;
  /** By their own keys, one behind the other; of one that has gone or is damaged, zeros, and no `found`. `conflict` unless the collection is in the space. */
  readEmbeddings(collection: string, fingerprint: string, embeddings: Uint32Array): Promise<{ values: Float32Array; found: Uint8Array }>;
  /** 0 where there is no such item. */
  keysOfIds(collection: string, ids: string[]): Promise<Uint32Array>;
  /** '' where it has gone. */
  idsOfKeys(collection: string, items: Uint32Array): Promise<string[]>;
  /** Of each item its value of a field as filters name it; undefined where it has none, or has gone. */
  valuesOfKeys(collection: string, field: string, items: Uint32Array): Promise<unknown[]>;
}

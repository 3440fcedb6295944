import type { Filter } from '../../domain/filter.js';
import type { Metadata } from '../../domain/metadata.js';
import type { Modality } from '../../domain/modality.js';
import { compileFilter } from './filter.js';
import type { ItemTable } from './item-table.js';
import type { EmbeddingTable } from './embedding-table.js';
import { KeySet } from './key-set.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

const pageRows = 512;
const rememberedFilters = 4;
const rememberedKeys = 1_000_000;

interface Matching {
  keys: KeySet;
  /** Every key up to here was looked at. */
  through: number;
}

/** Which keys of embeddings match a filter by their items' metadata, remembered for the last few filters and carried on as items are added. */
export class MatchingKeys {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly #modality: Modality;
  /** By the filter's JSON, in order of use. */
  readonly #remembered = new Map<string, Matching>();

  constructor(embeddings: EmbeddingTable, space: number, modality: Modality) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.#modality = modality;
  }

  /** May hold keys removed meanwhile. */
  async of(filter: Filter): Promise<KeySet> {
    const name = JSON.stringify(filter);
    const matching = this.#remembered.get(name) ?? { keys: new KeySet(), through: 0 };
    this.#remembered.delete(name);
    this.#remembered.set(name, matching);
    const matches = compileFilter(filter);
    let began = now();
    for (;;) {
      const rows = this.#embeddings.metadataAfter(this.#space, this.#modality, matching.through, pageRows);
      for (const { key, metadata } of rows) {
        if (metadata !== undefined && matches(JSON.parse(metadata) as Metadata)) matching.keys.add(key);
        matching.through = key;
      }
      if (rows.length < pageRows) break;
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
    this.#forgetOldest();
    return matching.keys;
  }

  /** The metadata of an item that was there has changed. */
  forget(): void {
    this.#remembered.clear();
  }

  #forgetOldest(): void {
    let keys = 0;
    for (const matching of this.#remembered.values()) keys += matching.keys.size;
    for (const [name, matching] of this.#remembered) {
      if (this.#remembered.size <= rememberedFilters && keys <= rememberedKeys) return;
      this.#remembered.delete(name);
      keys -= matching.keys.size;
    }
  }
}

/** Keys of the items that match, those without an embedding among them. */
export async function matchingItems(items: ItemTable, collection: number, modality: Modality, filter: Filter): Promise<number[]> {
  const matches = compileFilter(filter);
  const keys: number[] = [];
  let began = now();
  for (let after = 0; ; ) {
    const page = items.metadataAfter(collection, modality, after, pageRows);
    for (const { key, metadata } of page) if (metadata !== undefined && matches(JSON.parse(metadata) as Metadata)) keys.push(key);
    if (page.length < pageRows) return keys;
    after = page.at(-1)!.key;
    if (now() - began > sliceMs) {
      await nextTurn();
      began = now();
    }
  }
}

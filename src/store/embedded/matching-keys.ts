import type { Filter } from '../../domain/filter.js';
import type { Modality } from '../../domain/modality.js';
import type { ItemColumns } from './columns/item-columns.js';
import type { EmbeddingTable } from './embedding-table.js';
import { grown } from './grown.js';
import { KeySet } from './key-set.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

const pageRows = 512;
const rememberedFilters = 4;
const rememberedKeys = 1_000_000;
/** Embeddings that have gone, from which on, and the share of all, the rest is read anew. */
const mostRemoved = { count: 1_000, share: 1 / 3 } as const;

interface Matching {
  keys: KeySet;
  /** How many of the embeddings were looked at. */
  through: number;
  /** Of what was looked at. */
  version: number;
}

/** Which keys of embeddings match a filter by their items' fields, remembered for the last few filters and carried on as items are added. */
export class MatchingKeys {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly #modality: Modality;
  readonly #columns: ItemColumns;
  /** Embeddings by key, and their items. */
  #keys = new Uint32Array(256);
  #items = new Uint32Array(256);
  /** The items are ascending too: none was embedded again. */
  #isInOrder = true;
  #count = 0;
  #removed = 0;
  #timesReset = 0;
  /** By the filter's JSON, in order of use. */
  readonly #remembered = new Map<string, Matching>();

  constructor(embeddings: EmbeddingTable, { space, modality }: { space: number; modality: Modality }, columns: ItemColumns) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.#modality = modality;
    this.#columns = columns;
  }

  /** May hold keys removed meanwhile. */
  async of(filter: Filter): Promise<KeySet> {
    // Between its end and the next line another call may have all read anew.
    let timesReset;
    do {
      timesReset = this.#timesReset;
      await this.#follow();
    } while (timesReset !== this.#timesReset);
    const name = JSON.stringify(filter);
    const version = this.#version;
    const known = this.#remembered.get(name);
    const before = known?.version === version ? known : { keys: new KeySet(), through: 0, version };
    const matching = before.through === this.#count ? before : await this.#carriedOn(before, filter);
    this.#remembered.delete(name);
    // What was looked up while an item changed may be of before or after.
    if (this.#version === version) this.#remembered.set(name, matching);
    this.#forgetOldest();
    return matching.keys;
  }

  /** The key's row was removed. */
  removed(): void {
    if (++this.#removed <= mostRemoved.count || this.#removed <= this.#count * mostRemoved.share) return;
    this.#keys = new Uint32Array(256);
    this.#items = new Uint32Array(256);
    this.#isInOrder = true;
    this.#count = this.#removed = 0;
    this.#timesReset++;
  }

  /** Rises whenever what was looked at before changes. */
  get #version(): number {
    return this.#columns.version + this.#timesReset;
  }

  async #follow(): Promise<void> {
    let began = now();
    for (;;) {
      const rows = this.#embeddings.ownersAfter(this.#space, this.#modality, this.#count === 0 ? 0 : this.#keys[this.#count - 1]!, pageRows);
      for (const [key, item] of rows) this.#append(key, item);
      if (rows.length < pageRows) return;
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }

  #append(key: number, item: number): void {
    if (this.#count === this.#keys.length) {
      this.#keys = grown(this.#keys, 2 * this.#count);
      this.#items = grown(this.#items, 2 * this.#count);
    }
    if (this.#count > 0 && item < this.#items[this.#count - 1]!) this.#isInOrder = false;
    this.#keys[this.#count] = key;
    this.#items[this.#count++] = item;
  }

  async #carriedOn({ keys: known, through, version }: Matching, filter: Filter): Promise<Matching> {
    // As they are now: while items are looked up, more may come, and all be read anew.
    const [keys, items, count, isInOrder] = [this.#keys, this.#items, this.#count, this.#isInOrder];
    const after = through === 0 ? 0 : least(items.subarray(through, count)) - 1;
    const matching = await this.#columns.matching(filter, { after });
    const found = known.copy();
    if (isInOrder) {
      let place = through;
      for (const item of matching) {
        while (place < count && items[place]! < item) place++;
        while (place < count && items[place] === item) found.add(keys[place++]!);
      }
    } else {
      const among = KeySet.of(matching);
      for (let place = through; place < count; place++) if (among.has(items[place]!)) found.add(keys[place]!);
    }
    return { keys: found, through: count, version };
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

function least(numbers: Uint32Array): number {
  let found = Infinity;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}

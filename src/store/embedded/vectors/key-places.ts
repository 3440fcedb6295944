import { grown } from '../grown.js';
import { firstAbove, type KeySet } from '../key-set.js';

/** The place of what was removed. */
const none = 2 ** 32 - 1;

/** Where the row of each key lies; keys come in ascending order. */
export class KeyPlaces {
  #keys: Uint32Array = new Uint32Array(64);
  #places: Uint32Array = new Uint32Array(64);
  #size = 0;

  /** `undefined` when there is none. */
  get lastKey(): number | undefined {
    return this.#size === 0 ? undefined : this.#keys[this.#size - 1];
  }

  /** `key` is above all others. */
  add(key: number, place: number): void {
    if (this.#size === this.#keys.length) {
      this.#keys = grown(this.#keys, 2 * this.#size);
      this.#places = grown(this.#places, 2 * this.#size);
    }
    this.#keys[this.#size] = key;
    this.#places[this.#size++] = place;
  }

  /** Where it lay; `undefined` when it lies nowhere. */
  remove(key: number): number | undefined {
    const at = this.#find(key);
    const place = this.#places[at];
    if (at === -1 || place === none) return undefined;
    this.#places[at] = none;
    return place;
  }

  move(key: number, place: number): void {
    this.#places[this.#find(key)] = place;
  }

  /** Forgets all keys from this one on. */
  truncate(key: number): void {
    this.#size = firstAbove(this.#keys, this.#size, key - 1);
  }

  /** Forgets the keys of what was removed. */
  compact(): void {
    let kept = 0;
    for (let i = 0; i < this.#size; i++) {
      // The last one says how far all is here.
      if (this.#places[i] === none && i < this.#size - 1) continue;
      this.#keys[kept] = this.#keys[i]!;
      this.#places[kept++] = this.#places[i]!;
    }
    this.#size = kept;
  }

  clear(): void {
    this.#keys = new Uint32Array(64);
    this.#places = new Uint32Array(64);
    this.#size = 0;
  }

  /** `undefined` when it lies nowhere. */
  of(key: number): number | undefined {
    const place = this.#places[this.#find(key)];
    return place === none ? undefined : place;
  }

  /** The places of those keys that are here, in the keys' order. */
  among(keys: KeySet): Uint32Array {
    const places = new Uint32Array(keys.size);
    let count = 0;
    let at = 0;
    for (let i = 0; i < keys.size && at < this.#size; i++) {
      const key = keys.at(i)!;
      at = this.#gallop(key, at);
      if (at < this.#size && this.#keys[at] === key && this.#places[at] !== none) places[count++] = this.#places[at]!;
    }
    return places.subarray(0, count);
  }

  #find(key: number): number {
    const at = firstAbove(this.#keys, this.#size, key - 1);
    return at < this.#size && this.#keys[at] === key ? at : -1;
  }

  /** The first place from `from` on whose key is not below `key`: near by in general. */
  #gallop(key: number, from: number): number {
    let step = 1;
    let low = from;
    while (low + step < this.#size && this.#keys[low + step]! < key) {
      low += step;
      step *= 2;
    }
    return firstAbove(this.#keys, Math.min(this.#size, low + step + 1), key - 1, low);
  }
}

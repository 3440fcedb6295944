import { grown } from './grown.js';

/** Keys in ascending order; new ones come at the end. */
export class KeySet {
  #keys: Uint32Array = new Uint32Array(64);
  #size = 0;

  /** Ascending. */
  static of(keys: Uint32Array): KeySet {
    const set = new KeySet();
    set.#keys = keys;
    set.#size = keys.length;
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** `key` is above all that are there. */
  add(key: number): void {
    if (this.#size === this.#keys.length) this.#keys = grown(this.#keys, Math.max(64, 2 * this.#size));
    this.#keys[this.#size++] = key;
  }

  /** Those that are in both. */
  and(other: KeySet): KeySet {
    const [few, many] = this.#size <= other.#size ? [this, other] : [other, this];
    return KeySet.of(few.#keys.subarray(0, few.#size).filter((key) => many.has(key)));
  }

  copy(): KeySet {
    return KeySet.of(this.#keys.slice(0, this.#size));
  }

  has(key: number): boolean {
    return this.at(this.behind(key - 1)) === key;
  }

  /** By its place, from 0; `undefined` behind the last. */
  at(place: number): number | undefined {
    return place < this.#size ? this.#keys[place] : undefined;
  }

  /** The place of the first key above `key`. */
  behind(key: number): number {
    return firstAbove(this.#keys, this.#size, key);
  }
}

/** In the first `count` of ascending keys, from `low` on, the place of the first above `key`. */
export function firstAbove(keys: Uint32Array, count: number, key: number, low = 0): number {
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

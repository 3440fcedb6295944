import { useEffect, useMemo, useState } from 'preact/hooks';
import type { MapItem, MapSource } from './map-source.js';

const mostKept = 6_000;
const mostAtOnce = 200;
const gatheringMs = 20;

/** What points are, asked for many at a time, kept for a while. */
export class ItemCache {
  /** Undefined value: it is not there any more. */
  readonly #items = new Map<number, MapItem | undefined>();
  readonly #asked = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #next: number[] = [];
  #timer = 0;

  constructor(readonly source: MapSource) {}

  get(number: number): MapItem | undefined {
    return this.#items.get(number);
  }

  has(number: number): boolean {
    return this.#items.has(number);
  }

  /** Called when something came, until the function that it answers is. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ask(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (this.#items.has(number) || this.#asked.has(number)) continue;
      this.#asked.add(number);
      this.#next.push(number);
    }
    if (this.#next.length > 0 && this.#timer === 0) this.#timer = window.setTimeout(() => void this.#load(), gatheringMs);
  }

  forget(numbers: Iterable<number>): void {
    for (const number of numbers) this.#items.delete(number);
  }

  async #load(): Promise<void> {
    this.#timer = 0;
    const numbers = this.#next.splice(0, mostAtOnce);
    if (this.#next.length > 0) this.#timer = window.setTimeout(() => void this.#load(), 0);
    try {
      const items = await this.source.items(numbers);
      for (const number of numbers) this.#items.set(number, undefined);
      for (const item of items) this.#items.set(item.number, item);
      for (const number of this.#items.keys()) {
        if (this.#items.size <= mostKept) break;
        this.#items.delete(number);
      }
    } catch {
      // Whoever still looks asks again.
    } finally {
      for (const number of numbers) this.#asked.delete(number);
    }
    for (const listener of this.#listeners) listener();
  }
}

/** What those points are, as far as it is known. */
export function useItems(cache: ItemCache, numbers: readonly number[]): (MapItem | undefined)[] {
  const [, setVersion] = useState(0);
  const key = numbers.join();
  useEffect(() => cache.listen(() => setVersion((before) => before + 1)), [cache]);
  useEffect(() => cache.ask(numbers), [cache, key]);
  return numbers.map((number) => cache.get(number));
}

export const useItemCache = (source: MapSource): ItemCache => useMemo(() => new ItemCache(source), [source]);

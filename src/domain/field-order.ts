import { compareCodePoints } from './code-point-order.js';
import type { Scalar } from './filter.js';

/** What an item is ordered by; `undefined`: it stands behind all others. */
export type OrderValue = string | number | boolean | undefined;

/** Where an item stands in an order: its value, and its key, which no two share. */
export interface OrderPlace {
  value: OrderValue;
  key: number;
}

/** Characters of a string that count: two that begin alike stand side by side, by key. */
const longestOrdered = 128;

/** Of a list the one that comes first. */
export function orderValueOf(value: unknown, descending: boolean): OrderValue {
  if (Array.isArray(value)) {
    const sign = descending ? -1 : 1;
    const [first, ...more] = value.filter(isOrdered).map(cut);
    return more.reduce<OrderValue>((least, each) => (sign * compareValues(each, least!) < 0 ? each : least), first);
  }
  return isOrdered(value) ? cut(value) : undefined;
}

const cut = (value: Ordered): Ordered => (typeof value === 'string' && value.length > longestOrdered ? value.slice(0, longestOrdered) : value);

/** Booleans, then numbers, then strings by code point; descending the other way round. What has no value is last either way. */
export function compareIn(descending: boolean): (a: OrderPlace, b: OrderPlace) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.value === undefined || b.value === undefined) return Number(a.value === undefined) - Number(b.value === undefined) || sign * (a.key - b.key);
    return sign * (compareValues(a.value, b.value) || a.key - b.key);
  };
}

const kinds = { boolean: 0, number: 1, string: 2 } as const;
type Ordered = NonNullable<OrderValue>;

const isOrdered = (value: unknown): value is Ordered => typeof value in kinds;
const kindOf = (value: Scalar): number => kinds[typeof value as keyof typeof kinds];

function compareValues(a: Ordered, b: Ordered): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  return kindOf(a) - kindOf(b) || Number(a) - Number(b);
}

/** The first so many in an order, of any number that are offered. */
export class First<T> {
  readonly #most: number;
  readonly #compare: (a: T, b: T) => number;
  /** In order. */
  readonly found: T[] = [];

  constructor(most: number, compare: (a: T, b: T) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  offer(each: T): void {
    const last = this.found.at(-1);
    const isFull = this.found.length === this.#most;
    if (isFull && (!last || this.#compare(each, last) >= 0)) return;
    let low = 0;
    let high = this.found.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.found[middle]!, each) <= 0) low = middle + 1;
      else high = middle;
    }
    this.found.splice(low, 0, each);
    if (isFull) this.found.pop();
  }
}

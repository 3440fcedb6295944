import { itemPrefix, type Filter } from '../../../domain/filter.js';
import type { Metadata } from '../../../domain/metadata.js';
import type { Modality } from '../../../domain/modality.js';
import { compileFilter } from '../filter.js';
import { grown } from '../grown.js';
import type { ItemTable } from '../item-table.js';
import { firstAbove } from '../key-set.js';
import { nextTurn, now, sliceMs } from '../time-slices.js';
import { Column, verdict } from './column.js';
import type { ColumnMemory } from './column-memory.js';
import { namesOwnFields, verdictsOf, type Held } from './evaluate.js';

/** Rows read at a time. */
const pageRows = 512;
/** Fields that are held; of more, items are looked up. */
const mostFields = 256;
/** Items that have changed or gone, from which on, and the share of all, the rest is read anew. */
const mostChanges = { count: 1_000, share: 1 / 3 } as const;
/** Of an item itself. */
const state = { gone: 0, sound: 1, damaged: 2 } as const;
/** Its key, and its state. */
const itemBytes = 5;

/**
 * What filters, facets and orders need of one collection's items of one modality, in memory by field. It follows the
 * database by key, and what is too long or too much to be held is looked up there: what it tells is what the rows say.
 */
export class ItemColumns {
  readonly #items: ItemTable;
  readonly #collection: number;
  readonly #modality: Modality;
  readonly #memory: ColumnMemory;
  #columns = new Map<string, Column>();
  /** Some field is not held: what has no column may be there all the same. */
  #isPartial = false;
  /** The items' own fields are held as well, from the first time that one is asked for. */
  #hasOwn = false;
  /** By place, ascending. */
  #keys = new Uint32Array(256);
  /** By place. */
  #states = new Uint8Array(256);
  #count = 0;
  /** Items that have changed or gone since all was read. */
  #changes = 0;
  #isBehind = true;
  #isRetired = false;
  /** Rises whenever what was read before changes. */
  version = 0;

  constructor(items: ItemTable, { collection, modality, memory }: { collection: number; modality: Modality; memory: ColumnMemory }) {
    this.#items = items;
    this.#collection = collection;
    this.#modality = modality;
    this.#memory = memory;
  }

  get places(): number {
    return this.#count;
  }

  get bytes(): number {
    let bytes = itemBytes * this.#keys.length;
    for (const column of this.#columns.values()) bytes += column.bytes;
    return bytes;
  }

  /** There may be items that were not read yet. */
  added(): void {
    this.#isBehind = true;
  }

  /** What the item's row says has changed. */
  changed(key: number): void {
    const place = this.#placeOf(key);
    if (place === undefined) return;
    for (const column of this.#columns.values()) column.set(place, undefined);
    this.#put(place, this.#items.fields(key));
    this.version++;
    this.#memory.bound(this);
    this.#outdated();
  }

  removed(key: number): void {
    const place = this.#placeOf(key);
    if (place === undefined) return;
    this.#states[place] = state.gone;
    this.version++;
    this.#outdated();
  }

  /** Columns keep each value that an item ever had. */
  #outdated(): void {
    if (++this.#changes > mostChanges.count && this.#changes > this.#count * mostChanges.share) this.clear();
  }

  /** Everything is read anew when it is next asked for. */
  clear(): void {
    this.#columns = new Map();
    this.#isPartial = false;
    this.#keys = new Uint32Array(256);
    this.#states = new Uint8Array(256);
    this.#count = this.#changes = 0;
    this.#isBehind = true;
    this.version++;
  }

  /** Its collection has gone. */
  retire(): void {
    this.#isRetired = true;
    this.clear();
    this.#memory.forget(this);
  }

  /** Reads some more items; false when there are no more. */
  readSome(): boolean {
    if (!this.#isBehind || this.#isRetired) return false;
    const rows = this.#items.fieldsAfter(this.#collection, this.#modality, this.#count === 0 ? 0 : this.#keys[this.#count - 1]!, pageRows);
    this.#isBehind = rows.length === pageRows;
    for (const { key, fields } of rows) this.#append(key, fields);
    this.#memory.bound(this);
    return this.#isBehind;
  }

  /** Reads all that there is; `own`: of the items' own fields as well. */
  async follow(own: boolean): Promise<void> {
    if (own && !this.#hasOwn) {
      this.#hasOwn = true;
      this.clear();
    }
    let began = now();
    while (this.readSome()) {
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }

  /** Keys of the items behind `after` that match, ascending; those that are looked up may change or go meanwhile. `damaged`: with those of which nobody can tell. */
  async matching(filter: Filter | undefined, { after = 0, damaged = false } = {}): Promise<Uint32Array> {
    const own = filter !== undefined && namesOwnFields(filter);
    // Between its end and the next line another call may have all read anew.
    do await this.follow(own);
    while (this.#isBehind && !this.#isRetired);
    const from = firstAbove(this.#keys, this.#count, after);
    const verdicts = verdictsOf(filter ?? {}, (field) => this.#held(field), from, this.#count);
    const states = this.#states.subarray(from, this.#count);
    const all = this.#keys.subarray(from, this.#count);
    let keys = new Uint32Array(64);
    let found = 0;
    const unknown: number[] = [];
    for (let i = 0; i < verdicts.length; i++) {
      const told = states[i] === state.sound ? verdicts[i] : damaged && states[i] === state.damaged ? verdict.yes : verdict.no;
      if (told === verdict.no) continue;
      if (told === verdict.unknown) unknown.push(found);
      if (found === keys.length) keys = grown(keys, 2 * found);
      keys[found++] = all[i]!;
    }
    return unknown.length === 0 ? keys.subarray(0, found) : this.#lookedUp(filter!, keys.subarray(0, found), unknown);
  }

  /** Tells a field's value of each of these items, by their keys, ascending; the keys of those of which it is not held. */
  tell(field: string, keys: Uint32Array, each: (key: number, value: unknown) => void): number[] {
    const held = this.#held(field);
    const notHeld: number[] = [];
    let place = 0;
    for (const key of keys) {
      while (place < this.#count && this.#keys[place]! < key) place++;
      if (this.#keys[place] !== key || held === 'unknown') notHeld.push(key);
      else if (held === 'missing') each(key, undefined);
      else if (held.isBeyond(place)) notHeld.push(key);
      else each(key, held.valueAt(place));
    }
    return notHeld;
  }

  #held(field: string): Held {
    const isOwn = field.startsWith(itemPrefix);
    return this.#columns.get(field) ?? (this.#isPartial || (isOwn && !this.#hasOwn) ? 'unknown' : 'missing');
  }

  /** Gives up the field that takes most; false when none is left. */
  dropLargest(): boolean {
    const [largest] = [...this.#columns].sort(([, a], [, b]) => b.bytes - a.bytes);
    if (!largest) return false;
    this.#columns.delete(largest[0]);
    this.#isPartial = true;
    return true;
  }

  /** Without those of the keys, by their places, whose items do not match. */
  async #lookedUp(filter: Filter, keys: Uint32Array, places: number[]): Promise<Uint32Array> {
    const matches = compileFilter(filter);
    const out = new Set<number>();
    let began = now();
    for (const place of places) {
      const fields = this.#items.fields(keys[place]!);
      if (!fields || !matches(fields)) out.add(place);
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return keys.filter((_, place) => !out.has(place));
  }

  #placeOf(key: number): number | undefined {
    const place = firstAbove(this.#keys, this.#count, key - 1);
    return place < this.#count && this.#keys[place] === key ? place : undefined;
  }

  #append(key: number, fields: Metadata | undefined): void {
    if (this.#count === this.#keys.length) {
      this.#keys = grown(this.#keys, 2 * this.#count);
      this.#states = grown(this.#states, 2 * this.#count);
    }
    this.#keys[this.#count] = key;
    this.#put(this.#count++, fields);
  }

  #put(place: number, fields: Metadata | undefined): void {
    this.#states[place] = fields ? state.sound : state.damaged;
    if (fields) for (const [field, value] of leavesOf(fields, this.#hasOwn)) this.#columnFor(field)?.set(place, value);
  }

  /** `undefined`: it is not held. */
  #columnFor(field: string): Column | undefined {
    const known = this.#columns.get(field);
    if (known || this.#isPartial) return known;
    if (this.#columns.size === mostFields) {
      this.#isPartial = true;
      return undefined;
    }
    const column = new Column();
    this.#columns.set(field, column);
    return column;
  }
}

/** Every field that a filter can name, with its value: an object's, and those in it. */
function* leavesOf(fields: Metadata, withOwn: boolean): Generator<[field: string, value: unknown]> {
  for (const [key, value] of Object.entries(fields)) if (!key.startsWith('$')) yield* leavesAt(key, key, value);
  if (withOwn) for (const [key, value] of Object.entries(fields['$item'] as object)) yield* leavesAt(`${itemPrefix}${key}`, key, value);
}

function* leavesAt(field: string, key: string, value: unknown): Generator<[field: string, value: unknown]> {
  // Dots of a filter's fields go into objects.
  if (key.includes('.')) return;
  yield [field, value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [inner, each] of Object.entries(value)) yield* leavesAt(`${field}.${inner}`, inner, each);
}

import { compareCodePoints } from '../../domain/code-point-order.js';
import { itemPrefix, type Filter, type Scalar } from '../../domain/filter.js';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Item, ListPlace, ListRequest, ValueCounts } from '../catalog.js';
import type { ItemColumns } from './columns/item-columns.js';
import { compareIn, First, orderValueOf, type OrderPlace } from '../../domain/field-order.js';
import { valueAt } from '../../domain/metadata.js';
import { compileFilter } from './filter.js';
import { fieldsOf } from '../stored-item.js';
import type { ItemRow, ItemTable } from './item-table.js';
import { KeySet } from './key-set.js';
import type { OpenCollection } from './open-collections.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

const pageRows = 512;
/** Looking at a row in the order of ids takes so many times what looking up an id by its key takes. */
const costOfRow = 3;
/** Longer strings are among the other values. */
const longestCounted = 256;

type Page = { items: Item[]; next?: ListPlace };

/** Pages of a collection's items, and how many have which value: by the columns, and told from the rows. */
export class Listing {
  readonly #items: ItemTable;

  constructor(items: ItemTable) {
    this.#items = items;
  }

  page(collection: OpenCollection, request: ListRequest): Promise<Page> {
    if (request.sort) return this.#pageBySort(collection, { ...request, sort: request.sort });
    return request.filter ? this.#pageOfMatching(collection, { ...request, filter: request.filter }) : this.#pageById(collection, request);
  }

  /** Keys of the items that match, those without an embedding among them. */
  async matching({ columns }: OpenCollection, filter: Filter, { damaged = false } = {}): Promise<number[]> {
    const keys: number[] = [];
    for (const modality of modalities) for (const key of await columns[modality].matching(filter, { damaged })) keys.push(key);
    return keys;
  }

  async countValues({ columns }: OpenCollection, { fields, filter, limit }: { fields: string[]; filter?: Filter; limit: number }): Promise<Record<string, ValueCounts>> {
    const counts = new Map(fields.map((field) => [field, new Counts()]));
    await this.#each(columns, { own: fields.some(isOwn), ...(filter ? { filter } : {}) }, async (held, keys) => {
      for (const [field, counted] of counts) await this.#tell(held, field, keys, (_, value) => counted.add(value));
    });
    return Object.fromEntries([...counts].map(([field, counted]) => [field, counted.told(limit)]));
  }

  async #pageById({ row }: OpenCollection, { limit, after }: ListRequest): Promise<Page> {
    const items: Item[] = [];
    for (let from = idIn(after); ; from = items.at(-1)!.id) {
      const rows = this.#items.page(row.key, from, Math.min(pageRows, limit + 1 - items.length));
      for (const each of rows) {
        if (items.length === limit) return { items, next: [items.at(-1)!.id] };
        items.push(this.#items.toItem(each));
      }
      if (rows.length === 0) return { items };
      await nextTurn();
    }
  }

  async #pageOfMatching(collection: OpenCollection, { filter, limit, after }: ListRequest & { filter: Filter }): Promise<Page> {
    const keys = await this.matching(collection, filter, { damaged: true });
    const all = modalities.reduce((sum, modality) => sum + collection.columns[modality].places, 0);
    const matches = compileFilter(filter);
    const items: Item[] = [];
    const rows = keys.length ** 2 < (limit + 1) * all * costOfRow ? this.#sortedById(keys, idIn(after)) : this.#amongAll(collection.row.key, keys, idIn(after));
    let began = now();
    for (const row of rows) {
      if (row && (!this.#items.hasSoundMetadata(row) || matches(fieldsOf(row)))) {
        if (items.length === limit) return { items, next: [items.at(-1)!.id] };
        items.push(this.#items.toItem(row));
      }
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
    return { items };
  }

  /** Few: by looking up what they are called. */
  *#sortedById(keys: number[], after: string): Generator<ItemRow | undefined> {
    const found: { key: number; id: string }[] = [];
    for (const key of keys) {
      const id = this.#items.idOf(key);
      if (compareCodePoints(id, after) > 0) found.push({ key, id });
      // The caller may let others pass.
      yield undefined;
    }
    found.sort((a, b) => compareCodePoints(a.id, b.id));
    for (const { key } of found) yield this.#items.byKey(key);
  }

  /** Many: one soon comes when all are looked at by id. */
  *#amongAll(collection: number, keys: number[], after: string): Generator<ItemRow | undefined> {
    const matching = KeySet.of(Uint32Array.from(keys).sort());
    for (let from = after; ; ) {
      const rows = this.#items.page(collection, from, pageRows);
      for (const row of rows) yield matching.has(row.key) ? row : undefined;
      if (rows.length < pageRows) return;
      from = rows.at(-1)!.id;
    }
  }

  async #pageBySort({ columns }: OpenCollection, request: ListRequest & { sort: NonNullable<ListRequest['sort']> }): Promise<Page> {
    const { filter, limit } = request;
    const { field, descending } = request.sort;
    const compare = compareIn(descending);
    const after = placeIn(request.after);
    const first = new First(limit + 1, compare);
    await this.#each(columns, { own: isOwn(field), damaged: true, ...(filter ? { filter } : {}) }, (held, keys) =>
      this.#tell(held, field, keys, (key, value) => {
        const place = { key, value: orderValueOf(value, descending) };
        if (!after || compare(place, after) > 0) first.offer(place);
      }),
    );
    const page = first.found.slice(0, limit);
    const matches = filter ? compileFilter(filter) : () => true;
    const items = page.flatMap(({ key }): Item[] => {
      const row = this.#items.byKey(key);
      return row && (!this.#items.hasSoundMetadata(row) || matches(fieldsOf(row))) ? [this.#items.toItem(row)] : [];
    });
    const last = page.at(-1);
    return { items, ...(first.found.length > limit && last ? { next: [last.value ?? null, last.key] } : {}) };
  }

  async #each(columns: OpenCollection['columns'], { own, damaged = false, filter }: { own: boolean; damaged?: boolean; filter?: Filter }, work: (columns: ItemColumns, keys: Uint32Array) => Promise<void>): Promise<void> {
    for (const modality of modalities) {
      await columns[modality].follow(own);
      await work(columns[modality], await columns[modality].matching(filter, { damaged }));
    }
  }

  /** Each item's value of a field, from the row where it is not held. */
  async #tell(columns: ItemColumns, field: string, keys: Uint32Array, each: (key: number, value: unknown) => void): Promise<void> {
    const path = field.split('.');
    let began = now();
    for (const key of columns.tell(field, keys, each)) {
      const fields = this.#items.fields(key);
      // A damaged one has none; one that has gone is not told.
      if (fields || this.#items.byKey(key)) each(key, fields && valueAt(fields, path));
      if (now() - began <= sliceMs) continue;
      await nextTurn();
      began = now();
    }
  }
}

class Counts {
  readonly #values = new Map<Scalar, number>();
  #other = 0;
  #missing = 0;

  add(value: unknown): void {
    if (value === undefined) this.#missing++;
    else if (Array.isArray(value)) {
      const scalars = new Set(value.filter(isCounted));
      if (scalars.size === 0) this.#other++;
      for (const scalar of scalars) this.#count(scalar);
    } else if (isCounted(value)) this.#count(value);
    else this.#other++;
  }

  #count(value: Scalar): void {
    this.#values.set(value, (this.#values.get(value) ?? 0) + 1);
  }

  told(limit: number): ValueCounts {
    const first = new First<[value: Scalar, count: number]>(limit, ([a, countOfA], [b, countOfB]) => countOfB - countOfA || byValue({ value: a ?? undefined, key: 0 }, { value: b ?? undefined, key: 0 }));
    let all = 0;
    for (const each of this.#values) {
      first.offer(each);
      all += each[1];
    }
    const listed = first.found.reduce((sum, [, count]) => sum + count, 0);
    return { values: first.found.map(([value, count]) => ({ value, count })), other: this.#other + all - listed, missing: this.#missing };
  }
}

const byValue = compareIn(false);
const isCounted = (value: unknown): value is Scalar => value === null || typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length <= longestCounted);
const isOwn = (field: string): boolean => field.startsWith(itemPrefix);

function idIn(place: ListPlace | undefined): string {
  const [id] = place ?? [''];
  if (typeof id !== 'string' || (place?.length ?? 1) !== 1) throw unreadable();
  return id;
}

function placeIn(place: ListPlace | undefined): OrderPlace | undefined {
  if (place === undefined) return undefined;
  const [value, key] = place;
  if (value === undefined || typeof key !== 'number') throw unreadable();
  return { value: value ?? undefined, key };
}

const unreadable = (): MixspaceError => new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });

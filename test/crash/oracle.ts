/** What listings, facets and searches must answer, from a scan of all items; nothing of the service's own code is asked. */
import { isDeepStrictEqual } from 'node:util';
import type { Item, ValueCounts } from '../../src/contract/items.js';
import { at, byteOrder, matches } from '../model-based/filter-oracle.js';
import type { Json } from '../model-based/metadata.js';
import { embeddingOf, isGiven, metadataOf, modalityOf, sourcesOf } from './contents.js';
import type { Presence } from './ledger.js';

export interface Owed {
  id: string;
  state: Presence;
  /** What filters and orders see of it. */
  fields: Json;
}

export function owedOf(id: string, state: Presence, own: Json = {}): Owed {
  const sources = sourcesOf(id);
  return { id, state, fields: { ...metadataOf(id, state), $item: { modality: modalityOf(id), ...(sources.length > 0 ? { source: sources } : {}), ...own } } };
}

/** The fields that the service alone knows. */
export const ownFieldsOf = ({ width, height, created_at, updated_at }: Item): Json => ({ ...(width === undefined ? {} : { width, height }), created_at, updated_at });

export const matching = (items: Owed[], filter: Json): Owed[] => items.filter(({ fields }) => matches(filter, fields));

export const byId = (items: Owed[]): string[] => items.map(({ id }) => id).sort(byteOrder);

type Ordered = boolean | number | string;
const kinds = ['boolean', 'number', 'string'];
const isOrdered = (value: unknown): value is Ordered => kinds.includes(typeof value);

function order(a: Ordered, b: Ordered): number {
  if (typeof a === 'string' && typeof b === 'string') return byteOrder(a, b);
  return kinds.indexOf(typeof a) - kinds.indexOf(typeof b) || Number(a) - Number(b);
}

/** Whether the ids come in the order, whichever way those of one value stand. */
export function isInOrder(items: Owed[], sort: string, ids: string[]): boolean {
  const isDescending = sort.startsWith('-');
  const sign = isDescending ? -1 : 1;
  const valueOf = ({ fields }: Owed): Ordered | undefined => {
    const values = at(fields, isDescending ? sort.slice(1) : sort).flat().filter(isOrdered);
    return values.sort((a, b) => sign * order(a, b))[0];
  };
  const values = new Map(items.map((item) => [item.id, valueOf(item)]));
  const expected = [...values.values()].sort((a, b) => (a === undefined || b === undefined ? Number(a === undefined) - Number(b === undefined) : sign * order(a, b)));
  return isDeepStrictEqual(ids.map((id) => values.get(id)), expected);
}

/** Where no value is left out for the sake of brevity. */
export function valueCounts(items: Owed[], field: string): ValueCounts {
  const counts = new Map<unknown, number>();
  const told = { other: 0, missing: 0 };
  for (const { fields } of items) {
    const found = at(fields, field);
    const scalars = new Set(found.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : [value])).filter((value) => value === null || (isOrdered(value) && (typeof value !== 'string' || value.length <= 256))));
    if (found.length === 0) told.missing++;
    else if (scalars.size === 0) told.other++;
    for (const scalar of scalars) counts.set(scalar, (counts.get(scalar) ?? 0) + 1);
  }
  return { values: [...counts].map(([value, count]) => ({ value: value as string, count })).sort(inOneOrder), ...told };
}

/** Of values told in any order, one. */
export const inOneOrder = (a: { value: unknown }, b: { value: unknown }): number => byteOrder(JSON.stringify(a.value), JSON.stringify(b.value));

const units = new Map<string, Float64Array>();
const mostUnits = 20_000;

export function unitEmbeddingOf(id: string, version: number, dimension: number): Float64Array {
  const name = `${id}#${version}#${dimension}`;
  let unit = units.get(name);
  if (!unit) {
    if (units.size >= mostUnits) units.clear();
    const values = embeddingOf(id, version, dimension);
    const length = Math.hypot(...values);
    unit = Float64Array.from(values, (value) => value / length);
    units.set(name, unit);
  }
  return unit;
}

/** Cosines to the embedding, of all that came as embeddings. */
export function scores(items: Owed[], query: Float64Array): Map<string, number> {
  const found = new Map<string, number>();
  for (const { id, state } of items) {
    if (!isGiven(id)) continue;
    const unit = unitEmbeddingOf(id, state.version, query.length);
    let sum = 0;
    for (let i = 0; i < query.length; i++) sum += query[i]! * unit[i]!;
    found.set(id, sum);
  }
  return found;
}

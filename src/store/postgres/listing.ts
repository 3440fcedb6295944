import { itemPrefix, type Filter } from '../../domain/filter.js';
import { MixspaceError } from '../../errors.js';
import type { Catalog, Item, ListPlace, ListRequest } from '../catalog.js';
import { toItem } from '../stored-item.js';
import { findCollection, type CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { countValues } from './facets.js';
import { fieldAt } from './fields.js';
import { compileFilter } from './filter.js';
import { itemsByKeys } from './items.js';
import type { Parts } from './parts.js';
import { isGone } from './problems.js';
import { itemsOf } from './tables.js';

/** Characters of a string that an order goes by. */
const longestOrdered = 128;

/** Some of the items, in their order: what a statement selects them from, and by which expressions, the last of which tells any two apart. */
interface Section {
  from: string;
  where: string;
  by: { expression: string; type: 'text' | 'float8' | 'bigint' }[];
  /** What `from` and `where` name. */
  values: unknown[];
}

interface Found {
  key: number;
  place: ListPlace;
}

export function listingOf({ database }: Parts): Pick<Catalog, 'listItems' | 'countValues'> {
  return {
    listItems: (name, request) => database.read(async (session) => pageOf(session, await findCollection(session, name), request), isGone),
    countValues: (name, request) => database.read(async (session) => countValues(session, await findCollection(session, name), request), isGone),
  };
}

async function pageOf(session: Session, collection: CollectionRow, request: ListRequest): Promise<{ items: Item[]; next?: ListPlace }> {
  const { limit, after, sort } = request;
  const sections = sort ? sectionsBy(sort, collection, request.filter) : [byId(collection, request.filter)];
  const first = after === undefined ? 0 : sections.findIndex(({ by }) => by.length === after.length);
  if (first < 0) throw unreadable();
  const found: Found[] = [];
  for (const [i, section] of sections.entries()) {
    if (i < first || found.length > limit) continue;
    found.push(...(await foundIn(session, section, { descending: sort?.descending ?? false, limit: limit + 1 - found.length, after: i === first ? after : undefined })));
  }
  const page = found.slice(0, limit);
  const rows = new Map((await itemsByKeys(session, collection, page.map(({ key }) => key))).map((row) => [row.key, row]));
  const last = page.at(-1);
  return { items: page.map(({ key }) => toItem(rows.get(key)!)), ...(found.length > limit && last ? { next: last.place } : {}) };
}

async function foundIn(session: Session, { from, where, by, values: named }: Section, { descending, limit, after }: { descending: boolean; limit: number; after: ListPlace | undefined }): Promise<Found[]> {
  const values = [...named];
  const bounds = after?.map((each, i) => {
    const { type } = by[i]!;
    if (typeof each !== (type === 'text' ? 'string' : 'number')) throw unreadable();
    return `$${values.push(each)}::${type}`;
  });
  const expressions = by.map(({ expression }) => expression);
  const behind = bounds ? ` AND (${expressions.join(', ')}) ${descending ? '<' : '>'} (${bounds.join(', ')})` : '';
  const direction = descending ? 'DESC' : 'ASC';
  const most = `$${values.push(limit)}::bigint`;
  const rows = await session.rows<{ key: number } & Record<string, string | number>>(
    `SELECT key, ${expressions.map((each, i) => `${each} AS place_${i}`).join(', ')} FROM ${from} WHERE ${where}${behind} ORDER BY ${expressions.map((each) => `${each} ${direction}`).join(', ')} LIMIT ${most}`,
    values,
  );
  return rows.map((row) => ({ key: row.key, place: by.map((_, i) => row[`place_${i}`]!) }));
}

const byKey = { expression: 'key', type: 'bigint' } as const;

function byId({ key }: CollectionRow, filter: Filter | undefined): Section {
  const values: unknown[] = [];
  return { from: itemsOf(key), where: compileFilter(filter ?? {}, values), by: [{ expression: 'id', type: 'text' }], values };
}

/** An item's own fields that are columns, too. */
const columns: Record<string, 'text' | 'float8'> = { modality: 'text', width: 'float8', height: 'float8', media_type: 'text', taken_at: 'text', created_at: 'text', updated_at: 'text' };

/** Those that have the field, and behind them those that have not. */
function sectionsBy({ field, descending }: { field: string; descending: boolean }, collection: CollectionRow, filter: Filter | undefined): Section[] {
  const column = field.startsWith(itemPrefix) ? field.slice(itemPrefix.length) : '';
  const type = Object.hasOwn(columns, column) ? columns[column] : undefined;
  const values: unknown[] = [];
  const condition = compileFilter(filter ?? {}, values);
  if (type !== undefined) {
    const from = itemsOf(collection.key);
    const value = { expression: type === 'text' ? `${column} COLLATE "C"` : column, type };
    return [
      { from, where: `${condition} AND ${column} IS NOT NULL`, by: [value, byKey], values },
      { from, where: `${condition} AND ${column} IS NULL`, by: [byKey], values },
    ];
  }
  // Each row's value is taken out of its fields once: `OFFSET 0` keeps the expression from being repeated where it is named.
  const fields = `SELECT key, ${fieldAt(field, values)} AS value FROM ${itemsOf(collection.key)} WHERE ${condition} OFFSET 0`;
  const from = `(SELECT key, CASE jsonb_typeof(value) WHEN 'array' THEN ${firstOf('value', descending)} ELSE value END AS value FROM (${fields}) AS found OFFSET 0) AS found`;
  return [
    { from, where: hasPlace('value'), by: [{ expression: placeOf('value'), type: 'text' }, { expression: numberOf('value'), type: 'float8' }, byKey], values },
    { from, where: `${hasPlace('value')} IS NOT TRUE`, by: [byKey], values },
  ];
}

const hasPlace = (value: string): string => `(jsonb_typeof(${value}) IN ('boolean', 'number', 'string'))`;
/** Booleans, numbers, strings by code point. */
const placeOf = (value: string): string => `(CASE jsonb_typeof(${value}) WHEN 'boolean' THEN '0' || (${value} #>> '{}') WHEN 'number' THEN '1' WHEN 'string' THEN '2' || left(${value} #>> '{}', ${longestOrdered}) END COLLATE "C")`;
const numberOf = (value: string): string => `(CASE jsonb_typeof(${value}) WHEN 'number' THEN ${value}::float8 ELSE 0 END)`;

/** Of a list the scalar that comes first. */
function firstOf(list: string, descending: boolean): string {
  const direction = descending ? 'DESC' : 'ASC';
  return `(SELECT each FROM jsonb_array_elements(${list}) AS elements (each) WHERE ${hasPlace('each')} ORDER BY ${placeOf('each')} ${direction}, ${numberOf('each')} ${direction} LIMIT 1)`;
}

const unreadable = (): MixspaceError => new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });

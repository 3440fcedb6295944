import type { Filter, Scalar } from '../../domain/filter.js';
import type { ValueCounts } from '../catalog.js';
import type { CollectionRow } from './collections.js';
import type { Session } from './database.js';
import { fieldAt } from './fields.js';
import { compileFilter } from './filter.js';
import { fromStored } from './stored-text.js';
import { itemsOf } from './tables.js';

/** UTF-16 code units of a string that is counted by itself; longer ones are among the other values. */
const longestCounted = 256;

interface CountRow {
  field: number;
  /** `all`: of the values that are counted by themselves, those that are listed among them. */
  kind: 'value' | 'all' | 'other' | 'missing';
  value: Scalar;
  count: number;
}

/** How many of the items that match have which value of each field: counted in the database, so that no more than what is told comes here. */
export async function countValues(session: Session, { key }: CollectionRow, { fields, filter, limit }: { fields: string[]; filter?: Filter; limit: number }): Promise<Record<string, ValueCounts>> {
  const names = [...new Set(fields)];
  const counts = names.map((): ValueCounts => ({ values: [], other: 0, missing: 0 }));
  const values: unknown[] = [];
  const found = `SELECT ${names.map((name, i) => `${fieldAt(name, values)} AS value_${i}`).join(', ')} FROM ${itemsOf(key)} WHERE ${compileFilter(filter ?? {}, values)} OFFSET 0`;
  for (const { field, kind, value, count } of await session.rows<CountRow>(counting(found, names.length, `$${values.push(limit)}::bigint`), values)) {
    const counted = counts[field]!;
    if (kind === 'missing') counted.missing += count;
    else counted.other += kind === 'value' ? -count : count;
    if (kind === 'value') counted.values.push({ value: typeof value === 'string' ? fromStored(value) : value, count });
  }
  return Object.fromEntries(names.map((name, i) => [name, counts[i]!]));
}

/** Bytes of a jsonb value that need no closer look as long as equal ones are put together. */
const small = 256;

/** `{}` stands for what is not counted by itself. A list is one value at first; then it counts for each scalar in it. */
function counting(found: string, fields: number, limit: string): string {
  const places = Array.from({ length: fields }, (_, i) => i);
  const each = places.map((i) => `CASE WHEN pg_column_size(value_${i}) <= ${small} OR ${isCounted(`value_${i}`)} OR jsonb_typeof(value_${i}) = 'array' THEN value_${i} WHEN value_${i} IS NOT NULL THEN '{}' END AS value_${i}`);
  const scalars = `SELECT DISTINCT each FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value ELSE '[]' END) AS elements (each) WHERE ${isCounted('each')}`;
  return `WITH grouped AS MATERIALIZED (
      SELECT CASE ${places.map((i) => `WHEN GROUPING(value_${i}) = 0 THEN ${i}`).join(' ')} END AS field, coalesce(${places.map((i) => `value_${i}`).join(', ')}) AS value, count(*) AS count
      FROM (SELECT ${each.join(', ')} FROM (${found}) AS found OFFSET 0) AS found GROUP BY GROUPING SETS (${places.map((i) => `(value_${i})`).join(', ')})
    ), counted AS MATERIALIZED (
      SELECT field, value, sum(count)::bigint AS count FROM (
        SELECT field, value, count FROM grouped WHERE jsonb_typeof(value) NOT IN ('array', 'object')
        UNION ALL SELECT field, each, count FROM grouped CROSS JOIN LATERAL (${scalars}) AS scalars WHERE jsonb_typeof(value) = 'array'
      ) AS every GROUP BY field, value
    )
    ${places.map((i) => `(SELECT ${i} AS field, 'value' AS kind, value, count FROM counted WHERE field = ${i} ORDER BY count DESC, ${orderOf('value')} LIMIT ${limit})`).join(' UNION ALL ')}
    UNION ALL SELECT field, 'all', NULL, sum(count)::bigint FROM counted GROUP BY field
    UNION ALL SELECT field, CASE WHEN value IS NULL THEN 'missing' ELSE 'other' END, NULL, sum(count)::bigint FROM grouped
      WHERE value IS NULL OR jsonb_typeof(value) = 'object' OR jsonb_typeof(value) = 'array' AND NOT EXISTS (${scalars}) GROUP BY field, value IS NULL`;
}

/** A scalar that is not too long. U+0000 and U+0001 are written as two characters each (stored-text.ts), and UTF-16 has two units for what lies beyond U+FFFF. */
function isCounted(value: string): string {
  const text = `${value} #>> '{}'`;
  const units = `length(regexp_replace(regexp_replace(${text}, '\\u0001[\\u0001\\u0002]', 'x', 'g'), '[\\U00010000-\\U0010FFFF]', 'xx', 'g'))`;
  return `CASE jsonb_typeof(${value}) WHEN 'string' THEN octet_length(${text}) <= ${longestCounted} OR ${units} <= ${longestCounted} WHEN 'array' THEN false WHEN 'object' THEN false ELSE ${value} IS NOT NULL END`;
}

/** Booleans, numbers, strings by code point, null. */
const orderOf = (value: string): string => `CASE jsonb_typeof(${value}) WHEN 'boolean' THEN 0 WHEN 'number' THEN 1 WHEN 'string' THEN 2 ELSE 3 END, CASE jsonb_typeof(${value}) WHEN 'number' THEN ${value}::float8 END, (${value} #>> '{}') COLLATE "C"`;

/** Filters as PostgreSQL checks them, beside an oracle that knows the contract's text alone. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Filter } from '../src/domain/filter.js';
import { readMigrations } from '../src/store/migrations.js';
import { Database, type Session } from '../src/store/postgres/database.js';
import { compileFilter } from '../src/store/postgres/filter.js';
import { migrate } from '../src/store/postgres/migrations.js';
import { toStoredJson } from '../src/store/postgres/stored-text.js';
import { Random } from './crash/random.js';
import { fieldsOf, matchesItem } from './model-based/filter-oracle.js';
import { drawFilter, drawMetadata, type Json } from './model-based/metadata.js';
import { serverName, testServer } from './port-contracts/postgres.js';

interface Thing {
  metadata: Json;
  modality: string;
  sources: string[];
}

const migrations = fileURLToPath(new URL('../migrations/postgres', import.meta.url));
let url: string;
let database: Database;

beforeAll(async () => {
  const server = await testServer();
  url = await server.newUrl();
  database = new Database({ url, most: 1, connectWithinMs: 10_000, onProblem: () => undefined });
  await migrate(database, readMigrations(migrations));
}, 60_000);

afterAll(async () => {
  await database.close();
  await (await testServer()).drop(url);
});

/** Of each filter the places of the things that match. */
async function matching(session: Session, filters: Json[]): Promise<number[][]> {
  const found: number[][] = [];
  for (let from = 0; from < filters.length; from += 100) {
    const values: unknown[] = [];
    const each = filters.slice(from, from + 100).map((filter) => {
      const condition = compileFilter(filter as Filter, values);
      // Were a condition null anywhere, its opposite would not hold there.
      return `ARRAY(SELECT key FROM things WHERE ${condition} ORDER BY key), ARRAY(SELECT key FROM things WHERE NOT (${condition}) ORDER BY key)`;
    });
    const row = (await session.row<{ lists: string }>(`SELECT to_json(ARRAY[${each.map((lists) => `json_build_array(${lists})`).join(', ')}])::text AS lists`, values))!;
    const { all } = (await session.row<{ all: number }>('SELECT count(*) AS all FROM things'))!;
    for (const [matched, others] of JSON.parse(row.lists) as [number[], number[]][]) {
      expect(matched.length + others.length).toBe(all);
      found.push(matched);
    }
  }
  return found;
}

async function fill(session: Session, things: Thing[]): Promise<void> {
  await session.execute('DROP TABLE IF EXISTS things; CREATE TABLE things (key bigint PRIMARY KEY, fields jsonb NOT NULL)');
  await session.write('INSERT INTO things SELECT place - 1, fields FROM unnest($1::jsonb[]) WITH ORDINALITY AS all_of_them (fields, place)', [things.map((thing) => toStoredJson(fieldsOf(thing)))]);
}

const expected = (filters: Json[], things: Thing[]): number[][] => filters.map((filter) => things.flatMap((thing, place) => (matchesItem(filter, thing) ? [place] : [])));

/** The first filter about which the two do not agree, with what they differ in. */
async function difference(things: Thing[], filters: Json[]): Promise<unknown> {
  return database.session(async (session) => {
    await fill(session, things);
    const wanted = expected(filters, things);
    const found = await matching(session, filters);
    const place = filters.findIndex((_, i) => JSON.stringify(wanted[i]) !== JSON.stringify(found[i]));
    if (place < 0) return undefined;
    const differing = things.filter((_, key) => wanted[place]!.includes(key) !== found[place]!.includes(key));
    return { filter: filters[place], differing: differing.slice(0, 3).map(fieldsOf), wanted: wanted[place]!.length, found: found[place]!.length };
  });
}

const plain = (metadata: Json): Thing => ({ metadata, modality: 'text', sources: [] });
const ranges = ['$gt', '$gte', '$lt', '$lte'];

describe(`Filters over ${serverName}`, () => {
  it('match what the contract says, of thousands that are drawn', async () => {
    const random = Random.named('filters over PostgreSQL');
    const things = Array.from({ length: 120 }, (): Thing => ({ metadata: drawMetadata(random), modality: random.pick(['image', 'text']), sources: random.pick([[], ['a.jpg'], ['a.jpg', 'b.jpg']]) }));
    const filters = Array.from({ length: 3_000 }, () => drawFilter(random));
    const sizes = expected(filters, things).map((list) => list.length);
    // Most let some through, and not all.
    expect(sizes.filter((size) => size > 0 && size < things.length).length).toBeGreaterThan(1_000);
    expect(await difference(things, filters)).toBeUndefined();
  }, 120_000);

  it('compares times as times, however they are written, with what is no time by code points, and lists by their elements', async () => {
    const days = ['2024-05-01', '2024-04-30', '2024-02-29', '2023-02-29', '2100-02-29', '2000-02-29', '0000-02-29', '0000-01-01', '9999-12-31', '2024-13-01', '2024-00-10', '2024-06-31', '1969-12-31', '1582-10-10'];
    const clocks = ['', 'T00:00', 'T00:00Z', 'T00:00:00.000Z', 'T00:00:00', 'T23:59:59.9999999999', 'T02:00+02:00', 'T23:59-00:01', 'T25:00Z', 'T12:60', 'T00:00:60', 'T00:00+24:00', 'T00:00z', 't00:00', 'T00:00:00.', 'T00', `T00:00:00.${'0'.repeat(42)}1Z`];
    const times = [...days.flatMap((day) => clocks.map((clock) => day + clock)), '', '2024', '2024-05-01 ', '٢٠٢٤-٠٥-٠١', '\uFF12024-05-01', '😀', '+010000-01-01'];
    const lists = times.map((time, i) => [times[(i * 7) % times.length], 5, null, [time]]);
    const things = [...times, ...lists, { at: '2024-05-01' }, 20240501].map((when) => plain({ when }));
    const filters = times.filter((_, i) => i % 5 === 0).flatMap((bound) => ranges.map((operator) => ({ when: { [operator]: bound } })));
    expect(await difference(things, filters)).toBeUndefined();
  }, 120_000);

  it('compare numbers as numbers, however large or small, and nothing with what is of another type', async () => {
    const numbers = [0, -0, 1, -1, 1.5, 0.1 + 0.2, 0.3, 1e308, -1e308, Number.MAX_VALUE, 5e-324, -5e-324, 2 ** 53, 2 ** 53 + 2, 1e21, 1e-7];
    const values = [...numbers, ...numbers.map(String), true, false, null, '', 'true', 'null', [], [[1]], [[]], {}, { a: 1 }, [{ a: 1 }], [1, '1'], [null], [true, 5e-324]];
    const filters = [...numbers, ...numbers.map(String), true, false, null, ''].flatMap((operand) => [{ v: operand }, { v: { $ne: operand } }, { v: { $in: [operand, 'x'] } }, { v: { $nin: [operand] } }, ...(typeof operand === 'number' || typeof operand === 'string' ? ranges.map((operator) => ({ v: { [operator]: operand } })) : [])]);
    expect(await difference([...values.map((v) => plain({ v })), plain({})], filters)).toBeUndefined();
  }, 60_000);

  it('go into objects alone, by their own keys alone, whatever those are called', async () => {
    const keys = ['', '0', '-1', '*', '**', '__proto__', 'constructor', '"', "'", '\\', '\\"', '$', '@', '$1', 'a"] ? (1==1)', "'; DROP TABLE things; --", '\u0000', '\u0001', '\u0000\u0001', '\u0002', '\n', '\u007F', 'é', 'e\u0301', '😀', 'last', 'size()', 'a b', '[0]', '?'];
    const own = (key: string, value: unknown): Json => Object.fromEntries([[key, value]]);
    const metadata = keys.flatMap((key) => [own(key, 'x'), own('o', own(key, 'x')), own('o', own(key, ['x', key])), own(key, own(key, key)), own('o', key)]);
    const things = [...metadata, { o: ['x'] }, { o: [{ 0: 'x' }] }, { o: [['x']] }, {}].map((each) => plain(each));
    const named = (path: string): Json[] => [own(path, 'x'), own(path, { $exists: true }), own(path, { $exists: false }), own(path, { $ne: 'x' }), own(path, { $prefix: '' })];
    const filters = keys.flatMap((key) => [
      ...(key === '$' || key === '$1' ? [] : [...named(key), ...named(`${key}.${key}`)]),
      ...named(`o.${key}`),
      ...['$eq', '$ne', '$prefix', '$gte', '$lt'].map((operator) => ({ o: { [operator]: key } })),
      { o: { $in: ['y', key] } },
    ]);
    expect(await difference(things, [...filters, ...named('x.'.repeat(5_000)), ...named('o.'.repeat(90))])).toBeUndefined();
  }, 60_000);

  it('take what they compare with as it is: nothing of it becomes part of the statement', () => {
    const texts = ["'; DROP TABLE things; --", '" || true || "', '$1', '\\', '*/ OR true /*', '") ? (true'];
    for (const text of texts) {
      const values: unknown[] = [];
      const conditions = [{ [text]: text }, { a: { $in: [text, 1] } }, { a: { $prefix: text } }, { a: { $gt: text } }, { a: { $gt: '2024-05-01' }, [text]: { $exists: false } }].map((filter) => compileFilter(filter as Filter, values));
      for (const condition of conditions) expect(condition).toMatch(/^(?:fields|stands_to_time|jsonpath|text|float8|AND|OR|NOT|true|false|'\$gt'|\$\d+|::|->|@\?|[ (),])+$/);
      expect(values.length).toBeGreaterThan(conditions.length);
    }
  });

  it('take a thousand values of two characters and one of a million', async () => {
    const things = [plain({ a: 'v7' }), plain({ a: 'no' }), plain({ a: 'x'.repeat(1_000_000) }), plain({ a: [3, 'v999'] })];
    const many = Array.from({ length: 1_000 }, (_, i) => `v${i}`);
    expect(await difference(things, [{ a: { $in: many } }, { a: { $nin: many } }, { a: 'x'.repeat(1_000_000) }, { a: { $prefix: 'x'.repeat(999_999) } }])).toBeUndefined();
  });

  it('of equality are looked up in the index of the fields, also beside others, among several and deep within', async () => {
    await database.session(async (session) => {
      await session.execute(`DROP TABLE IF EXISTS many; CREATE TABLE many (key bigint PRIMARY KEY, fields jsonb NOT NULL);
        INSERT INTO many SELECT n, jsonb_build_object('tag', 't' || n % 500, 'list', jsonb_build_array(n % 300, 'x'), 'place', jsonb_build_object('name', 'p' || n % 400), 'year', n % 50) FROM generate_series(1, 20000) AS n;
        CREATE INDEX many_fields ON many USING gin (fields jsonb_path_ops)`);
      await session.execute('ANALYZE many');
      const planOf = async (filter: Json): Promise<string> => {
        const values: unknown[] = [];
        const condition = compileFilter(filter as Filter, values);
        const lines = await session.rows<{ 'QUERY PLAN': string }>(`EXPLAIN SELECT key FROM many WHERE ${condition}`, values);
        return lines.map((line) => line['QUERY PLAN']).join('\n');
      };
      for (const filter of [{ tag: 't3' }, { tag: { $in: ['t3', 't4'] } }, { list: { $eq: 7 } }, { 'place.name': 'p3' }, { tag: 't3', year: { $gte: 20 } }, { $or: [{ tag: 't3' }, { 'place.name': 'p3' }] }, { tag: 't3', $not: { year: 3 } }]) {
        expect([filter, await planOf(filter)]).toEqual([filter, expect.stringContaining('Bitmap Index Scan on many_fields')]);
      }
      expect(await planOf({ year: { $gte: 20 } })).toContain('Seq Scan');
    });
  }, 60_000);
});

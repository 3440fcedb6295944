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

describe(`Filters over ${serverName}`, () => {
  it('match what the contract says, of thousands that are drawn', async () => {
    const random = Random.named('filters over PostgreSQL');
    const things = Array.from({ length: 120 }, (): Thing => ({ metadata: drawMetadata(random), modality: random.pick(['image', 'text']), sources: random.pick([[], ['a.jpg'], ['a.jpg', 'b.jpg']]) }));
    const filters = Array.from({ length: 3_000 }, () => drawFilter(random));
    const sizes = expected(filters, things).map((list) => list.length);
    // Most let some through, and not all.
    expect(sizes.filter((size) => size > 0 && size < things.length).length).toBeGreaterThan(1_500);
    expect(await difference(things, filters)).toBeUndefined();
  }, 120_000);
});

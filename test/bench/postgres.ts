/**
 * Searches of the store over PostgreSQL, past HTTP, beside the same by bare SQL of pgvector on the same rows and index:
 * `npx tsx test/bench/postgres.ts [count]`, the server's URL in MIXSPACE_TEST_POSTGRES. With a `schema` in it, what is
 * filled stays there, and is found there the next time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { compileFilter } from '../../src/store/postgres/filter.js';
import { defaultSettings, openPostgresStore } from '../../src/store/postgres/open.js';
import type { Store } from '../../src/store/store.js';
import { limit, SearchOracle, type ItemFilter } from './search-oracle.js';
import { ShiftedCloud, type CloudItem } from './shifted-cloud.js';
import { milliseconds, percentile, seconds } from './timing.js';

const name = 'bench';
const dimension = 256;
const atOnce = 1_000;
const queryCount = 100;
const warmUps = 20;
const shares = [1, 0.1, 0.01, 0.001];

interface Series {
  times: number[];
  rows: number[][];
  exact: number;
}

const given = process.env.MIXSPACE_TEST_POSTGRES;
if (given === undefined) throw new Error('MIXSPACE_TEST_POSTGRES must say where the server is.');
const count = Number(process.argv[2] ?? 100_000);
const url = new URL(given);
const isKept = url.searchParams.has('schema');
const schema = url.searchParams.get('schema') ?? `bench_${process.pid}`;
url.searchParams.set('schema', schema);

const cloud = new ShiftedCloud({ dimension, seed: 1 });
const items = Array.from({ length: count }, () => cloud.item());
const queries = { text: Array.from({ length: queryCount }, () => cloud.textQuery()), image: Array.from({ length: queryCount }, () => cloud.pictureQuery()) };
const store = await openPostgresStore({ url: url.href, log: () => undefined });
const bare = await connect();
try {
  await fill(store);
  const { key, space } = (await bare.query<{ key: number; space: number }>('SELECT key, space FROM collections WHERE name = $1', [name])).rows[0]!;
  await bare.query(`ANALYZE items_${key}, embeddings_${space}_image`);
  await tellSizes(key, space);
  for (const kind of ['text', 'image'] as const) {
    const filters = [...shares.map(belowFilter), groupFilter()];
    const oracle = await SearchOracle.of(items, queries[kind].map((query) => Array.from(query)), filters);
    for (const filter of filters) await compare({ kind, filter, oracle, key, space });
  }
} finally {
  await store.close();
  if (!isKept) await bare.query(`DROP SCHEMA "${schema}" CASCADE`);
  await bare.end();
}

async function connect(): Promise<pg.Client> {
  const plain = new URL(url);
  plain.searchParams.delete('schema');
  const client = new pg.Client(plain.href);
  await client.connect();
  await client.query(`SET search_path TO "${schema}", public; SET jit = off; SET hnsw.iterative_scan = strict_order`);
  return client;
}

async function fill({ catalog }: Store): Promise<void> {
  if ((await catalog.listCollections()).some((collection) => collection.name === name)) return;
  await catalog.createCollection({ name, model: 'bench', fingerprint: 'bench', dimension, originals: 'thumbnail' });
  const written = await seconds(async () => {
    for (let from = 0; from < count; from += atOnce) {
      await catalog.write(name, items.slice(from, from + atOnce).map(({ embedding, group, draw }, i) => ({ id: String(from + i), content: { modality: 'image' as const, contentHash: String(from + i).padStart(64, '0'), embeddings: [embedding] }, metadata: { group, draw } })));
    }
  });
  const built = await seconds(async () => {
    while ((await catalog.describeCollection(name)).graph.state === 'building') await delay(250);
  });
  console.log(`postgres, ${count} embeddings of ${dimension} numbers: ${(count / written).toFixed(0)}/s written one after the other; the index ${built.toFixed(0)} s later, begun from ${defaultSettings.graphFrom}`);
}

async function tellSizes(key: number, space: number): Promise<void> {
  const size = async (of: string): Promise<string> => ((await bare.query<{ bytes: string }>(`SELECT ${of} AS bytes`)).rows[0]!.bytes as unknown as number / count).toFixed(0);
  console.log(`postgres, bytes an item: embeddings ${await size(`pg_table_size('embeddings_${space}_image')`)}, their keys' indexes ${await size(`pg_indexes_size('embeddings_${space}_image') - pg_relation_size('graph_${space}_image')`)}, the graph ${await size(`pg_relation_size('graph_${space}_image')`)}, the item ${await size(`pg_table_size('items_${key}')`)}, its indexes ${await size(`pg_indexes_size('items_${key}')`)}`);
}

async function compare({ kind, filter, oracle, key, space }: { kind: 'text' | 'image'; filter: ItemFilter; oracle: SearchOracle; key: number; space: number }): Promise<void> {
  const ours: Series = { times: [], rows: [], exact: 0 };
  const theirs: Series = { times: [], rows: [], exact: 0 };
  await bare.query(`SET hnsw.ef_search = ${kind === 'text' ? 800 : 240}`);
  for (const query of queries[kind].slice(0, warmUps)) for (const search of [byPort, bySql]) await search(query, { kind, filter, key, space });
  for (const [turn, query] of queries[kind].entries()) {
    for (const [series, search] of turn % 2 === 0 ? ([[ours, byPort], [theirs, bySql]] as const) : ([[theirs, bySql], [ours, byPort]] as const)) {
      const began = performance.now();
      const { rows, exact } = await search(query, { kind, filter, key, space });
      series.times.push(performance.now() - began);
      series.rows[turn] = rows;
      if (exact) series.exact++;
    }
  }
  const told = ({ times, rows }: Series): string => `recall@${limit} ${oracle.recall(filter, rows).toFixed(3)}, p50 ${milliseconds(percentile(times, 0.5))} p99 ${milliseconds(percentile(times, 0.99))}`;
  console.log(`postgres, by ${kind}, ${filter.name}: ours ${told(ours)}, exact ${ours.exact} of ${queryCount}; bare SQL ${told(theirs)}; p50 ${(percentile(ours.times, 0.5) / percentile(theirs.times, 0.5)).toFixed(2)} times`);
}

interface Asked {
  kind: 'text' | 'image';
  filter: ItemFilter;
  key: number;
  space: number;
}

async function byPort(embedding: Float32Array, { kind, filter }: Asked): Promise<{ rows: number[]; exact: boolean }> {
  const [found] = await store.index.nearest(name, { embedding, kind, fingerprint: 'bench', leaves: [{ modality: 'image', limit }], ...(filter.body && { filter: filter.body as never }) });
  return { rows: found!.neighbors.map(({ id }) => Number(id)), exact: found!.exact };
}

/** As one would write it by hand, with its items. */
async function bySql(embedding: Float32Array, { filter, key, space }: Asked): Promise<{ rows: number[]; exact: boolean }> {
  const values: unknown[] = [`[${embedding.join()}]`];
  const condition = filter.body ? `WHERE ${compileFilter(filter.body as never, values)}` : '';
  const { rows } = await bare.query<{ id: string }>({
    name: filter.name,
    text: `SELECT id, metadata, -(vector <#> $1::vector) AS score FROM embeddings_${space}_image AS embeddings JOIN items_${key} AS items ON items.key = item ${condition} ORDER BY vector <#> $1::vector LIMIT ${limit}`,
    values,
  });
  return { rows: rows.map(({ id }) => Number(id)), exact: false };
}

function belowFilter(bound: number): ItemFilter {
  if (bound === 1) return { name: 'unfiltered', accepts: () => true };
  return { name: `a filter of ${Number((100 * bound).toPrecision(1))} %`, body: { draw: { $lt: bound } }, accepts: ({ draw }: CloudItem) => draw < bound };
}

/** The group that is nearest to a tenth of all: what is in it lies together. */
function groupFilter(): ItemFilter {
  const counts = Array.from({ length: 12 }, (_, group) => items.filter((item) => item.group === group).length);
  const off = (group: number): number => Math.abs(counts[group]! / count - 0.1);
  const wanted = counts.map((_, group) => group).sort((a, b) => off(a) - off(b))[0]!;
  return { name: `a filter of one group, ${((100 * counts[wanted]!) / count).toFixed(1)} %`, body: { group: wanted }, group: wanted, accepts: ({ group }) => group === wanted };
}

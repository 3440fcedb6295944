/** How a store over PostgreSQL goes about searches: by its index where that is the quicker way, and what it finds then. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Leaf, NearestRequest, Neighbor } from '../src/store/vector-index.js';
import type { Store } from '../src/store/store.js';
import { findCollection } from '../src/store/postgres/collections.js';
import type { Database } from '../src/store/postgres/database.js';
import { byGraph, comparingAll, comparingMatching, type Statement, type Wanted } from '../src/store/postgres/leaf-statements.js';
import { planOf } from '../src/store/postgres/leaf-plan.js';
import { listsOf } from '../src/store/postgres/lists.js';
import { openPostgresStore, type PostgresStoreSettings } from '../src/store/postgres/open.js';
import { Random } from './crash/random.js';
import { byteOrder } from './model-based/filter-oracle.js';
import { insertPictures, openRows, type RowItem } from './port-contracts/postgres-rows.js';
import { serverName, testServer } from './port-contracts/postgres.js';

const dimension = 16;
const many = 3_000;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Begun {
  store: Store;
  url: string;
  /** A connection beside the store's, for as long as `work` takes. */
  rows<T>(work: (database: Database) => Promise<T>): Promise<T>;
}

async function begin(settings: Partial<PostgresStoreSettings>, size = dimension): Promise<Begun> {
  const server = await testServer();
  const url = await server.newUrl();
  const store = await openPostgresStore({ url, settings: { connections: server.connections, lookEveryMs: 50, graphFrom: 500, ...settings }, log: () => undefined });
  ends.push(() => server.drop(url), () => store.close());
  await store.catalog.createCollection({ name: 'photos', model: 'm', fingerprint: 'f', dimension: size, originals: 'thumbnail' });
  const rows = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
    const database = openRows(url);
    return work(database).finally(() => database.close());
  };
  return { store, url, rows };
}

/** With an index over all of them. */
async function filled(items: RowItem[], settings: Partial<PostgresStoreSettings> = {}, size = dimension): Promise<Begun> {
  const begun = await begin(settings, size);
  await begun.rows(async (database) => {
    for (let from = 0; from < items.length; from += 1_000) await insertPictures(database, 'photos', items.slice(from, from + 1_000));
  });
  await expect.poll(async () => (await begun.store.catalog.describeCollection('photos')).graph, { interval: 50, timeout: 60_000 }).toMatchObject({ state: 'ready' });
  return begun;
}

const direction = (name: string, size = dimension): Float32Array => {
  const random = Random.named(name);
  const values = Array.from({ length: size }, () => random.normal());
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
};
const pictures = (count: number, of: (n: number) => Partial<RowItem> = () => ({})): RowItem[] => Array.from({ length: count }, (_, n) => ({ id: `p${n}`, embeddings: [direction(`picture ${n}`)], metadata: { n, tenth: n % 10 }, ...of(n) }));

/** Every item with its best score, best first: by comparing with each. */
function ranked(items: RowItem[], query: Float32Array): { id: string; score: number; part: number }[] {
  const scores = items.map(({ id, embeddings }) => {
    const each = embeddings.map((embedding) => embedding.reduce((sum, value, i) => sum + value * query[i]!, 0));
    return { id, score: Math.max(...each), part: each.indexOf(Math.max(...each)) };
  });
  return scores.sort((a, b) => b.score - a.score || byteOrder(a.id, b.id));
}

const search = async ({ index }: Store, request: Omit<NearestRequest, 'leaves'>, leaf: Partial<Leaf> = {}) => (await index.nearest('photos', { kind: 'item', ...request, leaves: [{ modality: 'image', limit: 10, ...leaf }] }))[0]!;

/** Pages of ten, as far as so many places; whether any of them came through the graph. */
async function paged(store: Store, embedding: Float32Array, { places, limit = 10 }: { places: number; limit?: number }): Promise<{ seen: Neighbor[]; exact: boolean[] }> {
  const seen: Neighbor[] = [];
  const exact: boolean[] = [];
  while (seen.length < places) {
    const last = seen.at(-1);
    const page = await search(store, { embedding }, { limit, ...(last && { after: { score: last.score, id: last.id, rank: seen.length } }) });
    expect(page.neighbors).toHaveLength(limit);
    seen.push(...page.neighbors);
    exact.push(page.exact);
  }
  for (const [i, { id, score }] of seen.entries()) {
    const before = seen[i - 1];
    if (before) expect(before.score > score || (before.score === score && byteOrder(before.id, id) < 0)).toBe(true);
  }
  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  return { seen, exact };
}

describe(`Searches in PostgreSQL (${serverName})`, { timeout: 120_000 }, () => {
  it('uses the index when it is to, in its order, and never where all must be compared', async () => {
    for (const parts of [1, 2]) {
      const { rows } = await filled(pictures(1_000, (n) => ({ embeddings: Array.from({ length: n % 9 === 0 ? parts : 1 }, (_, part) => direction(`${n} ${part}`)) })));
      await rows((database) =>
        database.read(async (session) => {
          const list = (await listsOf(session, await findCollection(session, 'photos'))).image;
          expect(list).toMatchObject({ graph: 'full', hasParts: parts > 1 });
          const planned = async ({ sql, values }: Statement): Promise<string> => JSON.stringify(await session.rows(`EXPLAIN ${sql}`, values));
          const wanted: Wanted = { embedding: direction('planned'), excluded: [1, 2, 3] };
          const forms: Wanted[] = [wanted, { ...wanted, filter: { tenth: 3 } }, { ...wanted, filter: { n: { $lt: 20 } }, after: { score: 0.5, id: 'p1' } }, { ...wanted, excluded: [], required: [{ words: ['red'], prefix: false }] }];
          await session.execute('SET LOCAL enable_sort = off');
          for (const form of forms) {
            const plan = await planned(byGraph(list, form, 12, 20_000));
            expect(plan).toContain('Index Scan using graph_');
            if (parts === 1) expect(plan).not.toContain('Sort');
          }
          await session.execute('SET LOCAL enable_seqscan = off');
          for (const form of forms) for (const each of [comparingAll(list, form, 12), comparingMatching(list, form, 12, 0.1)]) expect(await planned(each)).not.toContain('graph_');
        }),
      );
    }
  });

  it('goes through the index for few places and wide filters, and compares for many, for narrow ones, and where it was asked to', () => {
    const question = { embeddings: 100_000, dimension: 256, depth: 11, kind: 'text' as const };
    expect(planOf(question)).toMatchObject({ way: 'graph' });
    expect(planOf({ ...question, depth: 20_000 })).toEqual({ way: 'all' });
    expect(planOf({ ...question, selectivity: { share: 0.1, isIndexed: true } })).toMatchObject({ way: 'graph' });
    expect(planOf({ ...question, selectivity: { share: 0.0005, isIndexed: true } })).toEqual({ way: 'matching' });
  });

  it('is paged through the index without a gap or a second coming', async () => {
    const items = pictures(many);
    const { store } = await filled(items);
    const embedding = direction('paged');
    const { seen, exact } = await paged(store, embedding, { places: 200 });
    expect(exact[0]).toBe(false);
    const right = ranked(items, embedding).slice(0, 200);
    const found = new Set(seen.map(({ id }) => id));
    expect(right.filter(({ id }) => found.has(id)).length).toBeGreaterThanOrEqual(196);
    for (const { id, score } of seen) expect(score).toBeCloseTo(ranked(items.filter((item) => item.id === id), embedding)[0]!.score, 5);
  });

  it('completes equals at the end of a page through the index, in the order of their ids', async () => {
    const same = direction('same');
    const names = (n: number): string => [`a${n}`, `Z${n}`, `é${n}`, `\u{1f600}${n}`][n % 4]!;
    const items = [...pictures(many), ...Array.from({ length: 40 }, (_, n) => ({ id: names(n), embeddings: [same] }))];
    const { store } = await filled(items);
    const { seen, exact } = await paged(store, same, { places: 42, limit: 7 });
    expect(exact[0]).toBe(false);
    expect(seen.slice(0, 40).map(({ id }) => id)).toEqual(items.slice(many).map(({ id }) => id).sort(byteOrder));
  });

  it('finds an item of several parts once, by its best, with its box, also through the index and over pages', async () => {
    const items = pictures(many, (n) => (n % 3 === 0 ? { embeddings: Array.from({ length: 4 }, (_, part) => direction(`part ${n} ${part}`)) } : {}));
    const { store } = await filled(items);
    const embedding = direction('parts');
    const { seen, exact } = await paged(store, embedding, { places: 60 });
    expect(exact[0]).toBe(false);
    const right = ranked(items, embedding).slice(0, 60);
    expect(right.filter(({ id }) => seen.some((each) => each.id === id)).length).toBeGreaterThanOrEqual(58);
    for (const { id, score, box } of seen) {
      const own = ranked(items.filter((item) => item.id === id), embedding)[0]!;
      expect(score).toBeCloseTo(own.score, 5);
      expect(box).toEqual(own.part === 0 ? undefined : [own.part, own.part, 10, 10]);
    }
  });

  it('gives as many as were asked for where thousands are left out, and where what matches lies far off', async () => {
    const embedding = direction('far');
    const items = pictures(many);
    const order = ranked(items, embedding);
    const places = new Map(order.map(({ id }, place) => [id, place]));
    const { store } = await filled(items.map((item) => ({ ...item, metadata: { quarter: Math.floor((4 * places.get(item.id)!) / many) } })));
    const left = await search(store, { embedding, excludeIds: order.slice(0, 2_000).map(({ id }) => id) });
    expect(left.neighbors.map(({ id }) => id)).toEqual(order.slice(2_000, 2_010).map(({ id }) => id));
    const far = await search(store, { embedding, filter: { quarter: 3 } });
    const right = order.slice(2_250, 2_260).map(({ id }) => id);
    expect(far.neighbors).toHaveLength(10);
    if (far.exact) expect(far.neighbors.map(({ id }) => id)).toEqual(right);
    expect(far.more).toBe(true);
    expect((await search(store, { embedding, filter: { quarter: 9 } })).neighbors).toEqual([]);
  });

  it('scores by the embeddings as they are where the index is over rounded ones', async () => {
    const items = pictures(many);
    const { store, rows } = await filled(items, { halfGraphs: true });
    await rows((database) => database.read(async (session) => expect((await listsOf(session, await findCollection(session, 'photos'))).image.graph).toBe('half')));
    for (let n = 0; n < 20; n++) {
      const embedding = direction(`half ${n}`);
      const [near, right] = [await search(store, { embedding }), await search(store, { embedding, exact: true })];
      expect([near.exact, right.exact]).toEqual([false, true]);
      expect(near.neighbors.filter(({ id }) => right.neighbors.some((each) => each.id === id)).length).toBeGreaterThanOrEqual(9);
      const scores = new Map(right.neighbors.map(({ id, score }) => [id, score]));
      for (const { id, score } of near.neighbors) if (scores.has(id)) expect(score).toBe(scores.get(id));
    }
  });

  it('rounds beyond 2,000 dimensions, and tells that there is no index beyond 4,000', async () => {
    const of = (size: number): RowItem[] => pictures(60, (n) => ({ embeddings: [direction(`wide ${n}`, size)] }));
    const wide = await filled(of(2_100), { graphFrom: 50 }, 2_100);
    const embedding = direction('wide', 2_100);
    expect((await search(wide.store, { embedding })).neighbors.map(({ id }) => id)).toEqual(ranked(of(2_100), embedding).slice(0, 10).map(({ id }) => id));
    const wider = await begin({ graphFrom: 50 }, 4_001);
    await wider.rows((database) => insertPictures(database, 'photos', of(4_001)));
    expect((await wider.store.catalog.describeCollection('photos')).graph).toEqual({ state: 'none', indexed: 0 });
    expect(await search(wider.store, { embedding: direction('wider', 4_001) })).toMatchObject({ exact: true });
  });

  it('draws stored embeddings by chance, each once', async () => {
    const items = pictures(1_000);
    const { store } = await filled(items);
    const stored = new Set(items.map(({ embeddings }) => embeddings[0]!.join()));
    for (const [most, least] of [[20, 10], [400, 400], [5_000, 1_000]] as const) {
      const drawn = (await store.index.sample('photos', 'image', most)).map((embedding) => embedding.join());
      expect(drawn.length).toBeGreaterThanOrEqual(least);
      expect(drawn.length).toBeLessThanOrEqual(most);
      expect(new Set(drawn).size).toBe(drawn.length);
      expect(drawn.every((each) => stored.has(each))).toBe(true);
    }
    expect(await store.index.sample('photos', 'text', 9)).toEqual([]);
  });
});

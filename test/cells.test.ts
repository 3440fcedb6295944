/** Searches through cells: how much they find, while cells come, change, are kept and are damaged. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CollectionDescription, ItemWrite } from '../src/store/catalog.js';
import { Sqlite } from '../src/store/embedded/database.js';
import type { EmbeddedStoreSettings } from '../src/store/embedded/open.js';
import { ShiftedCloud, type CloudItem } from './bench/shifted-cloud.js';
import { sha256 } from './port-contracts/oracle.js';
import { bothPorts, type BothPorts } from './store-ports.js';
import { search, type SearchRequest } from './store-search.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = (file: string): Promise<unknown> => import(pathToFileURL(fileURLToPath(new URL(`../dist/store/embedded/${file}`, import.meta.url))).href);
const { openEmbeddedStore } = (await compiled('open.js')) as typeof import('../src/store/embedded/open.js');
const { checksumOf } = (await compiled('checksums.js')) as typeof import('../src/store/embedded/checksums.js');
const { checkDirectory } = (await compiled('check.js')) as typeof import('../src/store/embedded/check.js');

const dimension = 8;
const settings: Partial<EmbeddedStoreSettings> = { cellsFrom: 500 };

let folder: string;
let cloud: ShiftedCloud;
/** What is there, by id. */
let there: Map<string, CloudItem>;
let warnings: string[];
const stores: BothPorts[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mixspace-cells-'));
  cloud = new ShiftedCloud({ dimension, seed: 5 });
  there = new Map();
  warnings = [];
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** What closed stores have left, by how it came to be: made once for all tests that begin with it. */
const left = new Map<string, { folder: string; there: Map<string, CloudItem> }>();
afterAll(() => {
  for (const each of left.values()) rmSync(each.folder, { recursive: true, force: true });
});

async function once(name: string, make: () => Promise<void>): Promise<void> {
  const before = left.get(name);
  if (before === undefined) {
    await make();
    const copy = mkdtempSync(join(tmpdir(), 'mixspace-cells-left-'));
    cpSync(folder, copy, { recursive: true });
    left.set(name, { folder: copy, there: new Map(there) });
    return;
  }
  cpSync(before.folder, folder, { recursive: true });
  there = new Map(before.there);
  // What is drawn from now on is what would have been.
  for (let n = 0; n < there.size; n++) cloud.item();
}

async function open(more: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = bothPorts(await openEmbeddedStore({ directory: folder, settings: { ...settings, ...more }, log: (level, message, fields) => void (level === 'warn' && warnings.push(`${message} ${JSON.stringify(fields)}`)) }));
  stores.push(store);
  return store;
}

async function close(store: BothPorts): Promise<void> {
  stores.splice(stores.indexOf(store), 1);
  await store.close();
}

function written(id: string, item: CloudItem): ItemWrite {
  there.set(id, item);
  const { embedding, group, draw } = item;
  return { id, metadata: { group, draw, side: Math.sign(embedding[0]!) }, content: { modality: 'image', contentHash: sha256(id), embeddings: [embedding] } };
}

async function add(store: BothPorts, count: number): Promise<void> {
  const writes = Array.from({ length: count }, () => written(`item ${there.size}`, cloud.item()));
  for (let from = 0; from < count; from += 1_000) await store.write('photos', writes.slice(from, from + 1_000));
}

/** Opened again: its cells are sought once all are there. */
async function filled(count: number, more: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  await once(`${count} items`, async () => {
    const store = await open({ cellsFrom: 1e6 });
    await store.createCollection({ name: 'photos', model: 'm', fingerprint: 'f', dimension, originals: 'thumbnail' });
    await add(store, count);
    await close(store);
  });
  return open(more);
}

const pictures = async (store: BothPorts): Promise<CollectionDescription['recall'][number]> => (await store.describeCollection('photos')).recall.find(({ modality }) => modality === 'image')!;

/** All in their cells, and how much is to be looked at known. */
async function ready(store: BothPorts): Promise<void> {
  await vi.waitFor(async () => expect((await store.describeCollection('photos')).graph).toEqual({ state: 'ready', indexed: there.size }), { timeout: 60_000, interval: 20 });
  await vi.waitFor(async () => expect((await pictures(store)).state).toBe('measured'), { timeout: 60_000, interval: 50 });
}

/** Once the store is closed: it has the database for itself. */
interface SavedRow {
  count: number;
  centroids: Buffer;
}
function savedRow(): SavedRow {
  const database = new Sqlite(join(folder, 'mixspace.db'), { readonly: true });
  try {
    return database.prepare<[], SavedRow>("SELECT count, centroids FROM cells WHERE modality = 'image'").get()!;
  } finally {
    database.close();
  }
}

type Wanted = (item: CloudItem) => boolean;
/** The scores of the nearest, by a comparison of the test's own. */
function nearestScores(query: Float32Array, depth: number, isWanted: Wanted = () => true): number[] {
  const wanted = [...there.values()].filter(isWanted);
  const scores = new Float64Array(wanted.length);
  for (const [n, { embedding }] of wanted.entries()) {
    let sum = 0;
    for (let i = 0; i < dimension; i++) sum += embedding[i]! * query[i]!;
    scores[n] = sum;
  }
  return [...scores.sort().subarray(-depth)].reverse();
}

/** Of the ten nearest of each query, the share that is found; and how many of the answers were exact. */
async function recall(store: BothPorts, queries: Float32Array[], { isWanted, ...request }: Partial<SearchRequest> & { isWanted?: Wanted } = {}): Promise<{ recall: number; exact: number }> {
  let [found, all, exact] = [0, 0, 0];
  for (const embedding of queries) {
    const answer = await search(store, 'photos', { embedding, limit: 10, modality: 'image', ...request });
    const scores = nearestScores(embedding, 10, isWanted);
    expect(answer.matches).toHaveLength(scores.length);
    for (const { item } of answer.matches) expect(isWanted?.(there.get(item.id)!) ?? there.has(item.id)).toBe(true);
    found += answer.matches.filter(({ score }) => score >= scores.at(-1)! - 1e-6).length;
    all += scores.length;
    exact += Number(answer.exact);
  }
  return { recall: found / all, exact };
}

const some = (count: number, make: () => Float32Array): Float32Array[] => Array.from({ length: count }, make);
/** Embeddings of items, from all over. */
const own = (count: number): [string, Float32Array][] => [...there].filter((_, i) => i % Math.floor(there.size / count) === 0).map(([id, { embedding }]) => [id, embedding]);

async function expectOwnFirst(store: BothPorts, count: number): Promise<void> {
  for (const [id, embedding] of own(count)) {
    const { matches } = await search(store, 'photos', { embedding, limit: 1, modality: 'image', kind: 'item' });
    expect([matches[0]?.item.id, matches[0]?.score]).toEqual([id, expect.closeTo(1, 5)]);
  }
}

describe('Searches through cells', () => {
  it('find what is nearest to items, pictures and texts, and tell how much of it', async () => {
    const store = await filled(6_000);
    await ready(store);
    const kinds = [
      ['item', own(100).map(([, embedding]) => embedding)],
      ['image', some(100, () => cloud.pictureQuery())],
      ['text', some(100, () => cloud.textQuery())],
    ] as const;
    for (const [kind, queries] of kinds) for (const embedding of queries) await search(store, 'photos', { embedding, limit: 10, kind });
    await vi.waitFor(async () => expect((await pictures(store)).bands.map(({ query }) => query)).toEqual(['item', 'text', 'image']), { timeout: 60_000, interval: 100 });
    for (const [kind, queries] of kinds) {
      const found = await recall(store, queries, { kind });
      expect([kind, found.exact]).toEqual([kind, 0]);
      expect(found.recall, kind).toBeGreaterThanOrEqual(0.98);
    }
    const { share, bands } = await pictures(store);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.6);
    for (const { query, recall: told, low, high, selectivity, queries } of bands) {
      expect([query, selectivity, told >= 0.98, low < told, high > told - 1e-9, queries >= 40]).toEqual([query, 1, true, true, true, true]);
    }
    expect(warnings).toEqual([]);
  });

  it('find each item by its own embedding, first', async () => {
    const store = await filled(3_000);
    await ready(store);
    await expectOwnFirst(store, 1_000);
  });

  it('of what nobody searched for yet find it too', async () => {
    const store = await filled(5_000);
    await ready(store);
    const found = await recall(store, some(15, () => cloud.textQuery()), { kind: 'mixed' });
    expect(found.exact).toBe(0);
    expect(found.recall).toBeGreaterThanOrEqual(0.98);
  });

  it('find none of what was deleted, although much was', async () => {
    const store = await filled(3_000);
    await ready(store);
    for (const id of [...there.keys()].filter((_, i) => i % 5 < 2)) {
      await store.deleteItem('photos', id);
      there.delete(id);
    }
    await ready(store);
    expect((await recall(store, some(50, () => cloud.pictureQuery()))).recall).toBeGreaterThanOrEqual(0.98);
    await expectOwnFirst(store, 100);
    expect((await search(store, 'photos', { embedding: cloud.textQuery(), limit: 5_000, modality: 'image' })).matches).toHaveLength(there.size);
  });

  it('are right while items come, and when there are more than twice as many', async () => {
    const store = await filled(1_500);
    await ready(store);
    let isOver = false;
    const searching = (async () => {
      for (let n = 0; !isOver; n++) {
        const [id, { embedding }] = [...there].at((37 * n) % 1_500)!;
        expect((await search(store, 'photos', { embedding, limit: 1, modality: 'image' })).matches[0]?.item.id).toBe(id);
      }
    })();
    for (let n = 0; n < 5; n++) await add(store, 500);
    // What is due is done before recall is measured.
    const added = new Date().toISOString();
    await vi.waitFor(async () => expect((await pictures(store)).bands[0]!.at > added).toBe(true), { timeout: 60_000, interval: 50 });
    isOver = true;
    await searching;
    await ready(store);
    await expectOwnFirst(store, 400);
    expect((await recall(store, some(50, () => cloud.pictureQuery()))).recall).toBeGreaterThanOrEqual(0.98);
    await close(store);
    expect(savedRow().count).toBeGreaterThanOrEqual(3_000);
  });

  it('under filters with many matches find the nearest of these, and compare with all where they lie elsewhere', async () => {
    // Half of them are more than the 20,000 matches that are always compared with.
    const store = await filled(42_000, { cellsFrom: 20_000 });
    await ready(store);
    const queries = [...some(20, () => cloud.pictureQuery()), ...some(20, () => cloud.textQuery())];
    const half = await recall(store, queries, { filter: { draw: { $lt: 0.5 } }, isWanted: ({ draw }) => draw < 0.5 });
    expect(half.recall).toBeGreaterThanOrEqual(0.98);
    expect(half.exact).toBeLessThan(queries.length / 4);
    const alike = await recall(store, queries, { filter: { group: { $lt: 6 } }, isWanted: ({ group }) => group < 6 });
    expect(alike.recall).toBeGreaterThanOrEqual(0.98);
    const few = await recall(store, queries.slice(0, 10), { filter: { draw: { $lt: 0.1 } }, isWanted: ({ draw }) => draw < 0.1 });
    expect(few).toEqual({ recall: 1, exact: 10 });
    for (const side of [1, -1]) {
      const away = Float32Array.from({ length: dimension }, (_, i) => (i === 0 ? -side : 0));
      const isWanted = ({ embedding }: CloudItem): boolean => Math.sign(embedding[0]!) === side;
      if ([...there.values()].filter(isWanted).length > 20_000) expect(await recall(store, [away], { filter: { side }, isWanted })).toEqual({ recall: 1, exact: 1 });
    }
    expect(warnings).toEqual([]);
  });
});

describe('Cells that are kept', () => {
  /** There are more than there were when the cells were sought: such as are sought anew say so. */
  async function grown(): Promise<SavedRow> {
    await once('grown', async () => {
      const store = await filled(1_500);
      await ready(store);
      await add(store, 700);
      await ready(store);
      await close(store);
    });
    const saved = savedRow();
    expect(saved.count).toBe(1_500);
    return saved;
  }

  it('are used after a start', async () => {
    const before = await grown();
    const store = await open();
    await ready(store);
    await expectOwnFirst(store, 300);
    expect((await recall(store, some(30, () => cloud.pictureQuery()))).recall).toBeGreaterThanOrEqual(0.98);
    await close(store);
    expect([savedRow(), warnings]).toEqual([before, []]);
  });

  it.each(['centroids', 'groups', 'first_of', 'shares', 'count'])('are sought anew where their %s are damaged', async (column) => {
    await grown();
    const database = new Sqlite(join(folder, 'mixspace.db'));
    const spoilt = { shares: "'{\"item\":[0.001,0.001,0.001]}'", count: 'count + 1' }[column] ?? `CAST(x'0102030405060708' || substr(${column}, 9) AS BLOB)`;
    expect(database.prepare(`UPDATE cells SET ${column} = ${spoilt}`).run().changes).toBe(1);
    database.close();
    const checked = await checkDirectory(folder, () => undefined);
    expect([checked.problems, checked.notes]).toEqual([[], [expect.stringMatching(/^photos: what makes searches of its pictures quick is damaged: it is made anew/)]]);

    const store = await open();
    await expectOwnFirst(store, 50);
    await ready(store);
    await expectOwnFirst(store, 200);
    await close(store);
    expect(savedRow().count).toBe(2_200);
    expect((await checkDirectory(folder, () => undefined)).notes).toEqual([]);
  });

  it('are sought anew where some of them lie nowhere', async () => {
    await grown();
    const database = new Sqlite(join(folder, 'mixspace.db'));
    const saved = database.prepare<[], SavedRow & { groups: Buffer; first_of: Buffer }>('SELECT count, centroids, groups, first_of FROM cells').get()!;
    for (let number = 0; number < dimension; number++) saved.centroids.writeFloatLE(NaN, 4 * number);
    const checksum = checksumOf(Buffer.concat([saved.centroids, saved.groups, saved.first_of, Buffer.from(String(saved.count))]));
    expect(database.prepare('UPDATE cells SET centroids = ?, checksum = ?').run(saved.centroids, checksum).changes).toBe(1);
    database.close();

    const store = await open();
    await ready(store);
    await expectOwnFirst(store, 200);
    await close(store);
    expect(savedRow().count).toBe(2_200);
  });

  it('do without the memory that they would take', async () => {
    await grown();
    const store = await open({ vectorCacheBytes: 0 });
    await expectOwnFirst(store, 20);
    expect(await recall(store, some(5, () => cloud.textQuery()))).toEqual({ recall: 1, exact: 5 });
    expect((await store.describeCollection('photos')).graph).toEqual({ state: 'none', indexed: 0 });
    expect(warnings).toEqual([expect.stringContaining('do not all fit into the memory')]);
  });
});

describe('A page of a search through cells', () => {
  let store: BothPorts;
  let queries: Float32Array[];
  beforeEach(async () => {
    store = await filled(4_000);
    await ready(store);
    queries = own(10).map(([, embedding]) => embedding);
  });

  /** Full, in order, and of the nearest by definition nearly all. */
  async function expectPage(request: Omit<SearchRequest, 'modality'>): Promise<void> {
    const [through, all] = await Promise.all([search(store, 'photos', { modality: 'image', kind: 'item', ...request }), search(store, 'photos', { modality: 'image', ...request, exact: true })]);
    expect([through.exact, all.exact, through.matches.length, through.more]).toEqual([false, true, all.matches.length, all.more]);
    const scores = through.matches.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const wanted = new Set(all.matches.map(({ item }) => item.id));
    expect(through.matches.filter(({ item }) => wanted.has(item.id)).length).toBeGreaterThanOrEqual(0.9 * wanted.size);
  }

  it('is filled with those behind the ones that are left out', async () => {
    for (const [n, [limit, leftOut]] of ([[10, 1], [10, 32], [1, 32], [50, 50]] as const).entries()) {
      const embedding = queries[n]!;
      const nearest = (await search(store, 'photos', { embedding, limit: leftOut, modality: 'image', exact: true })).matches.map(({ item }) => item.id);
      await expectPage({ embedding, limit, excludeIds: nearest });
    }
    // Behind so many all lies too deep for them.
    const nearest = (await search(store, 'photos', { embedding: queries[0]!, limit: 400, modality: 'image', exact: true })).matches.map(({ item }) => item.id);
    const { matches, exact } = await search(store, 'photos', { embedding: queries[0]!, limit: 10, modality: 'image', kind: 'item', excludeIds: nearest.slice(0, 390) });
    expect([matches.map(({ item }) => item.id), exact]).toEqual([nearest.slice(390), true]);
  });

  it('goes on where the one before ended, and ends at a least score', async () => {
    for (const embedding of queries) {
      const nearest = (await search(store, 'photos', { embedding, limit: 100, modality: 'image', exact: true })).matches;
      for (const rank of [30, 60]) {
        const { score, item } = nearest[rank - 1]!;
        await expectPage({ embedding, limit: 30, after: { score, id: item.id, rank } });
      }
      await expectPage({ embedding, limit: 10, minScore: nearest[4]!.score });
      await expectPage({ embedding, limit: 10, minScore: nearest[0]!.score + 1e-6 });
    }
  });

  it('has each item once while rows are still brought to their cells', async () => {
    await add(store, 5_000);
    const { matches, more } = await search(store, 'photos', { embedding: queries[0]!, limit: 9_000 });
    expect([new Set(matches.map(({ item }) => item.id)).size, matches.length, more]).toEqual([9_000, 9_000, false]);
  });

  it('is compared with everything where it lies too deep for them', async () => {
    const embedding = queries[0]!;
    const last = (await search(store, 'photos', { embedding, limit: 1_000, modality: 'image', exact: true })).matches.at(-1)!;
    const { matches, exact } = await search(store, 'photos', { embedding, limit: 10, modality: 'image', after: { score: last.score, id: last.item.id, rank: 1_000 } });
    expect([matches.length, exact]).toEqual([10, true]);
    for (const [i, score] of nearestScores(embedding, 1_010).slice(1_000).entries()) expect(matches[i]!.score).toBeCloseTo(score, 6);
  });
});

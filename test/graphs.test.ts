/** When a graph answers, and when it may not be believed. */
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EmbeddedStoreSettings } from '../src/store/embedded/open.js';
import type { ItemWrite } from '../src/store/catalog.js';
import { search, type SearchRequest } from './store-search.js';
import { bothPorts, type BothPorts } from './store-ports.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

const dimension = 16;
/** Graphs from 50 items on, saved when the store is closed. */
const settings: Partial<EmbeddedStoreSettings> = { cellsFrom: 50 };

let folder: string;
let reasons: string[];
const stores: BothPorts[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mixspace-graphs-'));
  reasons = [];
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function open(directory: string, more: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = bothPorts(await openEmbeddedStore({ directory, settings: { ...settings, ...more }, log: (level, _message, fields) => void (level === 'warn' && reasons.push(String(fields?.['reason']))) }));
  stores.push(store);
  return store;
}

/** A direction that looks random and is the same each time. */
function embeddingOf(name: string): Float32Array {
  const values = [...createHash('sha256').update(name).digest()].slice(0, dimension).map((byte) => byte - 127.5);
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}
const text = (id: string): ItemWrite => ({ id, content: { modality: 'text', contentHash: createHash('sha256').update(id).digest('hex'), text: id, embeddings: [embeddingOf(id)] } });
const named = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `item ${from + i}`);

async function graphReady(store: BothPorts, indexed: number): Promise<void> {
  await vi.waitFor(async () => expect((await store.describeCollection('photos')).graph).toEqual({ state: 'ready', indexed }), { timeout: 60_000, interval: 10 });
}

async function filled(directory: string, ids: string[], more: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = await open(directory, more);
  await store.createCollection({ name: 'photos', model: 'm', fingerprint: 'f', dimension, originals: 'keep' });
  await store.write('photos', ids.map(text));
  return store;
}

describe('A graph\'s snapshot', () => {
  it('is not used when it is newer than the database: what is added in the place of what it knows would never be found', async () => {
    const [earlier, later] = [join(folder, 'earlier'), join(folder, 'later')];
    const store = await filled(earlier, named(0, 400));
    await graphReady(store, 400);
    await store.close();
    cpSync(earlier, later, { recursive: true });
    const wentOn = await open(later);
    await wentOn.write('photos', named(400, 800).map(text));
    await graphReady(wentOn, 800);
    await wentOn.close();
    rmSync(join(earlier, 'snapshots'), { recursive: true });
    cpSync(join(later, 'snapshots'), join(earlier, 'snapshots'), { recursive: true });

    const again = await open(earlier);
    await graphReady(again, 400);
    await again.write('photos', named(1000, 1100).map(text));
    await graphReady(again, 500);
    expect(reasons).toEqual(['It is newer than the database.']);
    for (const id of [...named(0, 20), ...named(1000, 1100)]) {
      const { matches } = await search(again, 'photos', { embedding: embeddingOf(id), limit: 1 });
      expect([matches[0]?.item.id, matches[0]?.score]).toEqual([id, expect.closeTo(1, 6)]);
    }
    for (const id of named(400, 420)) expect((await search(again, 'photos', { embedding: embeddingOf(id), limit: 1 })).matches[0]!.score).toBeLessThan(0.99);
  });

  it('is not used when a few of its bytes are others', async () => {
    const store = await filled(folder, named(0, 400));
    await graphReady(store, 400);
    await store.close();
    const file = join(folder, 'snapshots', readdirSync(join(folder, 'snapshots')).find((name) => name.endsWith('.hnsw'))!);
    const bytes = readFileSync(file);
    for (let at = bytes.length >> 1; at < (bytes.length >> 1) + 4; at++) bytes[at]! ^= 0xff;
    writeFileSync(file, bytes);
    const again = await open(folder);
    await graphReady(again, 400);
    expect(reasons).toEqual(['Its checksum does not match.']);
    for (const id of named(0, 400)) expect((await search(again, 'photos', { embedding: embeddingOf(id), limit: 1 })).matches[0]!.item.id).toBe(id);
  });

  it('is used, without a word, when it is as old as the database', async () => {
    const store = await filled(folder, named(0, 400));
    await graphReady(store, 400);
    await store.close();
    const saved = (): Record<string, string> => Object.fromEntries(readdirSync(join(folder, 'snapshots')).map((name) => [name, createHash('sha256').update(readFileSync(join(folder, 'snapshots', name))).digest('hex')]));
    const before = saved();
    expect(Object.keys(before)).toHaveLength(2);
    const again = await open(folder);
    await graphReady(again, 400);
    await again.close();
    expect([reasons, saved()]).toEqual([[], before]);
  });
});

describe('A search through a graph', () => {
  const query = embeddingOf('what is asked');
  /** The nearest by definition, as the store itself finds them when it compares all. */
  async function expectThroughGraph(store: BothPorts, request: Omit<SearchRequest, 'embedding'>): Promise<void> {
    const [through, all] = [await search(store, 'photos', { embedding: query, ...request }), await search(store, 'photos', { embedding: query, ...request, exact: true })];
    expect([through.exact, all.exact]).toEqual([false, true]);
    expect(through.matches.map(({ item, score }) => [item.id, score])).toEqual(all.matches.map(({ item, score }) => [item.id, score]));
    expect(through.more).toBe(all.more);
  }

  it('fills its page with those behind the ones that are left out', async () => {
    const store = await filled(folder, named(0, 1500));
    await graphReady(store, 1500);
    const nearest = (await search(store, 'photos', { embedding: query, limit: 200, exact: true })).matches.map(({ item }) => item.id);
    for (const [limit, leftOut] of [[10, 1], [10, 32], [1, 32], [50, 100]] as const) {
      const { matches, more } = await search(store, 'photos', { embedding: query, limit, excludeIds: nearest.slice(0, leftOut) });
      expect([matches.map(({ item }) => item.id), more]).toEqual([nearest.slice(leftOut, leftOut + limit), true]);
      await expectThroughGraph(store, { limit, excludeIds: nearest.slice(0, leftOut) });
    }
  });

  it('goes on page by page, and ends at a least score', async () => {
    const store = await filled(folder, named(0, 1500));
    await graphReady(store, 1500);
    const nearest = (await search(store, 'photos', { embedding: query, limit: 200, exact: true })).matches;
    for (const rank of [30, 90, 150]) {
      const { score, item } = nearest[rank - 1]!;
      const { matches } = await search(store, 'photos', { embedding: query, limit: 30, after: { score, id: item.id, rank } });
      expect(matches.map(({ item }) => item.id)).toEqual(nearest.slice(rank, rank + 30).map(({ item }) => item.id));
      await expectThroughGraph(store, { limit: 30, after: { score, id: item.id, rank } });
    }
    await expectThroughGraph(store, { limit: 10, minScore: nearest[4]!.score });
    expect((await search(store, 'photos', { embedding: query, limit: 10, minScore: nearest[4]!.score })).matches).toEqual(nearest.slice(0, 5));
  });

  it('fills its page where others came before the place where it goes on', async () => {
    const store = await filled(folder, named(0, 1500));
    await graphReady(store, 1500);
    const last = (await search(store, 'photos', { embedding: query, limit: 30, exact: true })).matches.at(-1)!;
    const nearer = (i: number): ItemWrite => {
      const values = embeddingOf(`nearer ${i}`).map((value, d) => query[d]! + 0.05 * value);
      const norm = Math.hypot(...values);
      return { id: `nearer ${i}`, content: { ...text(`nearer ${i}`).content!, embeddings: [values.map((value) => value / norm)] } };
    };
    await store.write('photos', Array.from({ length: 40 }, (_, i) => nearer(i)));
    await graphReady(store, 1540);
    const next = { limit: 30, after: { score: last.score, id: last.item.id, rank: 30 } };
    const [page, compared] = [await search(store, 'photos', { embedding: query, ...next }), await search(store, 'photos', { embedding: query, ...next, exact: true })];
    expect(compared.matches).toHaveLength(30);
    expect(page.matches).toEqual(compared.matches);
  });

  it('has each item once while the graph is still growing', async () => {
    const store = await filled(folder, named(0, 60));
    await graphReady(store, 60);
    await store.write('photos', named(60, 960).map(text));
    const { matches, more } = await search(store, 'photos', { embedding: query, limit: 960 });
    expect([new Set(matches.map(({ item }) => item.id)).size, matches.length, more]).toEqual([960, 960, false]);
  });

  it('compares with everything where the page is too deep for it', async () => {
    const store = await filled(folder, named(0, 1500));
    await graphReady(store, 1500);
    const { matches, exact } = await search(store, 'photos', { embedding: query, limit: 1000 });
    expect([matches.length, exact]).toEqual([1000, true]);
  });
});

describe('A search that compares with everything', () => {
  it('fills its page after the best were deleted, from memory and from the database', async () => {
    const store = await filled(folder, named(0, 1200), { cellsFrom: 5_000 });
    const query = embeddingOf('what is asked');
    const before = (await search(store, 'photos', { embedding: query, limit: 40 })).matches.map(({ item }) => item.id);
    for (const id of before.slice(0, 15)) await store.deleteItem('photos', id);
    expect((await search(store, 'photos', { embedding: query, limit: 25 })).matches.map(({ item }) => item.id)).toEqual(before.slice(15));
    await store.close();
    const again = await open(folder, { cellsFrom: 5_000, vectorCacheBytes: 0 });
    expect((await search(again, 'photos', { embedding: query, limit: 25 })).matches.map(({ item }) => item.id)).toEqual(before.slice(15));
  });
});

describe('An original that items share', () => {
  it('stays as long as one names it, although the others are deleted while it is being added again', async () => {
    const originals = Array.from({ length: 64 }, (_, i) => Buffer.from(`picture ${i}`));
    const large = Array.from({ length: 12 }, () => randomBytes(4e6));
    const picture = (id: string, original: Buffer): ItemWrite => ({ id, content: { modality: 'image', contentHash: createHash('sha256').update(original).digest('hex'), embeddings: [embeddingOf(id)], original, mediaType: 'image/png' } });
    const store = await filled(folder, []);
    await store.write('photos', originals.map((original, i) => picture(`first ${i}`, original)));
    // The large ones take long to flush; the small ones were looked up by then, and are there.
    const again = store.write('photos', [...originals.map((original, i) => picture(`again ${i}`, original)), ...large.map((original, i) => picture(`large ${i}`, original))]);
    for (let i = 63; i >= 0; i--) await store.deleteItem('photos', `first ${i}`);
    await again;
    for (const [i, original] of originals.entries()) {
      const { bytes } = await store.getPicture('photos', `again ${i}`, 'original');
      expect(Buffer.from(bytes).equals(original), `picture ${i}`).toBe(true);
    }
  });
});

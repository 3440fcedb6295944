import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Filter } from '../src/domain/filter.js';
import type { Metadata } from '../src/domain/metadata.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { compileFilter } from '../src/store/embedded/filter.js';
import type { EmbeddedStoreSettings } from '../src/store/embedded/open.js';
import type { ItemWrite, ListPlace } from '../src/store/catalog.js';
import { search } from './store-search.js';
import { bothPorts, type BothPorts } from './store-ports.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

const dimension = 32;
const collection = { name: 'photos', model: 'm', fingerprint: 'f', dimension, originals: 'keep' as const };
/** Cells from 50 embeddings on. */
const eager: Partial<EmbeddedStoreSettings> = { cellsFrom: 50 };

const directories: string[] = [];
const stores: BothPorts[] = [];
const logged: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mixspace-store-'));
  directories.push(directory);
  return directory;
}

async function open(directory: string, settings: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = bothPorts(await openEmbeddedStore({ directory, settings, log: (level, message, fields) => logged.push({ level, message, fields }) }));
  stores.push(store);
  return store;
}

async function openWithCollection(directory: string, settings: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = await open(directory, settings);
  await store.createCollection(collection);
  return store;
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  logged.length = 0;
});

/** Numbers that look random and are the same each time. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normalized(values: number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

/** Around one of 40 centers, as the embeddings of a real collection lie. */
function clustered(seed: number): Float32Array {
  const center = random(1000 + (seed % 40));
  const own = random(seed);
  return normalized(Array.from({ length: dimension }, () => center() - 0.5 + 0.5 * (own() - 0.5)));
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function text(id: string, seed: number, rest: Omit<ItemWrite, 'id' | 'content'> = {}): ItemWrite {
  return { id, content: { modality: 'text', contentHash: sha256(`text ${seed}`), text: `text ${seed}`, embeddings: [clustered(seed)] }, ...rest };
}

function picture(id: string, seed: number, rest: Omit<ItemWrite, 'id' | 'content'> = {}): ItemWrite {
  const original = Buffer.from(`picture ${seed}`);
  return {
    id,
    content: {
      modality: 'image',
      contentHash: sha256(original),
      embeddings: [clustered(seed)],
      thumbnail: Buffer.from(`thumbnail ${seed}`),
      original,
      mediaType: 'image/png',
      width: 3,
      height: 2,
    },
    ...rest,
  };
}

const idOf = (i: number): string => `item-${String(i).padStart(5, '0')}`;
const texts = (from: number, to: number): ItemWrite[] => Array.from({ length: to - from }, (_, i) => text(idOf(from + i), from + i));

async function cellsReady(store: BothPorts, indexed: number): Promise<void> {
  await vi.waitFor(async () => expect((await store.describeCollection('photos')).graph).toEqual({ state: 'ready', indexed }), { timeout: 60_000, interval: 20 });
}

async function topIds(store: BothPorts, seed: number, rest: object = {}): Promise<string[]> {
  const { matches } = await search(store, 'photos', { embedding: clustered(seed), limit: 10, ...rest });
  return matches.map(({ item }) => item.id);
}

const filesUnder = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name) : [];

describe('writing', () => {
  it('keeps one original for all items that show it, until the last of them goes', async () => {
    const directory = newDirectory();
    const store = await openWithCollection(directory);
    const originals = join(directory, 'originals');
    await store.write('photos', [picture('a', 1), picture('b', 1), picture('c', 2)]);
    expect(filesUnder(originals)).toHaveLength(2);
    await store.deleteItem('photos', 'a');
    expect(Buffer.from((await store.getPicture('photos', 'b', 'original')).bytes).toString()).toBe('picture 1');
    await store.write('photos', [picture('b', 3)]);
    expect(filesUnder(originals).sort()).toEqual([sha256('picture 2'), sha256('picture 3')].sort());
    await store.deleteCollection('photos');
    await vi.waitFor(() => expect(filesUnder(originals)).toEqual([]));
  });

  it('answers disk_full when the database may not grow, and goes on reading', async () => {
    const store = await openWithCollection(newDirectory(), { maxDatabaseBytes: 500_000 });
    let written = 0;
    const fill = async (): Promise<void> => {
      for (; written < 10_000; written += 100) await store.write('photos', texts(written, written + 100));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'disk_full' });
    expect((await store.describeCollection('photos')).counts.text).toBe(written);
    expect((await topIds(store, 0))[0]).toBe(idOf(0));
    await store.check();
  });

  it('takes only its own part of a batch that lies in one piece of memory', async () => {
    const store = await openWithCollection(newDirectory());
    const batch = new Float32Array(dimension * 3);
    [1, 2, 3].forEach((seed, i) => batch.set(clustered(seed), i * dimension));
    await store.write('photos', [1, 2, 3].map((seed, i) => {
      const write = text(`t${seed}`, seed);
      return { ...write, content: { ...write.content!, embeddings: [batch.subarray(i * dimension, (i + 1) * dimension)] } };
    }));
    expect(await store.getEmbedding('photos', 't2')).toEqual(clustered(2));
    expect(batch.subarray(0, dimension)).toEqual(clustered(1));
    expect(await topIds(store, 3, { limit: 1 })).toEqual(['t3']);
  });

  it('answers not_ready once it is closed', async () => {
    const store = await openWithCollection(newDirectory());
    await store.close();
    await expect(store.listCollections()).rejects.toMatchObject({ code: 'not_ready' });
  });

});

describe('durability', () => {
  it('keeps what was acknowledged before SIGKILL, and brings nothing deleted back', async () => {
    const directory = newDirectory();
    const script = `
      const { openEmbeddedStore } = await import(${JSON.stringify(pathToFileURL(compiled).href)});
      const { catalog: store } = await openEmbeddedStore({ directory: ${JSON.stringify(directory)}, settings: ${JSON.stringify(eager)}, log() {} });
      await store.createCollection(${JSON.stringify(collection)}).catch(() => {});
      const start = (await store.describeCollection('photos')).counts.text * 2;
      for (let i = start; ; i += 20) {
        const write = (n) => { const embedding = new Float32Array(${dimension}); embedding[n % ${dimension}] = 0.8; embedding[(n >> 5) % ${dimension}] += 0.6;
          return { id: 'k' + n, content: { modality: 'text', contentHash: String(n), text: 't', embeddings: [embedding] } }; };
        await store.write('photos', Array.from({ length: 20 }, (_, n) => write(i + n)));
        process.stdout.write(Array.from({ length: 20 }, (_, n) => '+k' + (i + n) + '\\n').join(''));
        for (let n = 0; n < 20; n += 2) { process.stdout.write('?k' + (i + n) + '\\n'); await store.deleteItem('photos', 'k' + (i + n)); process.stdout.write('-k' + (i + n) + '\\n'); }
      }`;
    const writer = join(newDirectory(), 'writer.mjs');
    writeFileSync(writer, script);
    const present = new Set<string>();
    const deleted = new Set<string>();
    const uncertain = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [writer], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk) => (output += String(chunk)));
      await vi.waitFor(() => expect(output).toContain('-k'), { timeout: 60_000, interval: 5 });
      // At any moment of its work.
      await setTimeout(300 * round);
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      expect(await closed).toEqual([null, 'SIGKILL']);
      for (const line of output.split('\n').slice(0, -1)) {
        const id = line.slice(1);
        if (line.startsWith('+')) present.add(id);
        else if (line.startsWith('-')) {
          present.delete(id);
          deleted.add(id);
        }
        if (line.startsWith('?')) uncertain.add(id);
        else uncertain.delete(id);
      }
      const store = await open(directory, eager);
      const stored = new Set<string>();
      for (let after: ListPlace | undefined, more = true; more; ) {
        const page = await store.listItems('photos', { limit: 500, ...(after === undefined ? {} : { after }) });
        for (const { id } of page.items) stored.add(id);
        after = page.next;
        more = page.next !== undefined;
      }
      expect(present.size).toBeGreaterThan(0);
      expect([...present].filter((id) => !stored.has(id) && !uncertain.has(id))).toEqual([]);
      expect([...stored].filter((id) => deleted.has(id))).toEqual([]);
      // Of the last batch, the answer may not have reached us.
      expect(stored.size - present.size).toBeLessThanOrEqual(20);
      const { matches } = await search(store, 'photos', { embedding: await store.getEmbedding('photos', [...stored][0]!), limit: 50 });
      expect(matches.every(({ item }) => stored.has(item.id))).toBe(true);
      await store.close();
      for (const id of uncertain) if (!stored.has(id)) present.delete(id);
      uncertain.clear();
      for (const id of stored) present.add(id);
    }
  });

  it('refuses a directory that is in use, with a sentence', async () => {
    const directory = newDirectory();
    await openWithCollection(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('Another mixspace process') });
  });

  it('refuses a database of a newer version, with a sentence', async () => {
    const directory = newDirectory();
    await (await openWithCollection(directory)).close();
    const database = new Sqlite(join(directory, 'mixspace.db'));
    database.pragma('user_version = 999');
    database.close();
    await expect(open(directory)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('newer') });
  });

  it('sweeps originals that no item names when it starts', async () => {
    const directory = newDirectory();
    const store = await openWithCollection(directory);
    await store.write('photos', [picture('a', 1)]);
    await store.close();
    const shard = join(directory, 'originals', sha256('orphan').slice(0, 2));
    mkdirSync(shard);
    writeFileSync(join(shard, sha256('orphan')), 'orphan');
    writeFileSync(join(shard, `${sha256('orphan')}.tmp`), 'unfinished');
    await open(directory);
    await vi.waitFor(() => expect(filesUnder(join(directory, 'originals'))).toEqual([sha256('picture 1')]));
  });
});

describe('searching', () => {
  /** The list by definition: every item compared, sorted, cut. */
  function reference(writes: ItemWrite[], query: Float32Array): string[] {
    const score = (embedding: Float32Array): number => embedding.reduce((sum, value, i) => sum + value * query[i]!, 0);
    return writes
      .map(({ id, content }) => ({ id, score: score(content!.embeddings[0]!) }))
      .sort((a, b) => b.score - a.score || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)))
      .map(({ id }) => id);
  }

  it('scores and orders the same through cells and exactly', async () => {
    const store = await openWithCollection(newDirectory(), eager);
    const writes = texts(0, 3000);
    for (let i = 0; i < writes.length; i += 500) await store.write('photos', writes.slice(i, i + 500));
    await cellsReady(store, 3000);
    let found = 0;
    for (let query = 0; query < 50; query++) {
      const embedding = clustered(50_000 + query);
      const exact = await search(store, 'photos', { embedding, limit: 10, exact: true });
      expect(exact.exact).toBe(true);
      expect(exact.matches.map(({ item }) => item.id)).toEqual(reference(writes, embedding).slice(0, 10));
      const approximate = await search(store, 'photos', { embedding, limit: 10 });
      expect(approximate.exact).toBe(false);
      const scores = new Map(exact.matches.map(({ item, score }) => [item.id, score]));
      for (const { item, score } of approximate.matches) {
        if (!scores.has(item.id)) continue;
        found++;
        expect(score).toBe(scores.get(item.id));
      }
    }
    expect(found / 500).toBeGreaterThanOrEqual(0.95);
  });

});

describe('an item with several embeddings, or none', () => {
  const parts = (id: string, ...seeds: number[]): ItemWrite => ({ id, content: { modality: 'image', contentHash: sha256(id), embeddings: seeds.map(clustered) }, metadata: { id } });
  const scores = async (store: BothPorts, seed: number, rest: object = {}): Promise<[string, number][]> =>
    (await search(store, 'photos', { embedding: clustered(seed), limit: 3, ...rest })).matches.map(({ item, score }) => [item.id, score]);
  const dot = (a: number, b: number): number => clustered(a).reduce((sum, value, i) => sum + value * clustered(b)[i]!, 0);

  it('stands once in an answer, by its best part, whichever way it is found', async () => {
    const directory = newDirectory();
    const store = await openWithCollection(directory, eager);
    await store.write('photos', [parts('tiles', 1, 2, 3, 4, 5), ...Array.from({ length: 200 }, (_, i) => picture(idOf(i), 100 + i))]);
    const of = async (asked: BothPorts, seed: number): Promise<void> => {
      for (const rest of [{}, { exact: true }, { filter: { id: 'tiles' } }]) {
        const found = await scores(asked, seed, rest);
        expect(found[0]).toEqual(['tiles', expect.closeTo(1, 5)]);
        expect(found.filter(([id]) => id === 'tiles')).toHaveLength(1);
        expect(found).toHaveLength('filter' in rest ? 1 : 3);
      }
    };
    await cellsReady(store, 205);
    for (const seed of [1, 3, 5]) await of(store, seed);
    const between = await scores(store, 700, { exact: true, filter: { id: 'tiles' } });
    expect(between).toEqual([['tiles', expect.closeTo(Math.max(...[1, 2, 3, 4, 5].map((part) => dot(700, part))), 5)]]);
    expect(await store.describeCollection('photos')).toMatchObject({ counts: { image: 201 }, unembedded: 0 });
    expect(await store.getEmbedding('photos', 'tiles')).toEqual(clustered(1));
    await store.close();
    const again = await open(directory, eager);
    await cellsReady(again, 205);
    await of(again, 4);
    await again.deleteItem('photos', 'tiles');
    expect((await scores(again, 4)).map(([id]) => id)).not.toContain('tiles');
    await cellsReady(again, 200);
  });

  it('is held without one, says so, and is found once it has one', async () => {
    const store = await openWithCollection(newDirectory());
    await store.write('photos', [parts('none'), parts('one', 1)]);
    expect((await scores(store, 1)).map(([id]) => id)).toEqual(['one']);
    expect(await store.describeCollection('photos')).toMatchObject({ counts: { image: 2 }, unembedded: 1 });
    expect(await store.getItem('photos', 'none')).toMatchObject({ unembedded: 'It came without an embedding.' });
    await expect(store.getEmbedding('photos', 'none')).rejects.toMatchObject({ code: 'conflict' });
    expect((await store.listItems('photos', { limit: 5, filter: { id: 'none' } })).items).toHaveLength(1);
    expect(await store.write('photos', [parts('none', 2)])).toEqual(['updated']);
    expect((await scores(store, 2))[0]![0]).toBe('none');
    await store.write('photos', [parts('bare')]);
    expect(await store.deleteItems('photos', { id: 'bare' })).toBe(1);
    expect(await store.describeCollection('photos')).toMatchObject({ counts: { image: 2 }, unembedded: 0 });
  });
});

describe('what a collection is', () => {
  it('is known at once after each change', async () => {
    const store = await openWithCollection(newDirectory());
    const other = { model: 'other', fingerprint: 'g', dimension: 8 };
    const { createdAt } = await store.getCollection('photos');
    expect(await store.getCollection('photos')).toEqual({ ...collection, textFields: [], tiles: 'none', createdAt });
    await store.startReembedding('photos', { ...other, fromThumbnails: false, skipImpossible: false });
    const [before, outcome, after] = await Promise.all([store.getCollection('photos'), store.finishReembedding('photos'), store.getCollection('photos')]);
    expect([before.fingerprint, outcome, after.fingerprint]).toEqual(['f', 'done', expect.stringMatching(/[fg]/)]);
    expect(await store.getCollection('photos')).toEqual({ ...collection, ...other, textFields: [], tiles: 'none', createdAt });
    await store.deleteCollection('photos');
    await expect(store.getCollection('photos')).rejects.toMatchObject({ code: 'not_found' });
    await store.createCollection({ ...collection, originals: 'thumbnail' });
    expect(await store.getCollection('photos')).toMatchObject({ fingerprint: 'f', originals: 'thumbnail' });
    await expect(store.createCollection(collection)).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.getCollection('photos')).toMatchObject({ originals: 'thumbnail' });
  });

  it('is what a refused caller is told when it goes over: whoever meets a conflict finds the other space', async () => {
    const store = await openWithCollection(newDirectory());
    await store.write('photos', texts(0, 300));
    const spaces = [{ model: 'm', fingerprint: 'f', dimension }, { model: 'other', fingerprint: 'g', dimension }];
    let conflicts = 0;
    for (let turn = 1; turn <= 6; turn++) {
      const to = spaces[turn % 2]!;
      await store.startReembedding('photos', { ...to, fromThumbnails: false, skipImpossible: false });
      for (let items; (items = await store.nextToReembed('photos', { limit: 300 })).length > 0; ) await store.putReembedded('photos', to.fingerprint, items.map(({ key }) => ({ key, embedding: clustered(key) })));
      let isOver = false;
      const searching = Array.from({ length: 4 }, async () => {
        while (!isOver) {
          const { fingerprint } = await store.getCollection('photos');
          const answer = await search(store, 'photos', { embedding: clustered(1), fingerprint, limit: 1 }).catch((error: unknown) => (error as { code: string }).code);
          if (typeof answer !== 'string') continue;
          conflicts++;
          expect([answer, (await store.getCollection('photos')).fingerprint]).toEqual(['conflict', to.fingerprint]);
        }
      });
      expect(await store.finishReembedding('photos')).toBe('done');
      isOver = true;
      await Promise.all(searching);
    }
    expect(conflicts).toBeGreaterThan(0);
  });
});

describe('what older versions left', () => {
  it('goes at the start where it is of no use any more', async () => {
    const directory = newDirectory();
    await (await openWithCollection(directory)).close();
    mkdirSync(join(directory, 'snapshots'));
    writeFileSync(join(directory, 'snapshots', '1-text.hnsw'), 'a graph');
    const store = await open(directory);
    expect(existsSync(join(directory, 'snapshots'))).toBe(false);
    expect(await store.describeCollection('photos')).toMatchObject({ name: 'photos' });
    expect(logged).toEqual([]);
  });
});

describe('filters', () => {
  const cases: [Filter, Metadata, boolean][] = [
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: '1' }, false],
    [{ a: 1 }, { a: true }, false],
    [{ a: 1 }, { a: [2, 1] }, true],
    [{ a: null }, {}, false],
    [{ a: null }, { a: null }, true],
    [{ a: { $ne: 1 } }, {}, true],
    [{ a: { $ne: 1 } }, { a: [1] }, false],
    [{ a: { $nin: [1] } }, {}, true],
    [{ a: { $in: [] } }, { a: 1 }, false],
    [{ a: { $exists: false } }, {}, true],
    [{ a: { $exists: true } }, { a: null }, true],
    [{ a: { $gt: 1 } }, { a: [0, 2] }, true],
    [{ a: { $gt: 1 } }, { a: '2' }, false],
    [{ a: { $gt: 1 } }, {}, false],
    [{ a: { $lt: '\u{1f600}' } }, { a: '\uffee' }, true],
    [{ a: { $not: { $gt: 1 } } }, { a: 1 }, true],
    [{ a: { $not: { $gt: 1 } } }, { a: 2 }, false],
    [{ 'a.b': 1 }, { a: { b: 1 } }, true],
    [{ 'a.b': 1 }, { 'a.b': 1 }, false],
    [{ 'a.b': 1 }, { a: [{ b: 1 }] }, false],
    [{ constructor: { $exists: true } }, {}, false],
    [{ 'a.length': 1 }, { a: 'x' }, false],
    [{ $or: [{ a: 1 }, { b: 1 }], $not: { c: 1 } }, { b: 1 }, true],
    [{ $or: [{ a: 1 }, { b: 1 }], $not: { c: 1 } }, { b: 1, c: 1 }, false],
    [{}, {}, true],
  ];
  it.each(cases)('%j on %j is %s', (filter, metadata, expected) => {
    expect(compileFilter(filter)(metadata)).toBe(expected);
  });

  it('hold to the laws of logic whatever the metadata', () => {
    const scalar = fc.oneof(fc.constantFrom(0, 1, 2, '0', '1', 'a', true, false, null), fc.string());
    const metadata = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.constantFrom('b', 'c'), scalar)));
    const field = fc.constantFrom('a', 'b', 'a.b', 'a.c', '__proto__');
    const values = fc.array(scalar, { maxLength: 3 });
    fc.assert(
      fc.property(metadata, field, values, scalar, (item, name, list, value) => {
        const is = (condition: unknown): boolean => compileFilter(JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(condition)}}`) as Filter)(item);
        expect(is({ $ne: value })).toBe(!is({ $eq: value }));
        expect(is({ $nin: list })).toBe(!is({ $in: list }));
        expect(is({ $in: list })).toBe(list.some((each) => is(each)));
        expect(is({ $not: { $eq: value, $exists: true } })).toBe(!(is(value) && is({ $exists: true })));
        if (is({ $exists: false })) expect(is(value)).toBe(false);
        if (typeof value === 'number' || typeof value === 'string') expect(is({ $gte: value })).toBe(is({ $gt: value }) || is(value));
      }),
    );
  });
});

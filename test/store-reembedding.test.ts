import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Sqlite } from '../src/store/embedded/database.js';
import type { EmbeddedStoreSettings } from '../src/store/embedded/open.js';
import type { ItemWrite } from '../src/store/catalog.js';
import type { ReembeddingItem, ReembeddingTarget } from '../src/store/reembedding-catalog.js';
import { search } from './store-search.js';
import { bothPorts, type BothPorts } from './store-ports.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

/** Two spaces; cells from 50 embeddings on. */
const old = { model: 'old', fingerprint: 'f-old', dimension: 32 };
const other = { model: 'other', fingerprint: 'f-other', dimension: 48 };
const target: ReembeddingTarget = { ...other, fromThumbnails: false, skipImpossible: false };
const back: ReembeddingTarget = { ...target, ...old };
const eager: Partial<EmbeddedStoreSettings> = { cellsFrom: 50 };

const directories: string[] = [];
const stores: BothPorts[] = [];
const logged: string[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mixspace-store-'));
  directories.push(directory);
  return directory;
}

async function open(directory: string, settings: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = bothPorts(await openEmbeddedStore({ directory, settings, log: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`) }));
  stores.push(store);
  return store;
}

async function openWith(directory: string, writes: ItemWrite[], settings: Partial<EmbeddedStoreSettings> = {}): Promise<BothPorts> {
  const store = await open(directory, settings);
  await store.createCollection({ name: 'photos', ...old, originals: 'keep' });
  for (let from = 0; from < writes.length; from += 200) await store.write('photos', writes.slice(from, from + 200));
  return store;
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  logged.length = 0;
});

/** The embedding of a content in a space; without a direction in common with another's. */
function embeddingOf(content: string, { model, dimension }: { model: string; dimension: number }): Float32Array {
  const bytes = Array.from({ length: Math.ceil(dimension / 32) }, (_, i) => [...createHash('sha256').update(`${model} ${content} ${i}`).digest()]).flat();
  const values = bytes.slice(0, dimension).map((byte) => byte - 127.5);
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const idOf = (i: number): string => `item-${String(i).padStart(5, '0')}`;
const text = (id: string, content = id): ItemWrite => ({ id, content: { modality: 'text', contentHash: sha256(content), text: content, embeddings: [embeddingOf(content, old)] } });
const texts = (from: number, to: number): ItemWrite[] => Array.from({ length: to - from }, (_, i) => text(idOf(from + i)));
function picture(id: string, rest: object = { original: Buffer.from(id) }): ItemWrite {
  return { id, content: { modality: 'image', contentHash: sha256(id), embeddings: [embeddingOf(id, old)], thumbnail: Buffer.from(`thumbnail of ${id}`), mediaType: 'image/png', ...rest } };
}

/** What an encoder would make of it. */
function encoded({ key, source }: ReembeddingItem, space: { model: string; dimension: number }): { key: number; embedding: Float32Array } | { key: number; impossible: string } {
  if ('impossible' in source || 'embedding' in source) return { key, ...source };
  return { key, embedding: embeddingOf('text' in source ? source.text : Buffer.from(source.picture).toString(), space) };
}

/** Puts what waits until nothing does; how many that were. */
async function putAll(store: BothPorts, space = other, most = Infinity): Promise<number> {
  let count = 0;
  for (;;) {
    const items = await store.nextToReembed('photos', { limit: Math.min(32, most - count) });
    if (items.length === 0 || count >= most) return count;
    await store.putReembedded('photos', space.fingerprint, items.map((item) => encoded(item, space)));
    count += items.length;
  }
}

async function goOver(store: BothPorts, to: ReembeddingTarget): Promise<void> {
  await store.startReembedding('photos', to);
  await putAll(store, to);
  expect(await store.finishReembedding('photos')).toBe('done');
}

async function nearest(store: BothPorts, content: string, space: { model: string; dimension: number; fingerprint: string }, rest: object = {}): Promise<{ id: string; score: number } | undefined> {
  const { matches } = await search(store, 'photos', { embedding: embeddingOf(content, space), fingerprint: space.fingerprint, limit: 1, ...rest });
  return matches[0] && { id: matches[0].item.id, score: matches[0].score };
}

const here = (id: string): unknown => ({ id, score: expect.closeTo(1, 5) as number });
const cellsReady = (store: BothPorts, indexed: number): Promise<void> =>
  vi.waitFor(async () => expect((await store.describeCollection('photos')).graph).toEqual({ state: 'ready', indexed }), { timeout: 60_000, interval: 20 });
/** Resolves when nothing is left of what went, or went over: another one is begun only then. */
async function inOrder(store: BothPorts): Promise<void> {
  await store.createCollection({ name: 'next', ...old, originals: 'keep' });
  await store.startReembedding('next', target);
  await store.deleteCollection('next');
}
const rowsWaiting = (directory: string): number => {
  const database = new Sqlite(join(directory, 'mixspace.db'));
  const count = database.prepare('SELECT count(*) FROM embeddings WHERE space NOT IN (SELECT space FROM collections)').pluck().get() as number;
  database.close();
  return count;
};

describe('embedding again', () => {
  it('hands out every item with what it is made from, keeps outcomes beside what is searched, and goes over at once', async () => {
    const directory = newDirectory();
    const store = await openWith(directory, [text('a'), text('b'), picture('p')]);
    await store.startReembedding('photos', target);
    const items = await store.nextToReembed('photos', { limit: 10 });
    expect(items.map(({ modality, source }) => [modality, source])).toEqual([['image', { picture: new Uint8Array(Buffer.from('p')) }]]);
    const rest = await store.nextToReembed('photos', { limit: 10, after: items[0]! });
    expect(rest.map(({ source }) => source)).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect(await store.nextToReembed('photos', { limit: 10, after: rest.at(-1)! })).toEqual([]);

    expect(await store.finishReembedding('photos')).toBe('pending');
    expect(await putAll(store)).toBe(3);
    expect(await nearest(store, 'a', old)).toEqual(here('a'));
    expect((await store.describeCollection('photos')).reembedding).toMatchObject({ ...target, state: 'running', done: 3, impossible: 0 });
    await expect(nearest(store, 'a', other)).rejects.toMatchObject({ code: 'conflict' });

    expect(await store.finishReembedding('photos')).toBe('done');
    const collection = await store.describeCollection('photos');
    expect(collection).toMatchObject({ ...other, unembedded: 0, counts: { image: 1, text: 2 } });
    expect(collection.reembedding).toBeUndefined();
    for (const id of ['a', 'b', 'p']) {
      expect(await nearest(store, id, other)).toEqual(here(id));
      expect(await store.getEmbedding('photos', id)).toEqual(embeddingOf(id, other));
    }
    await expect(nearest(store, 'a', old)).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.write('photos', [text('c')], old.fingerprint)).rejects.toMatchObject({ code: 'conflict' });
    await inOrder(store);
    await store.close();
    expect(rowsWaiting(directory)).toBe(0);
  });

  it('gives items added meanwhile their turn, and forgets those that went', async () => {
    const store = await openWith(newDirectory(), texts(0, 40));
    await store.startReembedding('photos', target);
    const items = await store.nextToReembed('photos', { limit: 40 });
    await store.deleteItem('photos', idOf(1));
    await store.write('photos', [text(idOf(2), 'other words'), text('late')]);
    await store.putReembedded('photos', other.fingerprint, items.map((item) => encoded(item, other)));
    expect((await store.describeCollection('photos')).reembedding).toMatchObject({ done: 38 });
    await store.deleteItem('photos', idOf(3));
    expect((await store.describeCollection('photos')).reembedding).toMatchObject({ done: 37 });
    expect(await store.finishReembedding('photos')).toBe('pending');
    expect((await store.nextToReembed('photos', { limit: 10 })).map(({ source }) => source)).toEqual([{ text: 'other words' }, { text: 'late' }]);
    await putAll(store);
    expect(await store.finishReembedding('photos')).toBe('done');
    expect(await nearest(store, 'other words', other)).toEqual(here(idOf(2)));
    expect(await nearest(store, 'late', other)).toEqual(here('late'));
    expect((await store.describeCollection('photos')).counts.text).toBe(39);
  });

  it('goes on after it was closed, one batch after another, and counts what is done', async () => {
    const directory = newDirectory();
    const first = await openWith(directory, texts(0, 700));
    await first.startReembedding('photos', target);
    await putAll(first, other, 640);
    await first.stopReembedding('photos', 'The disk is full.');
    await first.close();
    const store = await open(directory);
    expect((await store.describeCollection('photos')).reembedding).toMatchObject({ done: 640, state: 'stopped', problem: 'The disk is full.' });
    await store.startReembedding('photos', target);
    const { problem, state } = (await store.describeCollection('photos')).reembedding!;
    expect([state, problem]).toEqual(['running', undefined]);
    expect(await putAll(store)).toBe(60);
    expect(await store.finishReembedding('photos')).toBe('done');
    expect(await nearest(store, idOf(650), other)).toEqual(here(idOf(650)));
  });

  it('throws away after a restart what is left of the space that it went from', async () => {
    const directory = newDirectory();
    const store = await openWith(directory, texts(0, 300));
    await goOver(store, target);
    await inOrder(store);
    await store.close();
    // As it is when the process is killed right after the going over.
    const database = new Sqlite(join(directory, 'mixspace.db'));
    database.exec(`INSERT INTO spaces (key, collection, model, fingerprint, dimension, since) SELECT 1000, key, 'old', 'f-old', 32, 0 FROM collections;
      INSERT INTO embeddings (item, space, modality, part, checksum, vector) SELECT item, 1000, modality, part, 0, zeroblob(128) FROM embeddings;
      INSERT INTO unembedded (item, space, modality, reason) SELECT key, 1000, modality, 'It could not be.' FROM items LIMIT 100`);
    database.close();
    expect(rowsWaiting(directory)).toBe(300);
    const again = await open(directory);
    const found = await Promise.all([0, 150, 299].map((i) => nearest(again, idOf(i), other)));
    expect(found).toEqual([0, 150, 299].map((i) => here(idOf(i))));
    expect((await search(again, 'photos', { embedding: embeddingOf(idOf(7), other), limit: 400 })).matches).toHaveLength(300);
    await inOrder(again);
    await again.close();
    expect(rowsWaiting(directory)).toBe(0);
    const left = new Sqlite(join(directory, 'mixspace.db'));
    expect(left.prepare('SELECT (SELECT count(*) FROM unembedded), (SELECT count(*) FROM spaces WHERE key = 1000), (SELECT count(*) FROM embeddings)').raw().get()).toEqual([0, 0, 300]);
    left.close();
  });

  it('throws away what was done when it is discarded, and begins anew', async () => {
    const directory = newDirectory();
    const store = await openWith(directory, texts(0, 100));
    await store.startReembedding('photos', target);
    await putAll(store, other, 64);
    await expect(store.startReembedding('photos', { ...target, fingerprint: 'f-third' })).rejects.toMatchObject({ code: 'conflict' });
    await store.discardReembedding('photos');
    await expect(store.putReembedded('photos', other.fingerprint, [])).rejects.toMatchObject({ code: 'conflict' });
    await expect(store.finishReembedding('photos')).rejects.toMatchObject({ code: 'conflict' });
    await store.startReembedding('photos', target);
    expect((await store.describeCollection('photos')).reembedding).toMatchObject({ done: 0 });
    expect(await putAll(store)).toBe(100);
    await store.discardReembedding('photos');
    expect(await nearest(store, idOf(5), old)).toEqual(here(idOf(5)));
    await store.deleteCollection('photos');
    await inOrder(store);
    await store.close();
    expect(rowsWaiting(directory)).toBe(0);
  });

  it('answers disk_full when the database may not grow; what was done stays, and searches go on', async () => {
    const store = await openWith(newDirectory(), texts(0, 1_000), { maxDatabaseBytes: 900_000 });
    await store.startReembedding('photos', target);
    await expect(putAll(store)).rejects.toMatchObject({ code: 'disk_full' });
    expect(await nearest(store, idOf(5), old)).toEqual(here(idOf(5)));
    const { done } = (await store.describeCollection('photos')).reembedding!;
    expect(done).toBeGreaterThan(0);
    expect(done % 32).toBe(0);
    await store.deleteItems('photos');
    await store.write('photos', texts(0, 20));
    await putAll(store);
    expect(await store.finishReembedding('photos')).toBe('done');
  });
});

describe('items that cannot be embedded again', () => {
  const raw: ItemWrite & { content: object } = { id: 'raw', content: { modality: 'image', contentHash: sha256('raw'), embeddings: [embeddingOf('raw', old)] }, metadata: { kind: 'raw' } };

  it('are planned, keep the collection from going over unless they may be skipped, and keep their embedding', async () => {
    const directory = newDirectory();
    const file = join(directory, 'a.png');
    writeFileSync(file, 'by path');
    const byPath: ItemWrite = { id: 'path', content: { ...picture('by path', { path: file }).content! } };
    const store = await openWith(directory, [raw, byPath, picture('p'), picture('thumb', {}), text('a')]);
    const plan = (fromThumbnails: boolean): Promise<unknown> => store.planReembedding('photos', { fingerprint: other.fingerprint, fromThumbnails });
    const notKept = { id: 'thumb', reason: 'The original of "thumb" is not kept, only its thumbnail.' };
    const given = { id: 'raw', reason: '"raw" was given as an embedding.' };
    expect(await plan(false)).toEqual({ items: 5, kept: 0, fromThumbnails: 0, impossible: 2, first: [given, notKept] });
    expect(await plan(true)).toEqual({ items: 5, kept: 0, fromThumbnails: 1, impossible: 1, first: [given] });
    writeFileSync(file, 'something else');
    expect(await plan(true)).toMatchObject({ fromThumbnails: 2, impossible: 1 });
    writeFileSync(file, 'by path');

    await store.startReembedding('photos', target);
    await putAll(store);
    expect(await store.finishReembedding('photos')).toBe('impossible');
    expect(await nearest(store, 'raw', old)).toEqual(here('raw'));
    expect(await store.listImpossible('photos', 5)).toEqual([given, notKept]);
    await store.startReembedding('photos', { ...target, skipImpossible: true });
    expect(await plan(false)).toMatchObject({ items: 2, impossible: 2 });
    await putAll(store);
    expect(await store.finishReembedding('photos')).toBe('done');
    expect(await store.describeCollection('photos')).toMatchObject({ unembedded: 2, counts: { image: 4, text: 1 } });
    expect(await store.listImpossible('photos', 5)).toEqual([given, notKept]);
    expect(await store.getItem('photos', 'raw')).toMatchObject({ unembedded: given.reason, metadata: { kind: 'raw' } });
    await expect(store.getEmbedding('photos', 'raw')).rejects.toMatchObject({ code: 'conflict' });
    const found = await search(store, 'photos', { embedding: embeddingOf('a', other), limit: 10, filter: { $or: [{ kind: 'raw' }, { kind: { $exists: false } }] } });
    expect(found.matches.map(({ item }) => item.id).sort()).toEqual(['a', 'p', 'path']);
    expect((await search(store, 'photos', { embedding: embeddingOf('a', other), limit: 10, filter: { kind: 'raw' } })).matches).toEqual([]);
    expect((await store.present('photos', ['raw', 'a'])).map(({ id, embedded }) => [id, embedded])).toEqual([['raw', false], ['a', true]]);

    expect(await store.planReembedding('photos', { ...old, fromThumbnails: false })).toMatchObject({ items: 5, kept: 2, impossible: 0 });
    await goOver(store, back);
    expect(await store.describeCollection('photos')).toMatchObject({ ...old, unembedded: 0 });
    for (const id of ['raw', 'thumb', 'p', 'a']) expect(await nearest(store, id, old)).toEqual(here(id));
  });

  it('have an embedding again when they are written again, and leave no trace when they are deleted', async () => {
    const rawText: ItemWrite = { ...raw, content: { ...raw.content, modality: 'text' } };
    const store = await openWith(newDirectory(), [rawText, ...texts(0, 80)], eager);
    await store.startReembedding('photos', { ...target, skipImpossible: true });
    await putAll(store);
    await store.finishReembedding('photos');
    await cellsReady(store, 80);
    const again: ItemWrite = { ...rawText, content: { ...raw.content, modality: 'text', embeddings: [embeddingOf('raw', other)] } };
    expect(await store.write('photos', [again], other.fingerprint)).toEqual(['updated']);
    expect(await nearest(store, 'raw', other)).toEqual(here('raw'));
    expect(await store.describeCollection('photos')).toMatchObject({ unembedded: 0 });

    await store.startReembedding('photos', { ...back, skipImpossible: true });
    await putAll(store, old);
    await store.finishReembedding('photos');
    expect(await store.describeCollection('photos')).toMatchObject({ unembedded: 1 });
    await cellsReady(store, 80);
    expect(await store.deleteItems('photos', { kind: 'raw' })).toBe(1);
    await cellsReady(store, 80);
    expect(await store.describeCollection('photos')).toMatchObject({ unembedded: 0, counts: { image: 0, text: 80 } });
  });
});

describe('cells, when a collection goes over', () => {
  it('are sought in the other space, searches being right meanwhile, and none of the old space is used', async () => {
    const directory = newDirectory();
    const store = await openWith(directory, texts(0, 400), eager);
    await cellsReady(store, 400);
    await goOver(store, target);
    await Promise.all([0, 200, 399].map(async (i) => expect(await nearest(store, idOf(i), other)).toEqual(here(idOf(i)))));
    await cellsReady(store, 400);
    expect(await nearest(store, idOf(77), other)).toEqual(here(idOf(77)));
    await store.close();
    const again = await open(directory, eager);
    await cellsReady(again, 400);
    for (const i of [5, 77, 250, 399]) expect(await nearest(again, idOf(i), other)).toEqual(here(idOf(i)));
    await goOver(again, back);
    await cellsReady(again, 400);
    for (const i of [5, 77, 250, 399]) expect(await nearest(again, idOf(i), old)).toEqual(here(idOf(i)));
    expect(logged.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('go with the embeddings of their space', async () => {
    const directory = newDirectory();
    const store = await openWith(directory, texts(0, 400), eager);
    await cellsReady(store, 400);
    await goOver(store, target);
    await cellsReady(store, 400);
    await inOrder(store);
    await store.close();
    const database = new Sqlite(join(directory, 'mixspace.db'));
    const spaces = database.prepare('SELECT count(*) FROM cells WHERE space NOT IN (SELECT space FROM collections)').pluck().get();
    database.close();
    expect(spaces).toBe(0);
  });

  it('give a search that is under way the answer of one space, or a conflict', async () => {
    const given = Array.from({ length: 1_000 }, (_, i): ItemWrite => ({ id: `given-${i}`, content: { modality: 'text', contentHash: sha256(`given-${i}`), embeddings: [embeddingOf(`given-${i}`, old)] } }));
    const store = await openWith(newDirectory(), [...texts(0, 2_000), ...given], { vectorCacheBytes: 0 });
    const whole = async (space: typeof old): Promise<string> => JSON.stringify((await search(store, 'photos', { embedding: embeddingOf('given-500', space), fingerprint: space.fingerprint, limit: 50, exact: true })).matches.map(({ item, score }) => [item.id, score]));
    const byModel = new Map([[old.model, await whole(old)]]);
    for (const [from, to] of [[old, other], [other, old]] as const) {
      await store.startReembedding('photos', { ...target, ...to, skipImpossible: true });
      await putAll(store, to);
      let isDone = false;
      const outcomes: string[] = [];
      const searching = Array.from({ length: 12 }, async () => {
        while (!isDone) outcomes.push(await whole(from).catch((error: unknown) => (error as { code: string }).code));
      });
      expect(await store.finishReembedding('photos')).toBe('done');
      isDone = true;
      await Promise.all(searching);
      if (!byModel.has(to.model)) byModel.set(to.model, await whole(to));
      expect(await whole(to)).toBe(byModel.get(to.model));
      for (const outcome of outcomes) expect([byModel.get(from.model), 'conflict']).toContain(outcome);
    }
  });
});

describe('a database of version 0.2', () => {
  it('is brought up to date with all it holds', async () => {
    const directory = newDirectory();
    const database = new Sqlite(join(directory, 'mixspace.db'));
    database.exec(readFileSync(new URL('../migrations/sqlite/0001_collections_and_items.sql', import.meta.url), 'utf8'));
    database.prepare("INSERT INTO collections (name, model, fingerprint, dimension, originals, created_at, seq) VALUES ('photos', ?, ?, ?, 'keep', '2026-01-01T00:00:00.000Z', 7)").run(old.model, old.fingerprint, old.dimension);
    const insert = database.prepare("INSERT INTO items (collection, id, modality, content_hash, text, metadata, sources, created_at, updated_at, embedding) VALUES (1, ?, 'text', ?, ?, '{}', '[]', '', '', ?)");
    for (let i = 0; i < 60; i++) insert.run(idOf(i), sha256(idOf(i)), idOf(i), Buffer.from(embeddingOf(idOf(i), old).buffer));
    database.pragma('user_version = 1');
    database.close();
    expect(existsSync(join(directory, 'mixspace.db'))).toBe(true);

    const store = await open(directory, eager);
    const before = await store.describeCollection('photos');
    expect(before).toMatchObject({ ...old, counts: { image: 0, text: 60 }, unembedded: 0 });
    expect(await nearest(store, idOf(30), old)).toEqual(here(idOf(30)));
    await goOver(store, target);
    expect(await nearest(store, idOf(30), other)).toEqual(here(idOf(30)));
    await inOrder(store);
    expect((await store.describeCollection('photos')).bytes).toBe(before.bytes + 60 * 4 * (other.dimension - old.dimension));
  });
});

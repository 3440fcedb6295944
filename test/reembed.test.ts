import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Collection } from '../src/contract/collections.js';
import type { NewItem } from '../src/contract/items.js';
import { MixspaceClient, type Query } from '../src/client/index.js';
import { mountSmallDisk, type SmallDisk } from './crash/small-disk.js';
import { base64, call } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { drawn } from './pictures.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

const fixtures = path.join(repository, 'test/fixtures/reference');
/** Batches slow enough that few items are still under way when somebody looks, on any machine. */
const paced = { NODE_OPTIONS: `--import ${pathToFileURL(path.join(repository, 'test/paced-encoder.mjs')).href}`, PACE_MS: '80' };
const words = ['red', 'boat', 'cat', 'snow', 'house', 'bicycle', 'tree', 'river', 'night', 'child', 'bread', 'horse'];
/** Other texts in every test: what one of them had embedded is remembered. */
let place = 0;
beforeEach(() => void place++);
const sentence = (n: number): string => `a ${words[n % 12]} beside a ${words[(n * 7 + 3) % 12]} in place ${place}, number ${n}`;

let models: string;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'mixspace-models-'));
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-folder-'));
  await cp(path.join(fixtures, 'clip-tiny'), path.join(models, 'first'), { recursive: true });
  await cp(path.join(fixtures, 'siglip2-tiny'), path.join(models, 'second'), { recursive: true });
  env = { MIXSPACE_MODELS_DIR: models, MIXSPACE_MODEL: 'first', MIXSPACE_WORKERS: '1', ...paced };
});
afterAll(async () => {
  await shared?.remove();
  await rm(models, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

let shared: RunningServer | undefined;

/** One service for all that neither change its models nor start it again; what they made is deleted behind them. */
async function withSharedServer(work: (client: MixspaceClient, server: RunningServer) => Promise<void>): Promise<void> {
  const server = (shared ??= await startServer({ env: { ...env, MIXSPACE_ROOTS: folder } }));
  const client = new MixspaceClient({ url: server.url, retries: 0 });
  try {
    await work(client, server);
  } finally {
    for (const { name } of await client.collections()) if (name !== 'default') await client.deleteCollection(name);
  }
}

async function withServer(work: (client: MixspaceClient, server: RunningServer) => Promise<void>, options: { indexDir: string; env?: Record<string, string> }): Promise<void> {
  const server = await startServer({ ...options, env: { ...env, MIXSPACE_ROOTS: folder, ...options.env } });
  try {
    await work(new MixspaceClient({ url: server.url, retries: 0 }), server);
  } finally {
    await server.remove();
  }
}

async function addAll(client: MixspaceClient, collection: string, items: NewItem[]): Promise<void> {
  for (let from = 0; from < items.length; from += 500) {
    const outcomes = await client.addItems(collection, items.slice(from, from + 500));
    expect(outcomes.filter(({ status }) => status === 'failed')).toEqual([]);
  }
}

const texts = (from: number, to: number): NewItem[] => Array.from({ length: to - from }, (_, i) => ({ id: `text-${from + i}`, text: sentence(from + i), metadata: { odd: (from + i) % 2 === 1 } }));

/** Uploaded, and named by path. */
async function pictures(from: number, to: number): Promise<NewItem[]> {
  return Promise.all(
    Array.from({ length: to - from }, async (_, i): Promise<NewItem> => {
      const bytes = await drawn(from + i);
      if (i % 2 === 0) return { id: `picture-${from + i}`, image: base64(bytes) };
      const file = path.join(folder, `${from + i}.png`);
      await writeFile(file, bytes);
      return { id: `picture-${from + i}`, path: file };
    }),
  );
}

const queries: { query: Query; options?: object }[] = [
  { query: 'a boat in the snow', options: { modality: 'text' } },
  { query: 'a boat in the snow', options: { modality: 'image' } },
  { query: 'a red house', options: { filter: { odd: true } } },
  { query: { id: 'text-3' } },
  { query: { id: 'picture-2' }, options: { modality: 'image' } },
  { query: [{ input: { id: 'picture-3' } }, { input: 'night', weight: 0.5 }] },
];

type Answer = [string, number][];
async function answers(client: MixspaceClient, collection: string): Promise<Answer[]> {
  return Promise.all(
    queries.map(async ({ query, options }) => {
      const { matches, exact } = await client.search(collection, query, { limit: 20, exact: true, fusion: 'raw', ...options });
      expect(exact).toBe(true);
      return matches.map(({ id, score }): [string, number] => [id, score!]);
    }),
  );
}

/** Same ids in the same order, scores within 1e-6. */
function expectSame(found: Answer[], wanted: Answer[]): void {
  expect(found.map((list) => list.map(([id]) => id))).toEqual(wanted.map((list) => list.map(([id]) => id)));
  found.forEach((list, query) => list.forEach(([id, score], place) => expect(Math.abs(score - wanted[query]![place]![1]), `${query} ${id}`).toBeLessThan(1e-6)));
}

/** What a collection made with the model from these items answers. */
async function expectAsFresh(client: MixspaceClient, collection: string, model: string, items: NewItem[]): Promise<void> {
  await client.createCollection({ name: 'fresh', model });
  await addAll(client, 'fresh', items);
  const [found, fresh] = [await client.collection(collection), await client.collection('fresh')];
  expect(found).toMatchObject({ model, fingerprint: fresh.fingerprint, dimensions: fresh.dimensions, model_available: true, counts: fresh.counts, not_embedded: 0 });
  expect(found.reembedding).toBeUndefined();
  expectSame(await answers(client, collection), await answers(client, 'fresh'));
}

async function until(client: MixspaceClient, name: string, isReached: (collection: Collection) => boolean): Promise<Collection> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const collection = await client.collection(name);
    if (isReached(collection)) return collection;
    if (collection.reembedding?.problem) throw new Error(collection.reembedding.problem);
    if (Date.now() > deadline) throw new Error(`Not reached: ${JSON.stringify(collection)}`);
    await new Promise((resolve) => setTimeout(resolve, isReached === isDone ? 100 : 25));
  }
}
const isDone = ({ reembedding }: Collection): boolean => reembedding === undefined;

/** How often a collection was asked for. */
async function looksAt(server: RunningServer): Promise<number> {
  const { body } = await call<string>(server.url, 'GET', '/metrics');
  return Number(/^mixspace_http_request_seconds_count\{method="GET",route="\/v1\/collections\/:name",status="200"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

describe('Embedding a collection again', () => {
  it('answers as before until it goes over, and then as one made with the other model', async () => {
    const items = [...(await pictures(0, 20)), ...texts(0, 320)];
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      const before = await answers(client, 'photos');
      const { fingerprint } = await client.collection('photos');
      const { plan, reembedding } = await client.reembed('photos', { model: 'second' });
      expect(plan).toMatchObject({ model: 'second', items: 340, kept: 0, from_thumbnails: 0, impossible: 0, first_impossible: [] });
      expect(reembedding).toMatchObject({ model: 'second', total: 340, state: 'running', problem: null });
      let comparedOnTheWay = 0;
      for (;;) {
        const found = await answers(client, 'photos');
        const now = await client.collection('photos');
        if (now.fingerprint !== fingerprint) break;
        expect(found).toEqual(before);
        if (now.reembedding!.done > 0) comparedOnTheWay++;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      expect(comparedOnTheWay).toBeGreaterThan(0);
      await expectAsFresh(client, 'photos', 'second', items);
      expect(await client.reembed('photos', { model: 'second' }).catch((error: unknown) => error)).toMatchObject({ status: 409, message: expect.stringMatching(/in the space of model "second" already/) });
    });
  });

  it('takes along what is added, changed and deleted while it runs', async () => {
    const items = new Map([...(await pictures(100, 120)), ...texts(0, 480), ...(await pictures(0, 4))].map((item) => [item.id!, item]));
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', [...items.values()]);
      await client.reembed('photos', { model: 'second' });
      const put = async (changed: NewItem[]): Promise<void> => {
        await addAll(client, 'photos', changed);
        for (const item of changed) items.set(item.id!, { ...items.get(item.id!), ...item });
      };
      await until(client, 'photos', ({ reembedding }) => (reembedding?.done ?? Infinity) > 0);
      await put([...(await pictures(200, 204)), ...texts(2_000, 2_010)]);
      // Of what is done already, and of what waits.
      await put(['text-3', 'text-470'].map((id, i) => ({ id, text: sentence(5_000 + i) })));
      for (const id of ['picture-101', 'text-1', 'text-460']) {
        await client.deleteItem('photos', id);
        items.delete(id);
      }
      for (const id of ['picture-102', 'text-5', 'text-450']) {
        const metadata = { odd: true, patched: id };
        await client.setMetadata('photos', id, metadata);
        items.set(id, { ...items.get(id)!, metadata });
      }
      expect((await client.collection('photos')).reembedding?.state).toBe('running');
      // Until it is over, and beyond.
      for (let n = 0; (await client.collection('photos')).reembedding !== undefined; n++) await put([{ id: `text-late-${n}`, text: sentence(7_000 + n) }]);
      await put([{ id: 'text-last', text: sentence(9_000) }]);
      await expectAsFresh(client, 'photos', 'second', [...items.values()]);
      expect((await client.getItem('photos', 'text-450')).metadata).toEqual({ odd: true, patched: 'text-450' });
    });
  });

  it('ends although pictures keep coming, and each is found', { timeout: 240_000 }, async () => {
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', texts(0, 320));
      await client.reembed('photos', { model: 'second' });
      let added = 320;
      const adding = Array.from({ length: 3 }, async () => {
        while ((await client.collection('photos')).reembedding) {
          const from = added;
          added += 40;
          await addAll(client, 'photos', texts(from, from + 40));
        }
      });
      await Promise.all(adding);
      expect(await client.collection('photos')).toMatchObject({ model: 'second', counts: { text: added }, not_embedded: 0 });
      for (let n = 0; n < added; n += 13) expect((await client.search('photos', sentence(n), { limit: 1, exact: true, fusion: 'raw' })).matches[0]).toMatchObject({ score: expect.closeTo(1, 4) });
    });
  });

  it('goes on by itself after kill -9, from where it was', async () => {
    const items = [...(await pictures(0, 8)), ...texts(0, 480)];
    const first = await startServer({ env: { ...env, MIXSPACE_ROOTS: folder } });
    try {
      const client = new MixspaceClient({ url: first.url });
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      const before = await answers(client, 'photos');
      await client.reembed('photos', { model: 'second' });
      const killed = await until(client, 'photos', ({ reembedding }) => (reembedding?.done ?? Infinity) >= 200);
      expect(killed.reembedding).toBeDefined();
      await first.kill();
      await withServer(async (client, server) => {
        const found = await answers(client, 'photos');
        const again = await client.collection('photos');
        await vi.waitFor(() => expect(server.logs()).toMatch(/goes on being embedded again with model \\"second\\"; [2-4]\d\d items are done/), { timeout: 60_000 });
        if (again.reembedding) {
          expect(again.reembedding.state).toBe('running');
          expect(again.reembedding.done).toBeGreaterThanOrEqual(killed.reembedding!.done);
          expect(found).toEqual(before);
        }
        await until(client, 'photos', isDone);
        await expectAsFresh(client, 'photos', 'second', items);
      }, { indexDir: first.indexDir });
    } finally {
      await first.remove();
    }
  });

  it('is killed at several moments, the going over among them, and loses nothing', { timeout: 120_000 }, async () => {
    const items = [...(await pictures(0, 10)), ...texts(0, 150)];
    let server = await startServer({ env: { ...env, MIXSPACE_ROOTS: folder } });
    const { indexDir } = server;
    const byModel = new Map<string, Answer[]>();
    try {
      let client = new MixspaceClient({ url: server.url });
      for (const model of ['first', 'second']) {
        await client.createCollection({ name: model, model });
        await addAll(client, model, items);
        byModel.set(model, await answers(client, model));
      }
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      for (const [round, pause] of [0, 250, 750].entries()) {
        const to = round % 2 === 0 ? 'second' : 'first';
        const began = Date.now();
        await client.reembed('photos', { model: to });
        await new Promise((resolve) => setTimeout(resolve, pause));
        await server.kill();
        server = await startServer({ indexDir, env: { ...env, MIXSPACE_ROOTS: folder } });
        client = new MixspaceClient({ url: server.url });
        const { model } = await client.collection('photos');
        const found = await answers(client, 'photos');
        // It may have gone over between the two calls.
        if ((await client.collection('photos')).model === model) expectSame(found, byModel.get(model)!);
        await until(client, 'photos', isDone);
        expectSame(await answers(client, 'photos'), byModel.get(to)!);
        expect(Date.now() - began).toBeGreaterThan(0);
      }
    } finally {
      await server.remove();
      await rm(indexDir, { recursive: true, force: true });
    }
  });
});

describe('Items that cannot be embedded again', () => {
  it('are told before anything begins, are kept when they are skipped, and come back', async () => {
    await withSharedServer(async (client, server) => {
      await client.createCollection({ name: 'photos' });
      const { dimensions } = await client.collection('photos');
      const [gone, changed, kept] = ['gone.png', 'changed.png', 'kept.png'].map((name) => path.join(folder, name)) as [string, string, string];
      for (const [i, file] of [gone, changed, kept].entries()) await writeFile(file, await drawn(300 + i));
      await addAll(client, 'photos', [
        { id: 'raw', embedding: Array.from({ length: dimensions }, (_, i) => Math.sin(i)), modality: 'image', metadata: { year: 2020 } },
        { id: 'gone', path: gone },
        { id: 'changed', path: changed },
        { id: 'kept', path: kept },
        ...texts(0, 20),
      ]);
      const near = await client.search('photos', { id: 'raw' }, { exact: true, limit: 100 });
      const away = await readFile(gone);
      await rm(gone);
      await writeFile(changed, await drawn(999));

      const impossible = [
        { id: 'raw', reason: '"raw" was given as an embedding.' },
        { id: 'gone', reason: `The original of "gone" has gone from ${gone}.` },
        { id: 'changed', reason: 'The file that "changed" was taken from has changed since.' },
      ];
      const { plan, reembedding } = await client.reembed('photos', { model: 'second', dry_run: true });
      expect(plan).toMatchObject({ items: 24, impossible: 3, first_impossible: impossible });
      expect(reembedding).toBeUndefined();
      expect(await client.reembed('photos', { model: 'second' }).catch((error: unknown) => error)).toMatchObject({ status: 409, message: expect.stringMatching(/^3 of the 24 items.*"raw" \("raw" was given as an embedding\.\)/) });
      expect((await client.collection('photos')).reembedding).toBeUndefined();
      expect((await client.reembed('photos', { model: 'second', from_thumbnails: true, dry_run: true })).plan).toMatchObject({ impossible: 1, from_thumbnails: 2 });

      await client.reembed('photos', { model: 'second', skip_impossible: true });
      expect(await until(client, 'photos', isDone)).toMatchObject({ model: 'second', counts: { total: 24 }, not_embedded: 3 });
      for (const { id, reason } of impossible) expect((await client.getItem('photos', id)).not_embedded).toBe(reason);
      expect((await client.getItem('photos', 'raw')).metadata).toEqual({ year: 2020 });
      expect((await client.image('photos', 'gone')).size).toBeGreaterThan(0);
      const found = (await client.search('photos', 'a boat', { limit: 100 })).matches.map(({ id }) => id);
      expect([found.length, found.filter((id) => ['raw', 'gone', 'changed'].includes(id))]).toEqual([21, []]);
      expect(await client.search('photos', { id: 'raw' }).catch((error: unknown) => error)).toMatchObject({ status: 409, message: expect.stringMatching(/has no embedding of the space/) });

      // Added again, one is found again; so is one whose file is back.
      expect(await client.addItems('photos', [{ id: 'changed', path: changed }])).toMatchObject([{ status: 'updated' }]);
      await writeFile(gone, away);
      expect((await client.reembed('photos', { skip_impossible: true })).plan).toMatchObject({ model: 'second', kept: 22, impossible: 1 });
      expect(await until(client, 'photos', isDone)).toMatchObject({ model: 'second', not_embedded: 1 });
      expect((await client.search('photos', 'a boat', { limit: 100 })).matches.map(({ id }) => id)).toContain('gone');

      // Its embedding was kept, for the space that it is of.
      expect((await client.reembed('photos', { model: 'first' })).plan).toMatchObject({ kept: 1, impossible: 0 });
      expect(await until(client, 'photos', isDone)).toMatchObject({ model: 'first', not_embedded: 0 });
      await client.deleteItem('photos', 'changed');
      const back = (await client.search('photos', { id: 'raw' }, { exact: true, limit: 100 })).matches;
      expectSame([back.map(({ id, score }): [string, number] => [id, score!])], [near.matches.filter(({ id }) => id !== 'changed').map(({ id, score }): [string, number] => [id, score!])]);
      await expect.poll(() => server.logs()).toMatch(/3 items have no embedding there: they are kept/);
    });
  });

  it('stop it at the end when they turn up on the way, and the collection stays as it was', async () => {
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', [...(await pictures(400, 410)), ...texts(0, 320)]);
      const before = await answers(client, 'photos').catch(() => undefined);
      await client.reembed('photos', { model: 'second' });
      const { dimensions } = await client.collection('photos');
      await client.addItems('photos', [{ id: 'raw', embedding: Array.from({ length: dimensions }, () => 1), modality: 'text' }]);
      const { reembedding, model } = await untilStopped(client, 'photos');
      expect([model, reembedding]).toMatchObject(['first', { impossible: 1, done: 330, problem: expect.stringMatching(/1 items cannot be embedded again/) }]);
      expect((await client.reembedding('photos')).reembedding!.first_impossible).toEqual([{ id: 'raw', reason: '"raw" was given as an embedding.' }]);
      expect(before).toBeUndefined();
      await client.deleteItem('photos', 'raw');
      expect((await client.reembed('photos')).plan).toMatchObject({ items: 0 });
      expect(await until(client, 'photos', isDone)).toMatchObject({ model: 'second', not_embedded: 0 });
    });
  });

  it('are the pictures of a collection that keeps thumbnails alone, unless those may be taken', async () => {
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos', originals: 'thumbnail' });
      await addAll(client, 'photos', [{ id: 'a', image: base64(await drawn(1)) }, { id: 'b', image: base64(await drawn(2, 'jpeg', 900, 600)) }]);
      expect(await client.reembed('photos', { model: 'second' }).catch((error: unknown) => error)).toMatchObject({ status: 409, message: expect.stringMatching(/2 of the 2 items.*is not kept, only its thumbnail/) });
      expect((await client.reembed('photos', { model: 'second', from_thumbnails: true })).plan).toMatchObject({ from_thumbnails: 2, impossible: 0 });
      await until(client, 'photos', isDone);
      const thumbnail = Buffer.from(await (await client.image('photos', 'b')).arrayBuffer()).toString('base64');
      const body = { query: { image: thumbnail }, limit: 1 };
      expect((await call(client.url, 'POST', '/v1/collections/photos/search', body)).body.matches[0]).toMatchObject({ id: 'b', score: expect.closeTo(1, 4) });
    });
  });
});

async function untilStopped(client: MixspaceClient, name: string): Promise<Collection> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const collection = await client.collection(name);
    if (collection.reembedding?.state === 'stopped') return collection;
    if (!collection.reembedding || Date.now() > deadline) throw new Error(`It did not stop: ${JSON.stringify(collection)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('What is under way', () => {
  it('is stopped, goes on from there, or is discarded', async () => {
    const items = [...(await pictures(0, 8)), ...texts(0, 400)];
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      const before = await answers(client, 'photos');
      expect(await client.stopReembedding('photos').catch((error: unknown) => error)).toMatchObject({ status: 404 });
      await client.reembed('photos', { model: 'second' });
      await until(client, 'photos', ({ reembedding }) => (reembedding?.done ?? Infinity) > 100);
      const { reembedding } = await client.stopReembedding('photos');
      expect(reembedding).toMatchObject({ state: 'stopped', problem: null });
      const { done } = (await client.collection('photos')).reembedding!;
      expect(done).toBeGreaterThan(100);
      expect(done).toBeLessThan(items.length);
      expect(await answers(client, 'photos')).toEqual(before);
      await client.createCollection({ name: 'other', model: 'second' });
      await expect(client.reembed('photos', { model: 'first' })).rejects.toMatchObject({ status: 409, message: expect.stringMatching(/already: let it finish, or stop and discard it/) });

      const { plan } = await client.reembed('photos');
      expect(plan).toMatchObject({ model: 'second', items: items.length - done });
      await client.stopReembedding('photos', { discard: true });
      expect((await client.collection('photos')).reembedding).toBeUndefined();
      expect(await answers(client, 'photos')).toEqual(before);

      expect((await client.reembed('photos', { model: 'second' })).plan).toMatchObject({ items: items.length, kept: 0 });
      await until(client, 'photos', isDone);
      await expectAsFresh(client, 'photos', 'second', items);
    });
  });

  it('ends with the collection when that is deleted', async () => {
    await withSharedServer(async (client, server) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', texts(0, 320));
      await client.reembed('photos', { model: 'second' });
      await client.deleteCollection('photos');
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', texts(0, 5));
      expect((await client.collection('photos')).reembedding).toBeUndefined();
      expect(server.logs()).not.toMatch(/"level":"error"/);
    });
  });

  it('waits for its model when that goes, and a collection whose own model has gone is made whole by it', async () => {
    const items = [...(await pictures(0, 8)), ...texts(0, 320)];
    const before = await startServer({ env: { ...env, MIXSPACE_ROOTS: folder } });
    const away = await mkdtemp(path.join(tmpdir(), 'mixspace-away-'));
    try {
      const client = new MixspaceClient({ url: before.url });
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      await client.reembed('photos', { model: 'second' });
      await until(client, 'photos', ({ reembedding }) => (reembedding?.done ?? Infinity) > 100);
      await before.stop();

      await rename(path.join(models, 'second'), path.join(away, 'second'));
      await withServer(async (client, server) => {
        const { reembedding } = await until(client, 'photos', (each) => each.reembedding?.state === 'stopped');
        expect(reembedding!.problem).toMatch(/^Model "second" .* is not here any more/);
        await vi.waitFor(() => expect(server.logs()).toMatch(/cannot go on being embedded again/));
        await expect(client.reembed('photos')).rejects.toMatchObject({ status: 404 });
      }, { indexDir: before.indexDir }).finally(() => rename(path.join(away, 'second'), path.join(models, 'second')));

      await rename(path.join(models, 'first'), path.join(away, 'first'));
      await withServer(async (client, server) => {
        await vi.waitFor(() => expect(server.logs()).toMatch(/mixspace reembed COLLECTION --model MODEL/));
        await expect(client.search('photos', 'a boat')).rejects.toMatchObject({ status: 409, message: expect.stringMatching(/mixspace reembed/) });
        await expect(client.addItems('photos', [{ text: 'more' }])).rejects.toMatchObject({ status: 409 });
        expect((await client.reembed('photos')).plan!.items).toBeLessThan(items.length);
        await until(client, 'photos', isDone);
        await expectAsFresh(client, 'photos', 'second', items);
        expect(await client.addItems('photos', [{ text: 'more' }])).toMatchObject([{ status: 'created' }]);
      }, { indexDir: before.indexDir, env: { MIXSPACE_MODEL: 'second' } }).finally(() => rename(path.join(away, 'first'), path.join(models, 'first')));
    } finally {
      await rm(away, { recursive: true, force: true });
      await before.remove();
    }
  });

  it("takes a collection's own model, when its files have changed, without being told", async () => {
    const before = await startServer({ env });
    const preprocessor = path.join(models, 'first/preprocessor_config.json');
    const original = await readFile(preprocessor, 'utf8');
    try {
      const client = new MixspaceClient({ url: before.url });
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', [{ id: 'a', image: base64(await drawn(1)) }, ...texts(0, 10)]);
      const { fingerprint } = await client.collection('photos');
      await before.stop();
      await writeFile(preprocessor, JSON.stringify({ ...(JSON.parse(original) as object), image_mean: [0.4, 0.4, 0.4] }));
      await withServer(async (client) => {
        expect(await client.collection('photos')).toMatchObject({ model: 'first', model_available: false, fingerprint });
        await client.reembed('photos');
        const after = await until(client, 'photos', isDone);
        expect(after).toMatchObject({ model: 'first', model_available: true });
        expect(after.fingerprint).not.toBe(fingerprint);
      }, { indexDir: before.indexDir, env: { MIXSPACE_MODEL: 'second' } });
    } finally {
      await writeFile(preprocessor, original);
      await before.remove();
    }
  });

  it('refuses embeddings of the space that was left, and cursors too', async () => {
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', texts(0, 50));
      const { fingerprint, dimensions } = await client.collection('photos');
      const page = await client.search('photos', 'a boat', { limit: 5 });
      await client.reembed('photos', { model: 'second' });
      await until(client, 'photos', isDone);
      const embedding = Array.from({ length: dimensions }, () => 1);
      await expect(client.search('photos', { embedding, fingerprint })).rejects.toMatchObject({ status: 409, message: expect.stringMatching(/they cannot be compared/) });
      await expect(client.search('photos', 'a boat', { limit: 5, cursor: page.next_cursor! })).rejects.toMatchObject({ status: 400 });
      await expect(client.search('photos', 'a boat', { limit: 5 })).resolves.toMatchObject({ exact: true });
    });
  });
});

describe('mixspace reembed', () => {
  it('tells the plan, works to the end and says where it has got to', async () => {
    await withSharedServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', [{ id: 'a', image: base64(await drawn(1)) }, ...texts(0, 30)]);
      const run = (...args: string[]): ReturnType<typeof runMixspace> => runMixspace(['reembed', 'photos', '--url', client.url, ...args]);
      expect(await run('--model', 'second', '--dry-run')).toMatchObject({ code: 0, stdout: '31 items to embed with second.\n' });
      expect(await run('--model', 'none')).toMatchObject({ code: 1, stderr: expect.stringMatching(/There is no model "none"/) });
      expect(await run('--stop')).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not being embedded again/) });
      expect(await run('--model', 'second')).toMatchObject({ code: 0, stdout: '31 items to embed with second.\nphotos has gone over to second: 31 items embedded.\n' });

      const { dimensions } = await client.collection('photos');
      await addAll(client, 'photos', [{ id: 'raw', embedding: Array.from({ length: dimensions }, () => 1), modality: 'text' }]);
      expect(await run('--model', 'first')).toMatchObject({ code: 1, stderr: expect.stringMatching(/1 of the 32 items .* cannot be embedded again: "raw".*--skip/) });
      expect(await run('--model', 'first', '--skip')).toMatchObject({
        code: 0,
        stdout: '32 items to embed with first: 1 cannot be embedded again.\n  raw: "raw" was given as an embedding.\nphotos has gone over to first: 31 items embedded, 1 kept without an embedding.\n',
      });
      expect((await runMixspace(['collections', '--url', client.url])).stdout).toMatch(/photos .*first, 1 not embedded/);
    });
  });

  it('stops the service on Ctrl-C, and goes on when it is run again', async () => {
    const { spawn } = await import('node:child_process');
    await withSharedServer(async (client, server) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', texts(0, 1_200));
      const command = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'reembed', 'photos', '--model', 'second', '--url', client.url], { stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      command.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => command.once('close', resolve));
      await until(client, 'photos', ({ reembedding }) => (reembedding?.done ?? 0) > 0);
      await expect.poll(() => stdout).toMatch(/1200 items to embed/);
      // It has set itself up to be interrupted before it looks for the first time.
      const looks = await looksAt(server);
      await expect.poll(() => looksAt(server)).toBeGreaterThan(looks);
      command.kill('SIGINT');
      expect(await ended).toBe(130);
      expect(stdout).toMatch(/Stopped after \d+ of 1200 items; photos searches as before\. Run mixspace reembed photos again to go on\./);
      expect(await client.collection('photos')).toMatchObject({ model: 'first', reembedding: { state: 'stopped' } });
      expect(await runMixspace(['reembed', 'photos', '--url', client.url])).toMatchObject({ code: 0, stdout: expect.stringMatching(/photos has gone over to second: 1200 items/) });
    });
  });
});

describe('On a disk that is full', async () => {
  const disk = await mountSmallDisk(48);
  if (typeof disk === 'string') console.warn(`\n!!! A FULL DISK IS NOT TESTED. ${disk}\n`);
  afterAll(() => (typeof disk === 'string' ? undefined : disk.remove()));

  it.skipIf(typeof disk === 'string' || isOverPostgres)('it stops and says so, searches go on, and with room again it goes on', async () => {
    const { directory } = disk as SmallDisk;
    const indexDir = path.join(directory, 'index');
    const ballast = path.join(directory, 'ballast');
    const items = [...(await pictures(0, 10)), ...texts(0, 3_000)];
    await withServer(async (client) => {
      await client.createCollection({ name: 'photos' });
      await addAll(client, 'photos', items);
      const before = await answers(client, 'photos');
      const blocks: string[] = [];
      for (let size = 4e6; size >= 1e4; ) {
        const file = `${ballast}-${blocks.length}`;
        blocks.push(file);
        const full = await writeFile(file, Buffer.alloc(size)).then(() => false, () => true);
        if (full) {
          await rm(file);
          blocks.pop();
          size /= 2;
        }
      }
      // It may not even be possible to begin.
      const begun = await client.reembed('photos', { model: 'second' }).then(() => 'begun', (error: unknown) => (error as { code: string }).code);
      if (begun === 'begun') expect((await untilStopped(client, 'photos')).reembedding!.problem).toMatch(/The disk is full/);
      else expect(begun).toBe('disk_full');
      expect(await answers(client, 'photos')).toEqual(before);
      for (const file of blocks) await rm(file);
      expect((await readdir(directory)).filter((name) => name.startsWith('ballast'))).toEqual([]);
      await client.reembed('photos', { model: 'second' });
      await until(client, 'photos', isDone);
      expect(await client.collection('photos')).toMatchObject({ model: 'second', counts: { total: items.length }, not_embedded: 0 });
    }, { indexDir, env: { NODE_OPTIONS: '' } });
  });
});

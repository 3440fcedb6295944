import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../src/store/store.js';
import { base64, call, items } from './api.js';
import { drawn } from './pictures.js';
import { testServer, type TestServer } from './port-contracts/postgres.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

const { openEmbeddedStore } = (await import(pathToFileURL(path.join(repository, 'dist/store/embedded/open.js')).href)) as typeof import('../src/store/embedded/open.js');

/** Several pages of a copy. */
const many = 1_200;

let folder: string;
let database: TestServer;
let url: string;
/** Where it all comes from, and what a service told of it. */
let first: string;
let before: Told;
let space: { model: string; fingerprint: string; dimensions: number };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-copy-'));
  first = path.join(folder, 'first');
  [database, before] = [await testServer(), await withServer(first, {}, fill)];
  url = await database.newUrl();
});
afterAll(async () => {
  await database.drop(url);
  await rm(folder, { recursive: true, force: true });
});

async function withServer<T>(indexDir: string, env: Record<string, string>, work: (server: RunningServer) => Promise<T>): Promise<T> {
  const server = await startServer({ indexDir, env });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

async function fill({ url: service }: RunningServer): Promise<Told> {
  const send = async (method: string, at: string, body: object): Promise<any> => {
    const answer = await call(service, method, at, body);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  await send('POST', '/v1/collections', { name: 'tiled', tiles: '2x2', description: 'in parts', text_fields: ['title'] });
  await send('POST', '/v1/collections', { name: 'small', originals: 'thumbnail' });
  const pictures = await Promise.all([0, 1, 2].map((i) => drawn(i, i === 1 ? 'jpeg' : 'png')));
  await send('POST', items('tiled'), { items: pictures.map((bytes, i) => ({ id: `picture ${i} é`, image: base64(bytes), metadata: { title: `red ${i}`, deep: [{ a: null, b: [1.5, 'x\u0000y'] }] }, source: `folder/${i}.png` })) });
  await send('POST', items('tiled'), { items: [{ id: 'again', image: base64(pictures[0]!), source: 'elsewhere.png' }] });
  await send('POST', items('small'), { items: [{ id: 'thumb', image: base64(pictures[2]!) }, { id: 'words', text: 'a boat, 船, 😀' }] });
  const { fingerprint, model, dimensions } = (await call(service, 'GET', '/v1/collections/default')).body;
  space = { fingerprint, model, dimensions };
  const embedded = Array.from({ length: many }, (_, i) => ({ id: `e${String(i).padStart(5, '0')}`, modality: i % 2 === 0 ? 'image' : 'text', embedding: Array.from({ length: dimensions }, (_, d) => Math.sin(i * 31 + d * d + 1)), metadata: { i, even: i % 2 === 0 } }));
  for (let from = 0; from < many; from += 400) await send('POST', items(), { items: embedded.slice(from, from + 400) });
  await send('PUT', '/v1/classifiers/boats', { labels: ['boat', 'house'] });
  await send('POST', '/v1/classifiers/boats/examples', { label: 'boat', inputs: ['a ship', 'a sail'] });
  await send('POST', '/v1/classifiers/boats/examples', { label: 'house', not: true, inputs: ['a tent'] });
  return told(service);
}

interface Told {
  collections: Record<string, unknown>[];
  items: Map<string, unknown>;
  classifiers: unknown[];
  found: unknown;
}

/** All that a service answers of what it holds: items, every embedding's bytes, every picture's. */
async function told(service: string): Promise<Told> {
  const all = new Map<string, unknown>();
  const collections = (await call(service, 'GET', '/v1/collections')).body.collections as Record<string, unknown>[];
  for (const { name } of collections as { name: string }[]) {
    for (let cursor = ''; ; ) {
      const { body } = await call(service, 'GET', `${items(name)}?limit=500${cursor}`);
      const { data } = (await call(service, 'POST', `${items(name)}/embeddings`, { ids: body.items.map(({ id }: any) => id), encoding_format: 'base64' })).body;
      for (const item of body.items) {
        const pictures = item.image_url === undefined ? [] : await Promise.all(['thumbnail', 'original'].map((size) => pictureAt(`${service}${item.image_url}?size=${size}`)));
        all.set(`${name}/${item.id}`, { item, embeddings: data.filter(({ id }: any) => id === item.id), pictures });
      }
      if (!body.next_cursor) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
  }
  const classifiers = await Promise.all((await call(service, 'GET', '/v1/classifiers')).body.classifiers.map(async ({ name }: any) => (await call(service, 'GET', `/v1/classifiers/${name}`)).body));
  const { matches } = (await call(service, 'POST', '/v1/collections/tiled/search', { query: 'red', lexical: 'only', limit: 10 })).body;
  return { collections: collections.map(({ name, description, model, fingerprint, originals, text_fields, tiles, counts, parts }) => ({ name, description, model, fingerprint, originals, text_fields, tiles, counts, parts })), items: all, classifiers, found: matches?.map(({ id }: any) => id).sort() };
}

async function pictureAt(at: string): Promise<[number, string]> {
  const response = await fetch(at);
  return [response.status, response.ok ? base64(new Uint8Array(await response.arrayBuffer())) : ''];
}

function expectSame(now: Told): void {
  expect(now.collections).toEqual(before.collections);
  expect([...now.items.keys()]).toEqual([...before.items.keys()]);
  for (const [id, each] of before.items) expect(now.items.get(id), id).toEqual(each);
  expect(now.classifiers).toEqual(before.classifiers);
  expect(now.found).toEqual(before.found);
}

/** The command, which gets the signal as soon as the database holds some of the many items, and more than `beyond`. */
async function brokenOff(signal: 'SIGINT' | 'SIGKILL', beyond: number): Promise<{ code: number | null; signal: string | null; stderr: string; held: number }> {
  const child = spawn(process.execPath, [path.join(repository, 'dist/main.js'), 'copy', '--from', `embedded:${first}`, '--to', url], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<[number | null, string | null]>((resolve) => child.once('close', (...end) => resolve(end)));
  while (child.exitCode === null && (await held()) <= beyond) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill(signal);
  const [code, by] = await ended;
  return { code, signal: by, stderr, held: await held() };
}

/** Items of the collection of many. */
async function held(): Promise<number> {
  const at = new URL(url);
  const schema = at.searchParams.get('schema')!;
  at.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: at.href });
  await client.connect();
  try {
    const { rows } = await client.query<{ sum: string | null }>(`SELECT sum(items) FROM "${schema}".tallies JOIN "${schema}".collections ON key = collection WHERE name = 'default'`);
    return Number(rows[0]?.sum ?? 0);
  } catch (error) {
    // Its tables are being made.
    if ((error as { code?: string }).code === '42P01' || (error as { code?: string }).code === '3F000') return 0;
    throw error;
  } finally {
    await client.end();
  }
}

/** Of an index directory that nobody else uses. */
async function withStore<T>(directory: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openEmbeddedStore({ directory, log: () => undefined });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const copy = (from: string, to: string, ...more: string[]): ReturnType<typeof runMixspace> => runMixspace(['copy', '--from', from, '--to', to, '--json', ...more]);

describe('mixspace copy', () => {
  it('goes on where a signal or a kill broke it off, and ends with all of it, compared', { timeout: 120_000 }, async () => {
    const stopped = await brokenOff('SIGINT', 0);
    expect(stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('Stopped; the same command goes on.') });
    expect(stopped.held).toBeGreaterThan(0);
    expect(stopped.held).toBeLessThan(many);
    const killed = await brokenOff('SIGKILL', stopped.held);
    expect(killed).toMatchObject({ signal: 'SIGKILL' });
    expect(killed.held).toBeGreaterThan(stopped.held);
    expect(killed.held).toBeLessThan(many);
    const { code, stdout, stderr } = await copy(`embedded:${first}`, url);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual({
      collections: [
        { name: 'default', copied: many - killed.held, same: killed.held, left: [], different: [] },
        { name: 'small', copied: 2, same: 0, left: [], different: [] },
        { name: 'tiled', copied: 4, same: 0, left: [], different: [] },
      ],
      classifiers: { copied: ['boats'], kept: [] },
    });
  });

  // A service more costs as much as all the rest.
  it.runIf(process.env['MIXSPACE_TEST_POSTGRES'] !== undefined)('leaves a database of which a service answers as before', { timeout: 120_000 }, async () => {
    expectSame(await withServer(path.join(folder, 'beside'), { MIXSPACE_STORE: url, MIXSPACE_STORE_CONNECTIONS: String(database.connections) }, ({ url: service }) => told(service)));
  });

  it('back into another index directory, leaves one that is equal item by item and byte by byte, also where an earlier copy ended before the examples of a classifier', { timeout: 120_000 }, async () => {
    const second = path.join(folder, 'second');
    await withStore(first, async ({ catalog: from }) => {
      const [{ examples: _, ...classifier }] = (await from.listClassifiers()) as [Awaited<ReturnType<typeof from.listClassifiers>>[number]];
      await withStore(second, ({ catalog }) => catalog.putClassifier(classifier, ['boat', 'house']));
    });
    const { code, stdout, stderr } = await copy(url, `embedded:${second}`);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ collections: [{ name: 'default', copied: many, different: [] }, { copied: 2 }, { copied: 4 }], classifiers: { copied: ['boats'] } });
    expectSame(await withServer(second, {}, ({ url: service }) => told(service)));
  });

  it('refuses a collection that is there in another space, and leaves it as it is', async () => {
    const to = path.join(folder, 'elsewhere');
    await withStore(to, ({ catalog }) => catalog.createCollection({ name: 'small', model: 'another', fingerprint: 'f'.repeat(16), dimension: space.dimensions, originals: 'keep' }));
    const { code, stderr } = await copy(`embedded:${first}`, `embedded:${to}`, 'small');
    expect(code).not.toBe(0);
    expect(stderr).toContain(`Collection "small" is there already, in space ${'f'.repeat(16)} of model "another", and not in ${space.fingerprint} of "${space.model}".`);
    expect(await withStore(to, async ({ catalog }) => (await catalog.describeCollection('small')).counts)).toEqual({ image: 0, text: 0 });
  });
});

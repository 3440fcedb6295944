import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sqlite } from '../src/store/embedded/database.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

const exportOf = (collection: string): string => `/v1/collections/${collection}/export`;
const embeddingsOf = (collection = 'default'): string => `${items(collection)}/embeddings`;

let server: RunningServer;
let folder: string;
/** By id, what the API tells of each. */
let told: Map<string, any>;
const many = 600;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-export-'));
  server = await startServer();
  const sent = [
    { id: 'words', text: 'a boat\nwith "quotes"', metadata: JSON.parse('{"year": 2024, "deep": {"list": [1, "é", null], "__proto__": {"x": 1}}, "__proto__": "p"}') as object, source: 'notes.txt' },
    { id: 'picture', image: base64(await drawn(3)), metadata: {}, source: 'a/b.png' },
    { id: 'ß/ü', text: '' },
  ];
  await call(server.url, 'POST', items(), { items: sent });
  const page = await call(server.url, 'GET', items());
  told = new Map(page.body.items.map((item: any) => [item.id, item]));
  await call(server.url, 'POST', '/v1/collections', { name: 'many' });
  const { dimensions } = (await call(server.url, 'GET', '/v1/models')).body.data[0];
  const embeddingFor = (i: number): number[] => Array.from({ length: dimensions }, (_, d) => Math.sin(i * 7 + d));
  await call(server.url, 'POST', items('many'), { items: Array.from({ length: many }, (_, i) => ({ id: `n${i}`, embedding: embeddingFor(i), modality: 'text' })) });
});
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const embeddings = (ids: string[], more: object = {}): Promise<Answer> => call(server.url, 'POST', embeddingsOf(), { ids, ...more });
const known = async (text: string): Promise<number[]> => (await call(server.url, 'POST', '/v1/embeddings', { input: text })).body.data[0].embedding;
const lines = (text: string): any[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
const withoutImageUrl = ({ image_url: _, ...rest }: any): unknown => rest;
/** Of a line, what the API tells of an item as well. */
const itemIn = ({ embedding: _embedding, fingerprint: _fingerprint, thumbnail: _thumbnail, ...item }: any): unknown => item;

describe('embeddings of items', () => {
  it('come out as they went in, in each encoding, with their space, and those that are missing are named', async () => {
    const { body } = await embeddings(['words', 'nobody', 'picture', 'words']);
    expect(body.data.map(({ id, modality }: any) => [id, modality])).toEqual([['words', 'text'], ['picture', 'image'], ['words', 'text']]);
    expect(body.missing).toEqual(['nobody']);
    expect(body.fingerprint).toBe((await call(server.url, 'GET', '/v1/collections/default')).body.fingerprint);
    const expected = await known('a boat\nwith "quotes"');
    expect(body.data[0].embedding).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(body.data[0].embedding[i]).toBeCloseTo(value, 5);
    const packed = (await embeddings(['words'], { encoding_format: 'base64' })).body.data[0].embedding as string;
    const bytes = Buffer.from(packed, 'base64');
    expect(Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))).toEqual(body.data[0].embedding);
  });

  it('are taken in base64 by searches and by items as well', async () => {
    const numbers = (await embeddings(['words'])).body.data[0].embedding as number[];
    const packed = (await embeddings(['words'], { encoding_format: 'base64' })).body.data[0].embedding as string;
    const [byNumbers, byBytes] = await Promise.all([numbers, packed].map((embedding) => call(server.url, 'POST', searchIn(), { query: { embedding }, limit: 3 })));
    expect(byBytes!.body.matches).toEqual(byNumbers!.body.matches);
    expect(byBytes!.body.matches[0]).toMatchObject({ id: 'words', score: expect.closeTo(1, 5) });
    await call(server.url, 'POST', '/v1/collections', { name: 'copies' });
    const [created] = (await call(server.url, 'POST', items('copies'), { items: [{ id: 'copy', embedding: packed, modality: 'text' }] })).body.items;
    expect(created).toEqual({ id: 'copy', status: 'created' });
    const copied = (await call(server.url, 'POST', embeddingsOf('copies'), { ids: ['copy'] })).body.data[0].embedding as number[];
    for (const [i, value] of numbers.entries()) expect(copied[i]).toBeCloseTo(value, 6);
  });

  it.each([
    [400, 'not base64!'],
    [400, ''],
    [422, Buffer.alloc(7, 1).toString('base64')],
    [422, Buffer.alloc(8, 1).toString('base64')],
    [422, Buffer.from(new Float32Array(64).fill(NaN).buffer).toString('base64')],
  ])('are refused with %i as %j', async (status, embedding) => {
    expect((await call(server.url, 'POST', searchIn(), { query: { embedding } })).status).toBe(status);
    const [failed] = (await call(server.url, 'POST', items(), { items: [{ embedding, modality: 'text' }] })).body.items;
    expect(failed.status).toBe('failed');
  });

  it('are given of at most 1,000 items at a time', async () => {
    const { status, body } = await embeddings(Array.from({ length: 1_001 }, (_, i) => `${i}`));
    expect([status, body.error.param]).toEqual([400, 'ids']);
  });
});

describe('an export', () => {
  it('holds each item with all that is told of it, as JSON lines', async () => {
    const response = await fetch(server.url + exportOf('default'));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jsonl']);
    const exported = lines(await response.text());
    expect(exported.map(itemIn)).toEqual([...told.values()].map(withoutImageUrl));
    const { data, fingerprint } = (await embeddings(exported.map(({ id }) => id as string))).body;
    expect(exported.map((line) => line.embedding)).toEqual(data.map(({ embedding }: any) => embedding));
    expect(new Set(exported.map((line) => line.fingerprint))).toEqual(new Set([fingerprint]));
  });

  it('holds thumbnails where they are asked for', async () => {
    const exported = lines(await (await fetch(`${server.url}${exportOf('default')}?thumbnails=true`)).text());
    expect(exported.filter(({ thumbnail }) => thumbnail !== undefined).map(({ id }) => id)).toEqual(['picture']);
    const { format, width } = await sharp(Buffer.from(exported.find(({ id }) => id === 'picture').thumbnail, 'base64')).metadata();
    expect([format, width]).toEqual(['webp', 320]);
  });

  it('is the same as Parquet, which other programs read', async () => {
    const response = await fetch(`${server.url}${exportOf('default')}?format=parquet&thumbnails=true`);
    expect(response.headers.get('content-type')).toBe('application/vnd.apache.parquet');
    const rows = await parquetReadObjects({ file: await response.arrayBuffer(), utf8: false });
    const exported = lines(await (await fetch(`${server.url}${exportOf('default')}?thumbnails=true`)).text());
    expect(rows.map(({ id }) => id)).toEqual(exported.map(({ id }) => id));
    for (const [i, row] of rows.entries()) {
      const line = exported[i];
      expect([row['modality'], row['text'] ?? undefined, JSON.parse(row['metadata'] as string), row['sources'], row['width'] ?? undefined, row['content_hash'], row['fingerprint'], row['parts'] ?? undefined]).toEqual([
        line.modality, line.text, line.metadata, line.sources, line.width, line.content_hash, line.fingerprint, undefined,
      ]);
      expect((row['created_at'] as Date).toISOString()).toBe(line.created_at);
      expect(row['embedding']).toEqual(line.embedding);
      expect(row['thumbnail'] ? Buffer.from(row['thumbnail'] as Uint8Array).toString('base64') : undefined).toBe(line.thumbnail);
    }
  });

  it.each(['jsonl', 'parquet'])('goes on over many pages, and is empty of nothing (%s)', async (format) => {
    const read = async (collection: string): Promise<any[]> => {
      const response = await fetch(`${server.url}${exportOf(collection)}?format=${format}`);
      if (format === 'parquet') return parquetReadObjects({ file: await response.arrayBuffer(), utf8: false });
      const text = await response.text();
      return text === '' ? [] : lines(text);
    };
    const ids = (await read('many')).map(({ id }) => id as string);
    expect([ids.length, new Set(ids).size]).toEqual([many, many]);
    await call(server.url, 'POST', '/v1/collections', { name: `empty-${format}` });
    expect(await read(`empty-${format}`)).toEqual([]);
  });

  it('breaks off where its collection is deleted and another of the name is made', { timeout: 120_000 }, async () => {
    const fill = (tag: string): Promise<unknown> => Promise.all([0, 1, 2, 3].map((part) => call(server.url, 'POST', items('anew'), { items: Array.from({ length: 1_000 }, (_, i) => ({ id: `n${part * 1000 + i}`, embedding: one, modality: 'text', metadata: { tag, padding: 'x'.repeat(5_000) } })) })));
    const [one] = (await call(server.url, 'POST', embeddingsOf(), { ids: ['words'] })).body.data.map(({ embedding }: any) => embedding);
    await call(server.url, 'POST', '/v1/collections', { name: 'anew' });
    await fill('old');
    const response = await fetch(server.url + exportOf('anew'));
    const reader = response.body!.getReader();
    await reader.read();
    await call(server.url, 'DELETE', '/v1/collections/anew');
    await call(server.url, 'POST', '/v1/collections', { name: 'anew' });
    await fill('new');
    const rest = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(rest()).rejects.toThrow();
    expect(server.logs()).toMatch(/(was deleted, and another|There is no collection \\"anew).*An answer broke off/);
  });

  it('is written to a file by the command line, once it is whole, or to standard output', async () => {
    const file = path.join(folder, 'many.jsonl');
    const written = await runMixspace(['export', 'many', '--output', file, '--url', server.url]);
    expect([written.code, written.stdout]).toEqual([0, '']);
    expect(lines(await readFile(file, 'utf8'))).toHaveLength(many);
    const printed = await runMixspace(['export', 'default', '--url', server.url]);
    expect(lines(printed.stdout).map(({ id }) => id)).toEqual([...told.keys()]);
    const refused = await runMixspace(['export', 'nothing', '--output', path.join(folder, 'no'), '--url', server.url]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('There is no collection "nothing"')]);
    expect(await readdir(folder)).toEqual(['many.jsonl']);
  });

  it.skipIf(isOverPostgres)('breaks off at a damaged item, and leaves no file that looks whole', async () => {
    const damaged = await startServer();
    try {
      await call(damaged.url, 'POST', items(), { items: Array.from({ length: 400 }, (_, i) => ({ id: `n${String(i).padStart(3, '0')}`, text: `text ${i}` })) });
      await damaged.stop();
      const database = new Sqlite(path.join(damaged.indexDir, 'mixspace.db'));
      database.prepare("UPDATE items SET text = 'another' WHERE id = 'n300'").run();
      database.close();
      const again = await startServer({ indexDir: damaged.indexDir });
      try {
        const { code, stderr } = await runMixspace(['export', 'default', '--output', path.join(folder, 'cut.jsonl'), '--url', again.url]);
        expect([code, stderr]).toEqual([1, expect.stringContaining('broke off')]);
        expect(await readdir(folder)).not.toContain('cut.jsonl');
        expect(again.logs()).toMatch(/n300/);
        expect((await call(again.url, 'GET', '/healthz')).status).toBe(200);
      } finally {
        await again.stop();
      }
    } finally {
      await damaged.remove();
    }
  });

  it.each([['?format=csv', 'format'], ['?thumbnails=yes', 'thumbnails']])('refuses %s by field', async (query, param) => {
    const { status, body } = await call(server.url, 'GET', exportOf('default') + query);
    expect([status, body.error.param]).toEqual([400, param]);
  });
});

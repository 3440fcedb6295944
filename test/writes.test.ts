/** Of entries that meet in one item: which of them it is afterwards. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, items } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { drawn } from './pictures.js';
import { repository } from './server.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

let service: SmallService;
let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mixspace-root-'));
  service = await startSmall({ small: readsTexts }, { MIXSPACE_ROOTS: root });
});
afterAll(async () => {
  await service.remove();
  await rm(root, { recursive: true, force: true });
});

const itemOf = async (collection: string, id: string): Promise<any> => (await service.get(`${items(collection)}/${id}`)).body;
const countsOf = async (collection: string): Promise<object> => (await service.get(`/v1/collections/${collection}`)).body.counts;
const axis = (index: number): number[] => [0, 1, 2, 3].map((i) => Number(i === index));

describe('Of two entries with one id', () => {
  /** 32 entries are encoded and written together; pictures take longer than embeddings, which take nothing. */
  const others = (from: number, count: number): object[] => Array.from({ length: count }, (_, i) => ({ id: `other ${from + i}`, embedding: [1, from + i, 0, 0], modality: 'text' }));

  it('the later one holds, although the earlier one was the slower to encode', async () => {
    await service.collection('later');
    const large = base64(await drawn(1, 'jpeg', 3000, 2000));
    const slow = Array.from({ length: 31 }, (_, i) => ({ id: `slow ${i}`, image: large }));
    const outcomes = await service.add('later', [
      ...slow, { id: 'same', image: large, metadata: { from: 1 }, source: 'first' },
      ...others(0, 20), { id: 'same', embedding: axis(1), modality: 'text', metadata: { from: 2 }, source: 'second' }, ...others(20, 11),
      ...others(31, 5), { id: 'same', embedding: axis(2), modality: 'text', metadata: { from: 3 }, source: 'third' }, ...others(36, 26),
    ]);
    expect(outcomes.filter(({ id }) => id === 'same').map(({ status }) => status)).toEqual(['created', 'updated', 'updated']);
    expect(await itemOf('later', 'same')).toMatchObject({ modality: 'text', metadata: { from: 3 }, sources: ['first', 'second', 'third'] });
    expect(new Map(await service.search('later', { query: { embedding: axis(2) }, limit: 200 })).get('same')).toBeCloseTo(1, 6);
    expect(await countsOf('later')).toEqual({ image: 31, text: 63, total: 94 });
  });

  it('the later one holds within what is written together, and an id is looked up before it repeats', async () => {
    await service.collection('near');
    await service.add('near', [{ id: 'same', embedding: axis(0), modality: 'text' }]);
    const outcomes = await service.add('near', [{ id: 'same', embedding: axis(1), modality: 'text' }, { id: 'same', embedding: axis(0), modality: 'text', metadata: { back: true } }]);
    expect(outcomes.map(({ status }) => status)).toEqual(['updated', 'updated']);
    expect(await service.search('near', { query: { embedding: axis(0) } })).toEqual([['same', expect.closeTo(1, 6)]]);
    expect((await itemOf('near', 'same')).metadata).toEqual({ back: true });
  });
});

describe('Of what is written together', () => {
  const contents = { image: async () => ({ image: await flat(10, 200, 90) }), text: async () => ({ text: 'a river' }), embedding: async () => ({ embedding: axis(1), modality: 'image' }) };
  it.each([
    ['image', 'text', 'embedding'],
    ['text', 'embedding', 'image'],
    ['embedding', 'image', 'text'],
  ] as const)('the last entry of an id holds, whatever they are made of: %s, %s, %s', async (...kinds) => {
    await service.collection(`of-${kinds.join('-')}`);
    const outcomes = await service.add(`of-${kinds.join('-')}`, await Promise.all(kinds.map(async (kind) => ({ id: 'same', ...(await contents[kind]()), metadata: { kind } }))));
    expect(outcomes.map(({ status }) => status)).toEqual(['created', 'updated', 'updated']);
    const { modality, text, width, metadata } = await itemOf(`of-${kinds.join('-')}`, 'same');
    const last = { image: { modality: 'image', width: 12 }, text: { modality: 'text', text: 'a river' }, embedding: { modality: 'image' } }[kinds[2]];
    expect({ modality, text, width, metadata }).toEqual({ ...last, metadata: { kind: kinds[2] } });
  });

  it('an item that becomes another keeps the time it was added', async () => {
    await service.collection('times');
    await service.add('times', [{ id: 'a', text: 'a river' }]);
    const before = await itemOf('times', 'a');
    expect((await service.add('times', [{ id: 'a', text: 'a mountain' }]))[0]!.status).toBe('updated');
    const after = await itemOf('times', 'a');
    expect([after.text, after.created_at]).toEqual(['a mountain', before.created_at]);
    expect(Date.parse(after.updated_at)).toBeGreaterThan(Date.parse(before.updated_at));
    expect((await service.add('times', [{ id: 'a', text: 'a mountain' }]))[0]!.status).toBe('unchanged');
    expect((await itemOf('times', 'a')).updated_at).toBe(after.updated_at);
  });

  it('an item that is sent again without metadata or source keeps what it has, and other metadata takes the place of it', async () => {
    await service.collection('notes');
    await service.add('notes', [{ id: 'a', text: 'a river', metadata: { year: 1990, tags: ['blue'] }, source: 'first' }]);
    const send = async (entry: object): Promise<unknown[]> => {
      const [outcome] = await service.add('notes', [{ id: 'a', ...entry }]);
      const { text, metadata, sources } = await itemOf('notes', 'a');
      return [outcome!.status, text, metadata, sources];
    };
    const kept = { year: 1990, tags: ['blue'] };
    expect(await send({ text: 'a river' })).toEqual(['unchanged', 'a river', kept, ['first']]);
    expect(await send({ text: 'a mountain' })).toEqual(['updated', 'a mountain', kept, ['first']]);
    expect(await send({ text: 'a mountain', source: 'second' })).toEqual(['updated', 'a mountain', kept, ['first', 'second']]);
    expect(await send({ text: 'a mountain', metadata: { year: 1991 } })).toEqual(['updated', 'a mountain', { year: 1991 }, ['first', 'second']]);
    expect(await send({ text: 'a mountain', metadata: {} })).toEqual(['updated', 'a mountain', {}, ['first', 'second']]);
  });

  it('what a file named by path holds is referenced, and what came as bytes is kept', async () => {
    const file = path.join(root, 'a.png');
    const sent = Buffer.from(await flat(1, 2, 3), 'base64');
    await writeFile(file, sent);
    await service.collection('by-path');
    expect((await service.add('by-path', [{ id: 'path', path: file }]))[0]).toMatchObject({ status: 'created' });
    const kept = async (): Promise<string[]> => (await readdir(path.join(service.server.indexDir, 'originals'), { recursive: true }).catch(() => [])).filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => path.basename(name));
    const hash = createHash('sha256').update(sent).digest('hex');
    expect(await kept()).not.toContain(hash);
    expect((await service.add('by-path', [{ id: 'bytes', image: base64(sent) }]))[0]).toMatchObject({ status: 'created' });
    // PostgreSQL keeps it among the collection's rows.
    expect((await kept()).includes(hash)).toBe(!isOverPostgres);
    for (const id of ['path', 'bytes']) {
      const original = await fetch(`${service.server.url}${items('by-path')}/${id}/image?size=original`);
      expect([id, original.status, Buffer.from(await original.arrayBuffer()).equals(sent)]).toEqual([id, 200, true]);
    }
  });
});

it('What the service itself cannot do is no fault of an entry: nothing is answered as failed, and the log says why', async () => {
  const failing = await startSmall({ small: readsTexts }, { NODE_OPTIONS: `--import=file://${path.join(repository, 'test/bad-thumbnails.mjs')}` });
  try {
    const { status, body } = await failing.post(items(), { items: [{ id: 'good', image: await flat(1, 2, 3) }, { id: 'no thumbnail', image: await flat(255, 0, 255) }] });
    expect([status, body.error?.code]).toEqual([500, 'internal']);
    await expect.poll(() => failing.server.logs()).toMatch(/"cause":"[^"]*bad-thumbnails\.mjs/);
    expect((await failing.get('/v1/collections/default')).body.counts.total).toBe(0);
  } finally {
    await failing.remove();
  }
});

describe('The same bytes', () => {
  it('as an embedding of the other modality replace the item', async () => {
    await service.collection('modalities');
    const send = async (modality: string): Promise<string> => (await service.add('modalities', [{ id: 'a', embedding: [1, 2, 3, 4], modality }]))[0]!.status;
    expect([await send('image'), await send('image'), await send('text'), await send('text'), await send('image')]).toEqual(['created', 'unchanged', 'updated', 'unchanged', 'updated']);
    expect(await countsOf('modalities')).toEqual({ image: 1, text: 0, total: 1 });
    expect([await service.search('modalities', { query: { embedding: axis(3) }, modality: 'text' }), (await service.search('modalities', { query: { embedding: axis(3) }, modality: 'image' }))]).toEqual([[], [['a', expect.closeTo(4 / Math.sqrt(30), 6)]]]);
  });

  it('as an embedding of the other modality replace the item within one request too', async () => {
    await service.collection('at-once');
    const outcomes = await service.add('at-once', ['image', 'text', 'image', 'text'].map((modality) => ({ id: 'a', embedding: [1, 2, 3, 4], modality })));
    expect(outcomes.map(({ status }) => status)).toEqual(['created', 'updated', 'updated', 'updated']);
    expect(await countsOf('at-once')).toEqual({ image: 0, text: 1, total: 1 });
  });

  it('as a picture and as a text are two things', async () => {
    // A picture whose bytes are UTF-8: without a color table, all of them below 128.
    const picture = Buffer.from('GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;', 'latin1');
    expect(await sharp(picture).metadata()).toMatchObject({ format: 'gif', width: 1, height: 1 });
    await service.collection('both');
    const hash = createHash('sha256').update(picture).digest('hex');
    const send = async (content: object): Promise<unknown> => (await service.add('both', [content]))[0];
    expect(await send({ image: base64(picture) })).toEqual({ id: hash, status: 'created' });
    expect(await itemOf('both', hash)).toMatchObject({ modality: 'image', width: 1, height: 1 });
    expect(await send({ text: picture.toString() })).toEqual({ id: hash, status: 'updated' });
    expect(await itemOf('both', hash)).toMatchObject({ modality: 'text', text: picture.toString() });
    expect((await itemOf('both', hash)).width).toBeUndefined();
    expect(await countsOf('both')).toEqual({ image: 0, text: 1, total: 1 });
  });
});

import { randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { drawn, rotatedByExif } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
let folder: string;
let root: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-roots-'));
  root = path.join(folder, 'root');
  await mkdir(root);
  await writeFile(path.join(root, 'a.png'), await drawn(11));
  await writeFile(path.join(folder, 'secret.png'), await drawn(12));
  await symlink(path.join(folder, 'secret.png'), path.join(root, 'link.png'));
  await symlink(folder, path.join(root, 'up'));
  server = await startServer({ env: { MIXSPACE_ROOTS: root } });
});
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const get = (at: string): Promise<Answer> => call(server.url, 'GET', at);
const post = (at: string, body: unknown): Promise<Answer> => call(server.url, 'POST', at, body);
async function collection(name: string, more: object = {}): Promise<string> {
  expect((await post('/v1/collections', { name, ...more })).status).toBe(201);
  return name;
}
async function unit(index: number): Promise<number[]> {
  const { dimensions } = (await get('/v1/models')).body.data[0];
  return Array.from({ length: dimensions }, (_, i) => (i === index ? 1 : 0));
}

describe('collections', () => {
  it('has a collection "default" that cannot be deleted', async () => {
    expect((await get('/v1/collections')).body.collections.map((each: any) => each.name)).toContain('default');
    const refused = await call(server.url, 'DELETE', '/v1/collections/default');
    expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict']);
  });

  it('creates, tells, refuses a name taken, deletes', async () => {
    await collection('photos', { description: 'mine' });
    expect((await post('/v1/collections', { name: 'photos' })).status).toBe(409);
    expect((await get('/v1/collections/photos')).body).toMatchObject({ name: 'photos', description: 'mine', counts: { image: 0, text: 0, total: 0 }, model_available: true });
    expect((await call(server.url, 'DELETE', '/v1/collections/photos')).status).toBe(204);
    expect((await get('/v1/collections/photos')).status).toBe(404);
    expect((await call(server.url, 'DELETE', '/v1/collections/photos')).status).toBe(404);
    expect((await post('/v1/collections', { name: '../x' })).body.error.param).toBe('name');
    expect((await post('/v1/collections', { name: 'y', model: 'none' })).status).toBe(404);
  });
});

describe('items', () => {
  it('takes texts, pictures, paths and embeddings, each with its own outcome, in the order sent', async () => {
    await collection('mixed');
    const { status, body } = await post(items('mixed'), {
      items: [
        { id: 't', text: 'a red apple', metadata: { kind: 'fruit' } },
        { image: base64(await drawn(1)), source: 'drawing 1' },
        { path: path.join(root, 'a.png') },
        { id: 'e', embedding: await unit(0), modality: 'image' },
        { id: 'bad', image: base64(Buffer.from('junk')) },
        { id: 'two', text: 'a', image: 'b' },
        { id: 'short', embedding: [1, 2], modality: 'text' },
        { id: 'zero', embedding: (await unit(0)).map(() => 0), modality: 'text' },
        { id: 'other', embedding: await unit(1), modality: 'text', fingerprint: 'another space' },
        { id: 'n', text: 'a', colour: 1 },
        'nonsense',
      ],
    });
    expect(status).toBe(200);
    expect(body.items.map((each: any) => [each.id, each.status, each.error?.code, each.error?.param].filter((part) => part !== undefined))).toEqual([
      ['t', 'created'],
      [expect.stringMatching(/^[0-9a-f]{64}$/), 'created'],
      [expect.stringMatching(/^[0-9a-f]{64}$/), 'created'],
      ['e', 'created'],
      ['bad', 'failed', 'unsupported_media', 'image'],
      ['two', 'failed', 'invalid_request', null],
      ['short', 'failed', 'unprocessable', 'embedding'],
      ['zero', 'failed', 'unprocessable', 'embedding'],
      ['other', 'failed', 'conflict', 'fingerprint'],
      ['n', 'failed', 'invalid_request', 'colour'],
      [null, 'failed', 'invalid_request', null],
    ]);
    expect((await get('/v1/collections/mixed')).body.counts).toEqual({ image: 3, text: 1, total: 4 });
    expect((await get(`${items('mixed')}/${body.items[2].id}`)).body.sources).toEqual([path.join(root, 'a.png')]);
  });

  it('keeps one item for a picture sent twice, with both sources, and does not touch what is unchanged', async () => {
    await collection('twice');
    const image = base64(await drawn(3));
    const send = async (more: object): Promise<any> => (await post(items('twice'), { items: [{ image, ...more }] })).body.items[0];
    const first = await send({ source: 'a', metadata: { n: 1 } });
    expect(first.status).toBe('created');
    expect((await send({ source: 'a' })).status).toBe('unchanged');
    expect((await send({ source: 'b' })).status).toBe('updated');
    expect((await send({ metadata: { n: 1 } })).status).toBe('unchanged');
    expect((await send({ metadata: { n: 2 } })).status).toBe('updated');
    expect((await get(`${items('twice')}/${first.id}`)).body).toMatchObject({ sources: ['a', 'b'], metadata: { n: 2 }, width: 320, height: 240 });
    expect((await get('/v1/collections/twice')).body.counts.total).toBe(1);
  });

  it('takes uploads with names in UTF-8 and notes by name or in order', async () => {
    await collection('uploads');
    const byName = new FormData();
    byName.append('file', new Blob([await drawn(4)]), '猫 é.png');
    byName.append('metadata', JSON.stringify({ '猫 é.png': { animal: 'cat' } }));
    const one = await post(items('uploads'), byName);
    expect(one.body.items[0].status).toBe('created');
    expect((await get(`${items('uploads')}/${one.body.items[0].id}`)).body).toMatchObject({ sources: ['猫 é.png'], metadata: { animal: 'cat' } });

    const inOrder = new FormData();
    inOrder.append('file', new Blob([await drawn(5)]), 'x.png');
    inOrder.append('file', new Blob([Buffer.from('broken')]), 'x.png');
    inOrder.append('file', new Blob([await rotatedByExif()]), 'turned.jpg');
    inOrder.append('metadata', JSON.stringify([{ id: 'five' }, { id: 'broken' }, { id: 'turned', source: 'camera' }]));
    const three = await post(items('uploads'), inOrder);
    expect(three.body.items.map((each: any) => [each.id, each.status])).toEqual([['five', 'created'], ['broken', 'failed'], ['turned', 'created']]);
    expect((await get(`${items('uploads')}/turned`)).body).toMatchObject({ width: 240, height: 320, sources: ['camera'] });
  });

  it('gives pictures back: a WebP thumbnail, and the original byte by byte', async () => {
    await collection('bytes');
    const original = await drawn(6, 'jpeg', 900, 500);
    const { body } = await post(items('bytes'), { items: [{ id: 'ä/ö?#', image: base64(original) }] });
    expect(body.items[0].status).toBe('created');
    const found = await post(searchIn('bytes'), { query: 'a circle' });
    const image = found.body.matches[0].image_url;
    const thumbnail = await fetch(server.url + image);
    expect([thumbnail.status, thumbnail.headers.get('content-type')]).toEqual([200, 'image/webp']);
    const whole = await fetch(`${server.url}${image}?size=original`);
    expect(Buffer.from(await whole.arrayBuffer()).equals(original)).toBe(true);
    expect(whole.headers.get('content-type')).toBe('image/jpeg');
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect(whole.headers.get('content-security-policy')).toContain('sandbox');
    expect((await fetch(`${server.url}${image}?size=huge`)).status).toBe(400);
  });

  it('lists by id with a cursor and a filter, patches, deletes', async () => {
    await collection('listed');
    await post(items('listed'), { items: Array.from({ length: 25 }, (_, i) => ({ id: `i${String(i).padStart(2, '0')}`, text: `text ${i}`, metadata: { n: i, tags: i % 2 ? ['odd'] : ['even', 'two'] } })) });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: any = (await get(`${items('listed')}?limit=10${cursor ? `&cursor=${cursor}` : ''}`)).body;
      seen.push(...page.items.map((each: any) => each.id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `i${String(i).padStart(2, '0')}`));
    const filter = encodeURIComponent(JSON.stringify({ n: { $gte: 20 }, tags: 'odd' }));
    expect((await get(`${items('listed')}?filter=${filter}`)).body.items.map((each: any) => each.id)).toEqual(['i21', 'i23']);

    const patched = await call(server.url, 'PATCH', `${items('listed')}/i21`, { metadata: { n: 'other' } });
    expect([patched.status, patched.body.metadata]).toEqual([200, { n: 'other' }]);
    expect((await call(server.url, 'DELETE', `${items('listed')}/i21`)).status).toBe(204);
    expect((await call(server.url, 'DELETE', `${items('listed')}/i21`)).status).toBe(404);
    expect((await call(server.url, 'DELETE', items('listed'))).status).toBe(400);
    expect((await call(server.url, 'DELETE', `${items('listed')}?filter=${encodeURIComponent('{"tags":"odd"}')}`)).body).toEqual({ deleted: 11 });
    expect((await post(`${items('listed')}/exists`, { ids: ['i00', 'i01', 'nope'] })).body).toEqual({ missing: ['i01', 'nope'] });
    expect((await call(server.url, 'DELETE', `${items('listed')}?all=true`)).body).toEqual({ deleted: 13 });
  });

  it('refuses paths outside the roots, also through links and "..", without telling what is there', async () => {
    await collection('paths');
    const paths = ['link.png', '../secret.png', 'up/secret.png', '../nothing.png'].map((each) => `${root}/${each}`);
    const { body } = await post(items('paths'), { items: [...paths, 'a.png', '/etc/passwd', `${root}/none.png`, root].map((each) => ({ path: each })) });
    for (const each of body.items) expect(each).toMatchObject({ status: 'failed', error: { code: 'unprocessable', param: 'path' } });
    expect(new Set(body.items.slice(0, 4).map((each: any) => each.error.message)).size).toBe(1);
  });
});

describe('search', () => {
  it('finds by embedding, best first, in pages that meet without gap or repeat', async () => {
    await collection('pages');
    const base = await unit(0);
    const entries = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}`, embedding: base.map((value, d) => (d === 0 ? 1 : d === 1 + (i % 5) ? i / 60 : value)), modality: i % 2 ? 'image' : 'text', metadata: { i } }));
    await post(items('pages'), { items: entries });
    const whole = (await post(searchIn('pages'), { query: { embedding: base }, fusion: 'raw', limit: 60 })).body;
    expect(whole.exact).toBe(true);
    const scores = whole.matches.map((each: any) => each.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page: any = (await post(searchIn('pages'), { query: { embedding: base }, fusion: 'raw', limit: 7, ...(cursor ? { cursor } : {}) })).body;
      paged.push(...page.matches.map((each: any) => each.id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(paged).toEqual(whole.matches.map((each: any) => each.id));

    const first = (await post(searchIn('pages'), { query: { embedding: base }, limit: 7 })).body;
    const other = await post(searchIn('pages'), { query: { embedding: base }, limit: 7, modality: 'text', cursor: first.next_cursor });
    expect([other.status, other.body.error.param]).toEqual([400, 'cursor']);
    expect((await post(searchIn('pages'), { query: 'x', cursor: 'rubbish' })).status).toBe(400);

    const images = (await post(searchIn('pages'), { query: { embedding: base }, modality: 'image', filter: { i: { $lt: 10 } } })).body.matches;
    expect(images.map((each: any) => each.metadata.i).sort()).toEqual([1, 3, 5, 7, 9]);
    const floor = scores[9];
    const good = (await post(searchIn('pages'), { query: { embedding: base }, min_score: floor, limit: 60 })).body;
    expect(good.matches.every((each: any) => each.score >= floor)).toBe(true);
    expect(good.next_cursor).toBeUndefined();
  });

  it('adds weighted queries up, leaves the item asked by out, and refuses a sum of zero', async () => {
    await collection('weights');
    const [x, y] = [await unit(0), await unit(1)];
    await post(items('weights'), { items: [{ id: 'x', embedding: x, modality: 'text' }, { id: 'y', embedding: y, modality: 'text' }] });
    const ids = async (query: unknown): Promise<string[]> => (await post(searchIn('weights'), { query })).body.matches.map((each: any) => each.id);
    expect(await ids({ id: 'x' })).toEqual(['y']);
    expect(await ids([{ input: { embedding: x }, weight: 0.4 }, { input: { embedding: y } }])).toEqual(['y', 'x']);
    expect((await post(searchIn('weights'), { query: [{ input: { embedding: x } }, { input: { embedding: y }, weight: -2 }] })).body.matches.at(-1)).toMatchObject({ id: 'y', score: expect.closeTo(-2 / Math.sqrt(5), 5) });
    expect((await post(searchIn('weights'), { query: [{ input: { embedding: x } }, { input: { embedding: x }, weight: -1 }] })).status).toBe(422);
    expect((await post(searchIn('weights'), { query: { id: 'nope' } })).status).toBe(404);
    expect((await post(searchIn('weights'), { query: { embedding: x, fingerprint: 'other' } })).status).toBe(409);
    expect((await post(searchIn('weights'), { query: { embedding: [1] } })).status).toBe(422);
    expect((await post(searchIn('weights'), `{"query":{"embedding":[${x.map((v) => (v ? '1e999' : 0)).join()}]}}`)).status).toBe(400);
  });

  it('searches by a picture sent as a file, alone or within a weighted query', async () => {
    await collection('by-file');
    await post(items('by-file'), { items: await Promise.all([21, 22, 23].map(async (seed) => ({ id: `d${seed}`, image: base64(await drawn(seed)) }))) });
    const form = new FormData();
    form.append('file', new Blob([await drawn(22)]), 'q.png');
    const alone = (await post(searchIn('by-file'), form)).body;
    expect(alone.matches[0]).toMatchObject({ id: 'd22', score: expect.closeTo(1, 4) });
    const both = new FormData();
    both.append('request', JSON.stringify({ query: [{ input: { file: true } }, { input: 'a dog', weight: 0.1 }], limit: 1 }));
    both.append('file', new Blob([await drawn(23)]), 'q.png');
    expect((await post(searchIn('by-file'), both)).body.matches.map((each: any) => each.id)).toEqual(['d23']);
    expect((await post(searchIn('by-file'), { query: { file: true } })).status).toBe(400);
    const broken = new FormData();
    broken.append('file', new Blob([Buffer.from('no picture')]), 'q.png');
    expect((await post(searchIn('by-file'), broken)).body.error).toMatchObject({ code: 'unsupported_media', param: 'file' });
  });

  it('needs a large picture more than once: for two parts of a query, and for the cursor', async () => {
    const large = await sharp(randomBytes(1300 * 1300 * 3), { raw: { width: 1300, height: 1300, channels: 3 } }).png().toBuffer();
    const ask = (more: object): Promise<Answer> => {
      const form = new FormData();
      form.append('file', new Blob([large]), 'noise.png');
      form.append('request', JSON.stringify({ query: [{ input: { file: true } }, { input: { file: true }, weight: 0.5 }], limit: 1, ...more }));
      return post(searchIn('by-file'), form);
    };
    const first = await ask({});
    expect([first.status, first.body.matches.length]).toEqual([200, 1]);
    const next = await ask({ cursor: first.body.next_cursor });
    expect([next.status, next.body.matches.length]).toEqual([200, 1]);
    expect(next.body.matches[0].id).not.toBe(first.body.matches[0].id);
  });

  it.each([
    ['an unknown field', { query: 'a', colour: 1 }, 'colour'],
    ['no query', {}, 'query'],
    ['limit 0', { query: 'a', limit: 0 }, 'limit'],
    ['limit 1001', { query: 'a', limit: 1001 }, 'limit'],
    ['an unknown operator', { query: 'a', filter: { n: { $near: 1 } } }, 'filter.n.$near'],
    ['a filter of nine levels', { query: 'a', filter: Array.from({ length: 9 }).reduce((inner) => ({ $not: inner }), { a: 1 }) }, undefined],
    ['a filter of 65 clauses', { query: 'a', filter: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`f${i}`, 1])) }, undefined],
  ])('refuses %s', async (_what, body, param) => {
    const answer = await post(searchIn(), body);
    expect(answer.status).toBe(400);
    if (param !== undefined) expect(answer.body.error.param).toBe(param);
  });
});

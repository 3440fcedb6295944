/** A cursor belongs to its request: with anything else of it changed, it is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, searchIn } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { startServer } from './server.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';
import { imageTower, textTower } from './small-towers.js';

let service: SmallService;
beforeAll(async () => {
  const other = { ...readsTexts, 'onnx/vision_model.onnx': imageTower({ bias: 0.7 }), 'onnx/text_model.onnx': textTower({ pool: 'mean' }) };
  service = await startSmall({ small: readsTexts, other });
  for (const name of ['photos', 'copies']) {
    await service.collection(name);
    await service.add(name, entries);
  }
});
afterAll(() => service.remove());

const entries = Array.from({ length: 12 }, (_, i) => ({ id: `i${String(i).padStart(2, '0')}`, embedding: [1, i / 10, i % 3, 0], modality: i % 2 ? 'image' : 'text', metadata: { n: i, even: i % 2 === 0 } }));
const refused = { status: 400, body: { error: { code: 'invalid_request', param: 'cursor', message: expect.stringMatching(/^The cursor belongs to another request: /) } } };

describe('The cursor of a search', () => {
  const request = { query: [{ input: { embedding: [1, 0.5, 0.2, 0] }, weight: 2 }, { input: 'a dog', weight: 0.1 }], modality: 'text', filter: { n: { $lte: 9 } }, min_score: 0.1, exact: true, limit: 2 };
  const ask = (body: object, collection = 'photos') => service.post(searchIn(collection), body);

  async function cursorOf(body: object, collection = 'photos'): Promise<string> {
    const answer = await ask(body, collection);
    expect([answer.status, answer.body.next_cursor]).toEqual([200, expect.any(String)]);
    return answer.body.next_cursor;
  }

  it('goes on with the same request, with a larger page and the same fields in another order too', async () => {
    const cursor = await cursorOf(request);
    const whole = (await ask({ ...request, limit: 100 })).body.matches;
    expect(whole.map(({ id }: any) => id).sort()).toEqual(['i00', 'i02', 'i04', 'i06', 'i08']);
    expect((await ask({ cursor, ...request })).body.matches).toEqual(whole.slice(2, 4));
    const { query, ...rest } = request;
    expect((await ask({ ...rest, query, cursor, limit: 50 })).body).toMatchObject({ matches: whole.slice(2) });
  });

  const { modality: _, ...bothModalities } = request;
  const { filter: __, ...unfiltered } = request;
  const { min_score: ___, ...unbounded } = request;
  const { exact: ____, ...approximate } = request;
  it.each<[string, object, string?]>([
    ['another embedding', { ...request, query: [{ ...request.query[0]!, input: { embedding: [1, 0.5, 0.2, 0.001] } }, request.query[1]!] }],
    ['another text', { ...request, query: [request.query[0]!, { ...request.query[1]!, input: 'a dog.' }] }],
    ['another weight', { ...request, query: [{ ...request.query[0]!, weight: 2.001 }, request.query[1]!] }],
    ['one part fewer', { ...request, query: [request.query[0]!] }],
    ['an id in the place of an embedding', { ...request, query: [{ input: { id: 'i01' }, weight: 2 }, request.query[1]!] }],
    ['the other modality', { ...request, modality: 'image' }],
    ['both modalities', bothModalities],
    ['another filter', { ...request, filter: { n: { $lte: 8 } } }],
    ['another operator', { ...request, filter: { n: { $lt: 9 } } }],
    ['no filter', unfiltered],
    ['another least score', { ...request, min_score: 0.11 }],
    ['no least score', unbounded],
    ['cells let in', approximate],
    ['cells let in by name', { ...request, exact: false }],
    ['a collection that holds the same', request, 'copies'],
  ])('is refused with %s', async (_what, body, collection) => {
    const cursor = await cursorOf(request);
    expect(await ask(body, collection), 'without the cursor').toMatchObject({ status: 200 });
    expect(await ask({ ...body, cursor }, collection)).toMatchObject(refused);
  });

  it('is refused once its collection is of another space, whatever else is the same', async () => {
    await service.collection('moved', { model: 'small' });
    await service.add('moved', entries);
    const cursor = await cursorOf(request, 'moved');
    expect((await call(service.server.url, 'DELETE', '/v1/collections/moved')).status).toBe(204);
    await service.collection('moved', { model: 'other' });
    await service.add('moved', entries);
    expect(await ask({ ...request, cursor }, 'moved')).toMatchObject(refused);
  });

  it('is refused with a long text that differs in one letter', async () => {
    const text = 'a dog beside a horse in the snow at night, '.repeat(200);
    const asked = (query: string, more = {}) => ask({ query, limit: 3, ...more });
    const cursor = (await asked(text)).body.next_cursor;
    expect((await asked(text, { cursor })).status).toBe(200);
    expect(await asked(text.replace(/.$/, '.'), { cursor })).toMatchObject(refused);
  });

  it('is refused where a byte of it was changed, or it was cut', async () => {
    const bytes = Buffer.from(await cursorOf(request), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << at % 8;
      expect(await ask({ ...request, cursor: changed.toString('base64url') }), `byte ${at}`).toMatchObject(refused);
      expect((await ask({ ...request, cursor: bytes.subarray(0, at).toString('base64url') })).body.error, `${at} bytes`).toMatchObject({ code: 'invalid_request', param: 'cursor' });
    }
  });

  it('is refused by another service, and good for its own when that was started again', async () => {
    const other = await startSmall({ small: readsTexts });
    await other.collection('photos');
    await other.add('photos', entries);
    const cursor = await cursorOf(request);
    const whole = (await ask({ ...request, limit: 100 })).body.matches;
    const foreign = await other.post(searchIn('photos'), { ...request, cursor });
    const own = (await other.post(searchIn('photos'), request)).body;
    await other.server.stop();
    const again = await startServer({ env: { MIXSPACE_MODELS_DIR: other.models, MIXSPACE_MODEL: 'small', MIXSPACE_CACHE: '0' }, indexDir: other.server.indexDir });
    try {
      expect(foreign).toMatchObject(refused);
      expect((await call(again.url, 'POST', searchIn('photos'), { ...request, cursor: own.next_cursor })).body.matches).toEqual(whole.slice(2, 4));
    } finally {
      await again.remove();
      await other.remove();
    }
  });

  it('is refused with another file', async () => {
    const picture = await flat(200, 40, 90);
    const ask = async (file: string, cursor?: string) => {
      const form = new FormData();
      form.append('request', JSON.stringify({ limit: 3, ...(cursor === undefined ? {} : { cursor }) }));
      form.append('file', new Blob([Buffer.from(file, 'base64')]), 'query.png');
      return service.post(searchIn('photos'), form);
    };
    const { next_cursor: cursor, matches } = (await ask(picture)).body;
    const next = await ask(picture, cursor);
    expect([next.status, next.body.matches.filter(({ id }: any) => matches.some((match: any) => match.id === id))]).toEqual([200, []]);
    expect(await ask(await flat(200, 40, 91), cursor)).toMatchObject(refused);
    expect(await service.post(searchIn('photos'), { query: { embedding: [1, 0, 0, 0] }, limit: 3, cursor })).toMatchObject(refused);
  });
});

describe('A list of both kinds', () => {
  it('is in the order of scores, and goes on until both lists have ended', async () => {
    await service.collection('both');
    await service.add('both', Array.from({ length: 6 }, (_, i) => ({ id: `b${i}`, embedding: [1, i / 10, 0, 0], modality: i % 2 ? 'image' : 'text' })));
    const ask = async (cursor?: string): Promise<any> => (await service.post(searchIn('both'), { query: { embedding: [1, 0, 0, 0] }, limit: 3, ...(cursor === undefined ? {} : { cursor }) })).body;
    const first = await ask();
    expect(first.matches.map(({ id, score }: any) => [id, score])).toEqual([0, 1, 2].map((i) => [`b${i}`, expect.closeTo(1 / Math.hypot(1, i / 10), 5)]));
    const second = await ask(first.next_cursor);
    expect([second.matches.map(({ id }: any) => id), second.next_cursor]).toEqual([['b3', 'b4', 'b5'], undefined]);
  });

  it.skipIf(isOverPostgres)('is exact where both of them are', async () => {
    const server = await startServer({ store: { cellsFrom: 50 }, env: { MIXSPACE_MODELS_DIR: service.models, MIXSPACE_MODEL: 'small', MIXSPACE_CACHE: '0', MIXSPACE_WORKERS: '1' } });
    try {
      // In eight heaps, far from each other: whoever asks for one of them need not look at the others.
      const texts = Array.from({ length: 900 }, (_, i) => {
        const embedding = [0, 0, 0, 0];
        embedding[i % 4] = i % 8 < 4 ? 1 : -1;
        embedding[(i + 1) % 4] = i / 1e4;
        embedding[(i + 2) % 4] = ((i * 37) % 101) / 1e3;
        return { id: `t${i}`, embedding, modality: 'text' };
      });
      await call(server.url, 'POST', items(), { items: [...texts, { id: 'p', embedding: [1, 0, 0, 0], modality: 'image' }] });
      await expect.poll(async () => (await call(server.url, 'GET', '/v1/collections/default')).body.graph, { timeout: 30_000 }).toEqual({ state: 'ready', indexed: 900 });
      const ask = async (more: object): Promise<boolean> => (await call(server.url, 'POST', searchIn(), { query: { embedding: [1, 0, 0, 0] }, limit: 5, ...more })).body.exact;
      expect(await Promise.all([ask({ modality: 'text' }), ask({ modality: 'image' }), ask({}), ask({ exact: true })])).toEqual([false, true, false, true]);
    } finally {
      await server.remove();
    }
  });
});

it('A page has ten matches, or a hundred items, unless it is said, and the last one leads no further', async () => {
  await service.collection('many');
  await service.add('many', Array.from({ length: 101 }, (_, i) => ({ id: `m${i}`, embedding: [1, i / 100, 0, 0], modality: 'text' })));
  const query = { embedding: [1, 0, 0, 0] };
  const found = (await service.post(searchIn('many'), { query })).body;
  expect([found.matches.length, found.next_cursor]).toEqual([10, expect.any(String)]);
  const listed = (await service.get(items('many'))).body;
  expect([listed.items.length, listed.next_cursor]).toEqual([100, expect.any(String)]);
  for (const limit of [101, 102]) {
    const whole = (await service.post(searchIn('many'), { query, limit })).body;
    expect([whole.matches.length, whole.next_cursor]).toEqual([101, undefined]);
  }
  expect((await service.post(searchIn('many'), { query, limit: 100 })).body.next_cursor).toEqual(expect.any(String));
});

describe('The cursor of a listing', () => {
  const at = (query: Record<string, string>, collection = 'photos'): string => `${items(collection)}?${new URLSearchParams(query).toString()}`;
  const filter = JSON.stringify({ even: true });

  it('goes on with the same filter, with a larger page too, and ends', async () => {
    const first = (await service.get(at({ filter, limit: '2' }))).body;
    expect(first.items.map(({ id }: any) => id)).toEqual(['i00', 'i02']);
    const second = (await service.get(at({ filter, limit: '3', cursor: first.next_cursor }))).body;
    expect(second.items.map(({ id }: any) => id)).toEqual(['i04', 'i06', 'i08']);
    const third = (await service.get(at({ filter, limit: '3', cursor: second.next_cursor }))).body;
    expect([third.items.map(({ id }: any) => id), third.next_cursor]).toEqual([['i10'], undefined]);
  });

  it('ends with a page that holds the last item and no more', async () => {
    const { items: found, next_cursor: cursor } = (await service.get(at({ limit: '12' }))).body;
    expect([found.length, cursor]).toEqual([12, undefined]);
    expect((await service.get(at({ limit: '11' }))).body.next_cursor).toEqual(expect.any(String));
  });

  it.each<[string, Record<string, string>, string?]>([
    ['another filter', { filter: JSON.stringify({ even: false }) }],
    ['a filter that says the same otherwise', { filter: JSON.stringify({ even: { $eq: true } }) }],
    ['no filter', {}],
    ['a collection that holds the same', { filter }, 'copies'],
  ])('is refused with %s', async (_what, query, collection) => {
    const { next_cursor: cursor } = (await service.get(at({ filter, limit: '2' }))).body;
    expect((await service.get(at({ ...query, limit: '2' }, collection))).status).toBe(200);
    expect(await service.get(at({ ...query, limit: '2', cursor }, collection))).toMatchObject(refused);
  });

  it('is refused by a search, and a search\'s by it', async () => {
    const { next_cursor: ofListing } = (await service.get(at({ limit: '2' }))).body;
    const { next_cursor: ofSearch } = (await service.post(searchIn('photos'), { query: 'a dog', limit: 2 })).body;
    expect(await service.post(searchIn('photos'), { query: 'a dog', limit: 2, cursor: ofListing })).toMatchObject(refused);
    expect(await service.get(at({ limit: '2', cursor: ofSearch }))).toMatchObject(refused);
  });
});

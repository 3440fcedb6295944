/** Two services, one with its collections in its index directory and one with them in PostgreSQL, are asked the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { drawn } from './pictures.js';
import { serverName, testServer } from './port-contracts/postgres.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

const secret = 'not-to-be-told';
const counted = 60;

let embedded: RunningServer;
let postgres: RunningServer;
let url: string;

beforeAll(async () => {
  const server = await testServer();
  const given = new URL(await server.newUrl());
  given.password = secret;
  url = given.href;
  const env = { MIXSPACE_WORKERS: '1' };
  [embedded, postgres] = await Promise.all([startServer({ env }), startServer({ env: { ...env, MIXSPACE_STORE: url, MIXSPACE_STORE_CONNECTIONS: String(server.connections) } })]);
  const pictures = await Promise.all(Array.from({ length: 6 }, (_, n) => drawn(40 + n)));
  const texts = ['a red circle', 'a blue square beside a tree', 'the sea at night', 'ein Hund am Strand', 'a tree by the sea', '海边的狗', 'invoice 2041 of March', 'no picture at all'];
  const { dimensions } = (await call(embedded.url, 'GET', '/v1/collections/default')).body;
  const entries = [
    ...pictures.map((bytes, n) => ({ id: `picture ${n}`, image: base64(bytes), metadata: { n, kind: n % 2 ? 'odd' : 'even', at: `2024-0${1 + n}-01` }, ...(n > 0 && { source: `/photos/Rome/${n}.png` }) })),
    ...texts.map((text, n) => ({ id: `text ${n}`, text, metadata: { n: n + 0.5, tags: ['a', n % 3 ? 'b' : 'c'] } })),
    ...Array.from({ length: counted }, (_, n) => ({ id: `given ü${n}`, modality: 'image', embedding: Array.from({ length: dimensions }, (_, i) => Math.sin((n + 1) * (i + 1))), metadata: { n: -n, zero: 'a\u0000b' } })),
  ];
  for (const { url: at } of [embedded, postgres]) {
    await call(at, 'PATCH', '/v1/collections/default', { text_fields: ['kind'] });
    const { status, body } = await call(at, 'POST', items(), { items: entries });
    expect([status, body.error, body.items?.map((each: any) => each.error ?? each.status)]).toEqual([200, undefined, entries.map(() => 'created')]);
  }
});
afterAll(async () => {
  await Promise.all([embedded?.remove(), postgres?.remove()]);
  await (await testServer()).drop(url);
});

/** Without what is of a moment, or of one store. */
function comparable(value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value * 1e5) / 1e5;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const left = ['created_at', 'updated_at', 'next_cursor', 'took_ms', 'graph', 'recall', 'bytes', 'ended_at', 'job', 'id_of_job', 'usage'];
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (left.includes(key) ? [] : [[key, comparable(each)]])));
}

async function both(method: string, path: string, body?: unknown): Promise<Answer> {
  const [one, other] = await Promise.all([embedded, postgres].map(({ url: at }) => call(at, method, path, body)));
  expect([other!.status, comparable(other!.body)]).toEqual([one!.status, comparable(one!.body)]);
  return one!;
}

describe(`A service over PostgreSQL (${serverName})`, () => {
  it.each([
    ['words', { query: 'a tree' }],
    ['words among texts', { query: 'the sea', modality: 'text', limit: 3 }],
    ['an item', { query: { id: 'picture 1' }, limit: 30 }],
    ['a mixed list', { query: 'sea', limit: 50, fusion: 'centered' }],
    ['words that stand there', { query: 'invoice 2041', lexical: 'auto' }],
    ['words of a field and a file', { query: 'odd 3', lexical: 'auto', limit: 5 }],
    ['a filter', { query: 'a tree', filter: { $or: [{ kind: 'odd' }, { tags: 'c' }, { n: { $gte: -3, $lt: 0 } }] } }],
    ['a filter of times and prefixes', { query: 'a tree', filter: { at: { $gte: '2024-02-01', $lt: '2024-05-01T00:00:00Z' }, '$item.source': { $prefix: '/photos/Rome' } } }],
    ['a filter that nothing matches', { query: 'a tree', filter: { kind: { $in: [] } } }],
    ['a cut-off', { query: 'asdfghjkl', cutoff: 'auto' }],
    ['different ones', { query: { id: 'given ü3' }, diversity: 0.5, limit: 8 }],
  ])('finds the same by %s, with the same scores', async (_, request) => {
    const { status } = await both('POST', searchIn(), request);
    expect(status).toBe(200);
  });

  it('lists, sorts, counts and tells the same, page by page', async () => {
    await both('GET', `${items()}?limit=1000`);
    for (const sort of ['n', '-n', '$item.source', 'tags', '-$item.media_type', 'kind']) await both('GET', `${items()}?limit=100&sort=${encodeURIComponent(sort)}`);
    await both('GET', `/v1/collections/default/facets?fields=kind,tags,zero,${encodeURIComponent('$item.folder')}`);
    await both('GET', `${items()}/${encodeURIComponent('picture 2')}`);
    await both('GET', '/v1/collections/default');
    await both('POST', `${items()}/embeddings`, { ids: ['text 3', 'given ü5', 'nobody'] });
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await call(postgres.url, 'GET', `${items()}?limit=7&sort=-n${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (!body.next_cursor) break;
      cursor = body.next_cursor;
    }
    expect([seen.length, new Set(seen).size]).toEqual([counted + 14, counted + 14]);
  });

  it('refuses the same', async () => {
    for (const [method, path, body] of [
      ['POST', '/v1/collections', { name: 'default' }],
      ['GET', '/v1/collections/nowhere', undefined],
      ['GET', `${items()}/nobody`, undefined],
      ['POST', searchIn(), { query: { id: 'nobody' } }],
      ['POST', searchIn(), { query: 'a', filter: { n: { $near: 1 } } }],
      ['DELETE', items(), undefined],
    ] as const) {
      const { status } = await both(method, path, body);
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  it('gives pictures out byte by byte, and changes metadata and deletes as the other', async () => {
    for (const size of ['thumbnail', 'original']) {
      const bytes = await Promise.all([embedded, postgres].map(async ({ url: at }) => Buffer.from(await (await fetch(`${at}${items()}/${encodeURIComponent('picture 3')}/image?size=${size}`)).arrayBuffer())));
      expect(bytes[1]!.byteLength).toBeGreaterThan(100);
      expect(bytes[1]!.equals(bytes[0]!)).toBe(true);
    }
    await both('PATCH', `${items()}/${encodeURIComponent('text 1')}`, { metadata: { changed: [1, { deep: null }] } });
    await both('PATCH', items(), { filter: { kind: 'even' }, metadata: { kind: 'seven' } });
    await both('DELETE', `${items()}?filter=${encodeURIComponent(JSON.stringify({ n: { $lt: -50 } }))}`);
    await both('GET', `${items()}?limit=1000`);
  });

  it('has all of it after it was killed, and the jobs that were started', async () => {
    const before = (await call(postgres.url, 'GET', `${items()}?limit=1000`)).body;
    const started = await call(postgres.url, 'POST', '/v1/collections/default/duplicates', { threshold: 0.9 });
    expect(started.status).toBe(202);
    const MIXSPACE_STORE_CONNECTIONS = String((await testServer()).connections);
    await postgres.kill();
    const again = await startServer({ indexDir: postgres.indexDir, env: { MIXSPACE_WORKERS: '1', MIXSPACE_STORE: url, MIXSPACE_STORE_CONNECTIONS } });
    try {
      expect((await call(again.url, 'GET', `${items()}?limit=1000`)).body.items).toEqual(before.items);
      const { id } = started.body.job ?? started.body;
      await expect.poll(async () => (await call(again.url, 'GET', `/v1/jobs/${id}`)).body.state, { timeout: 90_000, interval: 500 }).toBe('done');
    } finally {
      await again.kill();
    }
    for (const log of [postgres.logs(), again.logs()]) expect(log).not.toContain(secret);
  });

  it('says what is PostgreSQL’s own to do, and never the address', async () => {
    const wrong = new URL(url);
    wrong.port = '1';
    const { code, stdout, stderr } = await runMixspace(['serve'], { PORT: '0', MIXSPACE_STORE: wrong.href });
    expect(code).not.toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/database cannot be reached/i);
    expect(`${stdout}${stderr}`).not.toContain(secret);
    const check = await runMixspace(['check', '--store', url, '--json']);
    expect(JSON.parse(check.stdout)).toMatchObject({ collections: [{ name: 'default' }], problems: [] });
    const doctor = await runMixspace(['doctor', '--json'], { MIXSPACE_STORE: wrong.href });
    expect(JSON.parse(doctor.stdout).checks.find(({ topic }: { topic: string }) => topic === 'store')).toMatchObject({ status: 'fail', found: expect.stringContaining('cannot be reached') });
  });
});

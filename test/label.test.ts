/** Fields laid over the metadata of many items at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, items } from './api.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

const count = 300;
const idOf = (n: number): string => `item ${String(n).padStart(3, '0')}`;

describe('Fields laid over the metadata of many items', () => {
  let server: RunningServer;
  const patch = (body: object, collection = 'default') => call(server.url, 'PATCH', items(collection), body);
  const metadataOf = async (id: string): Promise<object> => (await call(server.url, 'GET', `${items()}/${encodeURIComponent(id)}`)).body.metadata;
  const countOf = async (filter: object): Promise<number> => {
    const { body } = await call(server.url, 'GET', `${items()}?limit=1000&filter=${encodeURIComponent(JSON.stringify(filter))}`);
    return body.items.length;
  };

  beforeAll(async () => {
    server = await startServer({ env: { MIXSPACE_MAX_METADATA: '1kB' } });
  });
  afterAll(() => server.remove());
  beforeEach(async () => {
    await call(server.url, 'DELETE', `${items()}?all=true`);
    const { dimensions } = (await call(server.url, 'GET', '/v1/collections/default')).body;
    const embedding = (n: number): number[] => Array.from({ length: dimensions }, (_, i) => Math.cos(n * 7 + i));
    await call(server.url, 'POST', items(), { items: Array.from({ length: count }, (_, n) => ({ id: idOf(n), embedding: embedding(n), modality: 'image', metadata: { number: n, kept: { deep: 1 } } })) });
  });

  it('are there in those that are named, beside what was there, and nowhere else', async () => {
    const { status, body } = await patch({ ids: [idOf(1), 'nowhere', idOf(2), idOf(1)], metadata: { trip: 'Rome', kept: { other: 2 }, number: null } });
    expect([status, body]).toEqual([200, { updated: 2, missing: ['nowhere'], failed: [], failures: 0 }]);
    expect(await metadataOf(idOf(1))).toEqual({ number: null, kept: { other: 2 }, trip: 'Rome' });
    expect(await metadataOf(idOf(3))).toEqual({ number: 3, kept: { deep: 1 } });
    expect(await countOf({ trip: 'Rome' })).toBe(2);
  });

  it('are there in all that a filter matches, although they change what it matches', async () => {
    const { body } = await patch({ filter: { number: { $gte: 100 } }, metadata: { number: -1 } });
    expect(body).toEqual({ updated: count - 100, missing: [], failed: [], failures: 0 });
    expect([await countOf({ number: -1 }), await countOf({ number: { $gte: 100 } }), await countOf({ number: { $gte: 0 } })]).toEqual([count - 100, 0, 100]);
    const { body: found } = await call(server.url, 'POST', '/v1/collections/default/search', { query: { id: idOf(200) }, filter: { number: { $gte: 0 } }, limit: 1000 });
    expect(found.matches).toHaveLength(100);
    expect((await patch({ filter: { number: 'nothing' }, metadata: { a: 1 } })).body.updated).toBe(0);
  });

  it('leave out, by name, the items that would have too much', async () => {
    await call(server.url, 'PATCH', `${items()}/${encodeURIComponent(idOf(5))}`, { metadata: { note: 'x'.repeat(900) } });
    const { status, body } = await patch({ ids: [idOf(4), idOf(5)], metadata: { more: 'y'.repeat(200) } });
    expect([status, body.updated, body.failures]).toEqual([200, 1, 1]);
    expect(body.failed).toEqual([{ id: idOf(5), reason: expect.stringContaining('1000 bytes') }]);
    expect(Object.keys(await metadataOf(idOf(5)))).toEqual(['note']);
  });

  it('keep what somebody else changes at the same time', async () => {
    const [merged] = await Promise.all([patch({ filter: {}, metadata: { one: 1 } }), patch({ ids: Array.from({ length: count }, (_, n) => idOf(n)), metadata: { other: 2 } })]);
    expect(merged.body.updated).toBe(count);
    expect(await countOf({ one: 1, other: 2 })).toBe(count);
  });

  it.each([
    ['neither ids nor a filter', { metadata: { a: 1 } }, 'ids'],
    ['both', { ids: ['a'], filter: { a: 1 }, metadata: { a: 1 } }, 'filter'],
    ['no ids in the list', { ids: [], metadata: { a: 1 } }, 'ids'],
    ['too many ids', { ids: Array.from({ length: 10_001 }, (_, n) => `${n}`), metadata: { a: 1 } }, 'ids'],
    ['no metadata', { ids: ['a'] }, 'metadata'],
    ['a list as metadata', { ids: ['a'], metadata: [] }, 'metadata'],
    ['more than an item may have', { ids: ['a'], metadata: { a: 'x'.repeat(2_000) } }, 'metadata'],
    ['an operator that there is not', { filter: { a: { $near: 1 } }, metadata: { a: 1 } }, 'filter.a'],
    ['a field that there is not', { ids: ['a'], metadata: { a: 1 }, replace: true }, 'replace'],
  ])('are refused by field where a request has %s', async (_, body, param) => {
    const { status, body: answer } = await patch(body);
    expect([400, 413, 422]).toContain(status);
    expect(`${answer.error.param} ${answer.error.message}`).toContain(param);
    expect(await countOf({ a: 1 })).toBe(0);
  });

  it('are refused where there is no such collection', async () => {
    expect((await patch({ ids: ['a'], metadata: { a: 1 } }, 'nowhere')).status).toBe(404);
  });

  it('are laid by the command line as well', async () => {
    const label = (...args: string[]) => runMixspace(['label', ...args], { MIXSPACE_URL: server.url });
    expect(await label('{"trip": "Oslo"}', idOf(7), idOf(8))).toMatchObject({ code: 0, stdout: '2 items labelled.\n' });
    expect(await label('{"trip": "Bergen"}', '--filter', '{"trip": "Oslo"}')).toMatchObject({ code: 0, stdout: '2 items labelled.\n' });
    expect(await label('{"trip": "Bergen"}', 'nowhere')).toMatchObject({ code: 1, stdout: expect.stringContaining('There is no item "nowhere".') });
    expect(await label('{"trip": "Bergen"}')).toMatchObject({ code: 2, stderr: expect.stringContaining('either ids or --filter') });
    expect(await countOf({ trip: 'Bergen' })).toBe(2);
  });
});

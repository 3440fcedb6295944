import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items, searchIn, type Answer } from './api.js';
import { request } from './behind-nginx.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
let dimensions: number;
beforeAll(async () => {
  server = await startServer();
  dimensions = (await call(server.url, 'GET', '/v1/models')).body.data[0].dimensions;
});
afterAll(() => server.remove());

const post = (at: string, body: string | Uint8Array | object, headers?: Record<string, string>): Promise<Answer> => call(server.url, 'POST', at, body, headers);
const embed = (body: string | Uint8Array, headers?: Record<string, string>): Promise<Answer> => post('/v1/embeddings', body, headers);
const errorOf = ({ status, body }: Pick<Answer, 'status' | 'body'>): unknown[] => [status, body.error?.code, body.error?.param];
/** The text of an answer, where parsing it would be reading it as the service does. */
const textOf = async (method: string, at: string, body?: string): Promise<string> =>
  (await fetch(server.url + at, { method, headers: { 'content-type': 'application/json' }, ...(body === undefined ? {} : { body }) })).text();
const axis = (n: number): number[] => Array.from({ length: dimensions }, (_, i) => Number(i === n));

/** Byte by byte in chunks of the given size, each its own write. */
function inChunks(at: string, bytes: Buffer, size: number, headers: Record<string, string> = {}): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const sent = request(server.url + at, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    for (let from = 0; from < bytes.length; from += size) sent.write(bytes.subarray(from, from + size));
    sent.end();
  });
}

describe('a JSON body', () => {
  it.each([
    ['a whole number beyond 2^53', '{"items":[{"text":"a"},{"text":"b","metadata":{"n":9007199254740993}}]}', 'items[1].metadata.n'],
    ['a negative one', '{"items":[{"text":"b","metadata":{"list":[1,-9007199254740993]}}]}', 'items[0].metadata.list[1]'],
    ['a number that overflows', '{"items":[{"text":"b","metadata":{"n":1e400}}]}', 'items[0].metadata.n'],
    ['a number that vanishes', '{"items":[{"text":"b","metadata":{"n":-1e-400}}]}', 'items[0].metadata.n'],
    ['a number of 1,001 digits', `{"items":[{"text":"b","metadata":{"n":0.${'1'.repeat(1000)}}}]}`, 'items[0].metadata.n'],
    ['half a surrogate pair', '{"items":[{"text":"a \\ud83d b"}]}', 'items[0].text'],
    ['half a surrogate pair in a key', '{"items":[{"text":"a","metadata":{"\\ude00":1}}]}', 'items[0].metadata'],
    ['a key that stands twice', '{"items":[{"text":"a","metadata":{"a":{"b":1,"b":1}}}]}', 'items[0].metadata.a.b'],
    ['an escaped key that stands twice', '{"items":[{"id":"a","text":"a","\\u0069d":"b"}]}', 'items[0].id'],
    ['65 levels', `{"items":[{"text":"a","metadata":{"deep":${'['.repeat(61)}${']'.repeat(61)}}}]}`, `items[0].metadata.deep${'[0]'.repeat(60)}`],
    ['a trailing comma', '{"items":[{"text":"a"},]}', 'items[1]'],
    ['an end too early', '{"items":[{"text":"a"}', 'items[1]'],
    ['a leading zero', '{"items":[{"metadata":{"n":01}}]}', 'items[0].metadata.n'],
    ['a raw line break in a string', '{"items":[{"text":"a\nb"}]}', 'items[0].text'],
  ])('with %s is refused by its field', async (_what, body, param) => {
    expect(errorOf(await post(items(), body))).toEqual([400, 'invalid_request', param]);
    expect(errorOf(await inChunks(items(), Buffer.from(body), 1))).toEqual([400, 'invalid_request', param]);
  });

  it('that is not UTF-8 is refused by its field, never read as something else', async () => {
    const bytes = (before: string, broken: number[], after: string): Buffer => Buffer.concat([Buffer.from(before), Buffer.from(broken), Buffer.from(after)]);
    expect(errorOf(await post(items(), bytes('{"items":[{"id":"', [0xff], '","text":"a"}]}')))).toEqual([400, 'invalid_request', 'items[0].id']);
    expect(errorOf(await embed(bytes('{"input":["a","', [0xc3], '"]}')))).toEqual([400, 'invalid_request', 'input[1]']);
    expect(errorOf(await embed(bytes('{"input":["', [0xed, 0xa0, 0x80], '"]}')))).toEqual([400, 'invalid_request', 'input[0]']);
    expect(errorOf(await embed(bytes('{"', [0xff], '":1}')))).toEqual([400, 'invalid_request', null]);
  });

  it('may begin with a byte order mark, hold any escape and come in any pieces, plain or compressed', async () => {
    const texts = ['a "quoted" \\ / line\n\t\r\b\f', 'Grüße, ' + 'ö'.repeat(40), '😀 and \u0000', 'x'.repeat(70_000), ''];
    const written = `\ufeff {"items" : [${texts.map((text, i) => `{"id":"json-${i}","text":${JSON.stringify(text).replaceAll('😀', '\\uD83D\\ude00').replaceAll('/', '\\/')},"metadata":{"n":-0.5e1,"t":true,"f":false,"z":null}}`).join(' , ')}]} \n`;
    const stored = async (): Promise<string[]> => (await call(server.url, 'GET', items())).body.items.filter(({ id, metadata }: any) => id.startsWith('json-') && JSON.stringify(metadata) === '{"n":-5,"t":true,"f":false,"z":null}').map(({ text }: any) => text);
    for (const size of [1, 2, 3, 7, 64, 1 << 20]) {
      for (const { id } of (await call(server.url, 'GET', items())).body.items) await call(server.url, 'DELETE', `${items()}/${id}`);
      const bytes = Buffer.from(written);
      const answer = await inChunks(items(), size < 64 ? Buffer.from(written.replace('x'.repeat(70_000), 'x'.repeat(300))) : bytes, size);
      expect(answer.body.items.map((each: any) => each.status)).toEqual(texts.map(() => 'created'));
      expect(await stored()).toEqual(size < 64 ? texts.map((text) => (text.length === 70_000 ? 'x'.repeat(300) : text)) : texts);
    }
    for (const [encoding, bytes] of [['gzip', gzipSync(written)], ['deflate', deflateSync(written)], ['br', brotliCompressSync(written)]] as const) {
      expect((await post(items(), bytes, { 'content-encoding': encoding })).body.items.map((each: any) => each.status)).toEqual(texts.map(() => 'unchanged'));
      expect((await inChunks(items(), bytes, 5, { 'content-encoding': encoding })).status).toBe(200);
    }
    expect(errorOf(await post(items(), gzipSync(written).subarray(0, 60), { 'content-encoding': 'gzip' }))).toEqual([400, 'invalid_request', 'Content-Encoding']);
    expect(errorOf(await post(items(), Buffer.from('no gzip'), { 'content-encoding': 'gzip' }))).toEqual([400, 'invalid_request', 'Content-Encoding']);
    expect((await post(items(), written, { 'content-encoding': 'zstd' })).body.error.message).toMatch(/gzip, deflate or brotli/);
    expect((await post(items(), written, { 'content-type': 'application/json; charset=iso-8859-1' })).body.error.message).toMatch(/UTF-8/);
    expect((await post(items(), written, { 'content-type': 'application/json; charset="UTF-8"' })).status).toBe(200);
  });

  it('keeps control characters, NUL too, wherever it takes them', async () => {
    const odd = 'a\u0000b\u001b[31m\n\u0085';
    await post('/v1/collections', { name: 'controls', description: odd });
    expect((await call(server.url, 'GET', '/v1/collections/controls')).body.description).toBe(odd);
    const form = new FormData();
    form.append('metadata', JSON.stringify([{ id: 'file', source: odd }]));
    form.append('file', new Blob([await drawn(4)]), 'a.png');
    await post(items('controls'), form);
    await post(items('controls'), { items: [{ id: 'text', text: odd, source: odd, metadata: { [odd]: odd } }] });
    expect((await call(server.url, 'GET', `${items('controls')}/text`)).body).toMatchObject({ text: odd, sources: [odd], metadata: { [odd]: odd } });
    expect((await call(server.url, 'GET', `${items('controls')}/file`)).body.sources).toEqual([odd]);
  });

  it('keeps every double to its last bit', async () => {
    const numbers = ['0.1', '-0.30000000000000004', '123456789.12345679', '5e-324', '1.7976931348623157e308', '9007199254740991', '9007199254740992', '-9007199254740992', '9007199254740.991', '0.00000000000000000000001234567890123456789', '1E+2', '2.5e-7', '100000000000000000000.5', '0e999'];
    await post(items(), `{"items":[{"id":"numbers","text":"n","metadata":{"list":[${numbers.join()}]}}]}`);
    expect((await call(server.url, 'GET', `${items()}/numbers`)).body.metadata.list).toEqual(numbers.map(Number));
  });

  it.each([
    ['2,049 inputs', '/v1/embeddings', { input: Array(2049).fill('a') }, 'input', /at most 2048 inputs/],
    ['2,049 inputs to classify', '/v1/classify', { input: Array(2049).fill('a'), labels: ['a'] }, 'input', /at most 2048 inputs/],
    ['1,001 labels', '/v1/classify', { input: 'a', labels: Array.from({ length: 1001 }, String) }, 'labels', /at most 1000 labels/],
    ['101 templates', '/v1/classify', { input: 'a', labels: ['a'], templates: Array(101).fill('{}') }, 'templates', /at most 100 templates/],
    ['101 prompts', '/v1/classify', { input: 'a', labels: ['b', { name: 'a', prompts: Array(101).fill('a') }] }, 'labels[1].prompts', /at most 100 prompts/],
    ['1,001 items', items(), { items: Array(1001).fill({}) }, 'items', /at most 1000 items/],
    ['10,001 ids', `${items()}/exists`, { ids: Array(10_001).fill('a') }, 'ids', /At most 10000 ids/],
    ['33 queries', searchIn(), { query: Array(33).fill({ input: 'a' }) }, 'query', /At most 32/],
    ['a list of 65,537', items(), { items: [{ text: 'a', metadata: { list: Array(65_537).fill(0) } }] }, 'items[0].metadata.list', /at most 65536 entries/],
    ['an object of 65,537', items(), { items: [{ text: 'a', metadata: Object.fromEntries(Array.from({ length: 65_537 }, (_, i) => [`k${i}`, 0])) }] }, 'items[0].metadata', /at most 65536 keys/],
    ['four million values', '/v1/embeddings', { input: Array(62).fill(Array(65_536).fill(0)) }, /^input\[61\]\[\d+\]$/, /more than 4000000 values/],
    ['a key of 70,000 bytes', items(), { items: [{ text: 'a', metadata: { ['k'.repeat(70_000)]: 1 } }] }, 'items[0].metadata', /key is at most 65536 bytes/],
    ['a template for more than a text', '/v1/classify', { input: 'a', labels: ['l'.repeat(2000)], templates: ['{}'.repeat(1000)] }, 'labels[0]', /at most 1000000 bytes/],
    ['templates that make too much', '/v1/classify', { input: 'a', labels: Array.from({ length: 1000 }, (_, i) => `${i}`), templates: [`{}${'x'.repeat(900_000)}`] }, 'labels', /16000000 characters/],
  ])('with %s is refused with the limit', async (_what, at, body, param, message) => {
    const { status, body: answer } = await post(at, body);
    expect([status, answer.error.code]).toEqual([413, 'too_large']);
    if (typeof param === 'string') expect(answer.error.param).toBe(param);
    else expect(answer.error.param).toMatch(param);
    expect(answer.error.message).toMatch(message);
  });

  it('tells the first wrong entry of a long list', async () => {
    const late = (n: number, wrong: unknown): unknown[] => [...Array(n).fill('a'), ...Array(5).fill(wrong)];
    for (const wrong of [{}, { text: 1 }, true, 1.5, null, [], ['a'], { text: 'a', image: 'b' }]) {
      const { status, body } = await post('/v1/embeddings', { input: late(2000, wrong) });
      expect([wrong, status, body.error.param]).toEqual([wrong, 400, expect.stringMatching(/^input\[2000\]/)]);
    }
    for (const wrong of [{}, 1, null, '', '..', 'a\u0007', 'x'.repeat(513)]) {
      expect(errorOf(await post(`${items()}/exists`, { ids: late(9000, wrong) }))).toEqual([400, 'invalid_request', 'ids[9000]']);
    }
  });
});

describe('every key is kept or named', () => {
  const odd = '{"__proto__":{"a":1,"__proto__":[2]},"constructor":"c","toString":null,"":{"":0},"hasOwnProperty":[{"__proto__":"x"}],"ключ":"ü","$x.y":1}';

  it('in metadata: of items, of an item that is changed, of files, in listings and matches', async () => {
    await post(items(), `{"items":[{"id":"odd","modality":"image","embedding":${JSON.stringify(axis(0))},"metadata":${odd}}]}`);
    const form = new FormData();
    form.append('metadata', `[{"id":"odd-file","metadata":${odd}}]`);
    form.append('file', new Blob([await drawn(1)]), 'odd.png');
    expect((await post(items(), form)).body.items[0].status).toBe('created');
    const byName = new FormData();
    byName.append('file', new Blob([await drawn(2)]), 'named.png');
    byName.append('metadata', new Blob([`{"named.png":${odd}}`]), 'blob');
    expect((await post(items(), byName)).body.items[0].status).toBe('created');
    expect(await textOf('GET', `${items()}/odd`)).toContain(`"metadata":${odd}`);
    expect(await textOf('GET', `${items()}/odd-file`)).toContain(`"metadata":${odd}`);
    const filter = encodeURIComponent('{"__proto__.a":1}');
    const listed = await textOf('GET', `${items()}?filter=${filter}`);
    expect([listed.split(`"metadata":${odd}`).length - 1, listed.split('"metadata":').length - 1]).toEqual([3, 3]);
    const found = await textOf('POST', searchIn(), `{"query":{"embedding":${JSON.stringify(axis(0))}},"filter":{"__proto__.a":{"$gte":1}}}`);
    expect(found.split(`"metadata":${odd}`)).toHaveLength(4);
    expect(await textOf('PATCH', `${items()}/odd`, '{"metadata":{"__proto__":7}}')).toContain('"metadata":{"__proto__":7}');
    expect((await call(server.url, 'GET', `${items()}?filter=${filter}`)).body.items).toHaveLength(2);
  });

  it('in a filter: one that names only __proto__ deletes what it matches and nothing else', async () => {
    await post('/v1/collections', { name: 'kept' });
    await post(items('kept'), '{"items":[{"id":"a","text":"a"},{"id":"b","text":"b","metadata":{"__proto__":1}}]}');
    expect((await call(server.url, 'DELETE', `${items('kept')}?filter=${encodeURIComponent('{"__proto__":2}')}`)).body).toEqual({ deleted: 0 });
    expect((await call(server.url, 'DELETE', `${items('kept')}?filter=${encodeURIComponent('{"__proto__":1}')}`)).body).toEqual({ deleted: 1 });
    expect((await call(server.url, 'GET', items('kept'))).body.items.map(({ id }: any) => id)).toEqual(['a']);
  });

  it.each([
    ['/v1/embeddings', '{"input":"a","__proto__":{"model":"none"}}', '__proto__'],
    ['/v1/embeddings', '{"input":["a",{"text":"a","__proto__":1}]}', 'input[1].__proto__'],
    ['/v1/classify', '{"input":"a","labels":[{"name":"a","prompts":["b"],"__proto__":null}]}', 'labels[0].__proto__'],
    ['/v1/collections', '{"name":"proto","__proto__":{}}', '__proto__'],
    [searchIn(), '{"query":[{"input":{"text":"a","__proto__":1}}]}', 'query[0].input.__proto__'],
    [`${items()}/exists`, '{"ids":[],"__proto__":1}', '__proto__'],
  ])('in a request: %s %s is an unknown field', async (at, body, param) => {
    expect(errorOf(await post(at, body))).toEqual([400, 'invalid_request', param]);
  });

  it('in one item, and in a query string', async () => {
    const { body } = await post(items(), '{"items":[{"text":"a","__proto__":1},{"text":"fine"}]}');
    expect(body.items.map((each: any) => [each.status, each.error?.param])).toEqual([['failed', '__proto__'], ['created', undefined]]);
    expect(errorOf(await call(server.url, 'GET', `${items()}?__proto__=1`))).toEqual([400, 'invalid_request', '__proto__']);
    expect(errorOf(await call(server.url, 'DELETE', `${items()}?all=true&__proto__=1`))).toEqual([400, 'invalid_request', '__proto__']);
  });
});

describe('a filter that leaves nothing out', () => {
  const nothing = ['{}', '{"$and":[{}]}', '{"$or":[{}]}', '{"$not":{"$not":{}}}', '{"$or":[{"a":1},{}]}', '{"$and":[{},{"$and":[{}]}]}', '{"a":{"$nin":[]}}', '{"a":{"$not":{"$in":[]}}}'];

  it('lists everything, and deletes only with all=true', async () => {
    await post('/v1/collections', { name: 'whole' });
    await post(items('whole'), { items: [{ id: 'a', text: 'a' }, { id: 'b', text: 'b' }] });
    for (const filter of nothing.map(encodeURIComponent)) {
      expect((await call(server.url, 'GET', `${items('whole')}?filter=${filter}`)).body.items).toHaveLength(2);
      expect(errorOf(await call(server.url, 'DELETE', `${items('whole')}?filter=${filter}`))).toEqual([400, 'invalid_request', 'filter']);
    }
    expect((await call(server.url, 'DELETE', `${items('whole')}?filter=${encodeURIComponent('{"$not":{}}')}`)).body).toEqual({ deleted: 0 });
    expect(errorOf(await call(server.url, 'DELETE', `${items('whole')}?all=true&filter=${encodeURIComponent('{"a":1}')}`))).toEqual([400, 'invalid_request', 'all']);
    expect((await call(server.url, 'GET', items('whole'))).body.items).toHaveLength(2);
    expect((await call(server.url, 'DELETE', `${items('whole')}?all=true&filter=%7B%7D`)).body).toEqual({ deleted: 2 });
  });
});

describe('a field that is null counts as absent', () => {
  it('in every request, also within inputs, queries and items', async () => {
    const plain = (await post('/v1/embeddings', { input: 'a' })).body;
    const nulls = { model: null, encoding_format: null, embedding_type: null, dimensions: null, force_dimensions: null, normalized: null, user: null, task: null };
    expect((await post('/v1/embeddings', { input: [{ text: 'a', image: null }], ...nulls })).body.data).toEqual(plain.data);
    const labels = { input: 'a', labels: ['a', 'b'] };
    expect((await post('/v1/classify', { ...labels, model: null, templates: null, activation: null, top_k: null, threshold: null })).body).toEqual((await post('/v1/classify', labels)).body);
    expect((await post('/v1/collections', { name: 'nulls', model: null, description: null, originals: null })).status).toBe(201);
    await post('/v1/collections', { name: 'empty' });
    const item = { id: 'n', text: null, image: null, path: null, source: null, metadata: null, embedding: axis(0), modality: 'image', fingerprint: null };
    expect((await post(items('nulls'), { items: [item, { id: 't', text: 't', embedding: null, modality: null, metadata: { kept: null } }] })).body.items.map((each: any) => each.status)).toEqual(['created', 'created']);
    expect((await call(server.url, 'GET', `${items('nulls')}/t`)).body.metadata).toEqual({ kept: null });
    const found = await post(searchIn('nulls'), { query: [{ input: { embedding: axis(0), fingerprint: null, id: null }, weight: null }], modality: null, filter: null, limit: null, cursor: null, min_score: null, exact: null });
    expect(found.body.matches.map(({ id }: any) => id)).toContain('n');
    expect((await post(searchIn('nulls'), { query: { id: 't' }, filter: { kept: null } })).body.matches).toEqual([]);
    expect((await post(searchIn('nulls'), { query: { id: 'n' }, filter: { kept: null } })).body.matches.map(({ id }: any) => id)).toEqual(['t']);
    const reembed = async (body: object): Promise<unknown> => (await post('/v1/collections/empty/reembed', body)).body;
    expect(await reembed({ model: null, dry_run: true, from_thumbnails: null, skip_impossible: null })).toEqual(await reembed({ dry_run: true }));
    const form = new FormData();
    form.append('metadata', JSON.stringify({ 'a.png': null }));
    form.append('file', new Blob([await drawn(3)]), 'a.png');
    expect((await post(items('nulls'), form)).body.items[0].status).toBe('created');
  });

  it('so that one that is needed is missing', async () => {
    const missing = async (at: string, body: object, method = 'POST'): Promise<unknown[]> => {
      const answer = await call(server.url, method, at, body);
      return [...errorOf(answer), /missing/.test(answer.body.error.message)];
    };
    expect(await missing('/v1/embeddings', { input: null })).toEqual([400, 'invalid_request', 'input', true]);
    expect(await missing('/v1/embeddings', {})).toEqual([400, 'invalid_request', 'input', true]);
    expect(await missing('/v1/classify', { input: 'a', labels: null })).toEqual([400, 'invalid_request', 'labels', true]);
    expect(await missing('/v1/collections', { name: null })).toEqual([400, 'invalid_request', 'name', true]);
    expect(await missing(`${items()}/exists`, { ids: null })).toEqual([400, 'invalid_request', 'ids', true]);
    expect(await missing(items(), { items: null })).toEqual([400, 'invalid_request', 'items', true]);
    expect(await missing(searchIn(), { query: null })).toEqual([400, 'invalid_request', 'query', true]);
    expect(await missing(`${items()}/odd`, { metadata: null }, 'PATCH')).toEqual([400, 'invalid_request', 'metadata', true]);
  });

  it('as the OpenAPI document says of every field that may be left out', async () => {
    const { schemas } = (await call(server.url, 'GET', '/openapi.json')).body.components;
    for (const name of ['EmbeddingsRequest', 'ClassifyRequest', 'NewCollection', 'ReembedRequest', 'NewItem', 'FileNote', 'SearchRequest', 'WeightedQuery']) {
      for (const [field, schema] of Object.entries<any>(schemas[name].properties)) {
        if (schemas[name].required?.includes(field)) continue;
        const isAny = Object.keys(schema).every((key) => key === 'description');
        expect([name, field, isAny || [schema.type].flat().includes('null') || schema.anyOf?.some((each: any) => each.type === 'null')]).toEqual([name, field, true]);
      }
    }
  });
});

describe('what a URL says', () => {
  it('is UTF-8, percent-encoded, and stands once', async () => {
    const get = (at: string): Promise<Answer> => call(server.url, 'GET', at);
    expect(errorOf(await get(`${items()}?cursor=%FF`))).toEqual([400, 'invalid_request', 'cursor']);
    expect(errorOf(await get(`${items()}?filter=%7B%22a%22:%22%ED%A0%80%22%7D`))).toEqual([400, 'invalid_request', 'filter']);
    expect(errorOf(await get(`${items()}?limit=1&limit=2`))).toEqual([400, 'invalid_request', 'limit']);
    expect(errorOf(await get(`${items()}?%6Cimit=1&limit=2`))).toEqual([400, 'invalid_request', 'limit']);
    expect(errorOf(await get(`${items()}/%FF`))).toEqual([400, 'invalid_request', 'path']);
    expect(errorOf(await get(`${items()}?filter=${encodeURIComponent('{"a":9007199254740993}')}`))).toEqual([400, 'invalid_request', 'filter.a']);
    expect(errorOf(await get(`${items()}?filter=${encodeURIComponent('{"a":1,"a":2}')}`))).toEqual([400, 'invalid_request', 'filter.a']);
    // Node's fetch would encode it.
    const raw = await new Promise<number>((resolve, reject) => httpRequest({ port: server.port, path: `${items()}/\u00fc` }, (response) => response.resume().on('end', () => resolve(response.statusCode!))).on('error', reject).end());
    expect(raw).toBe(400);
  });

  it('finds an id as it is, however odd', async () => {
    const id = 'ü/ä?#%+ &=😀';
    await post(items(), { items: [{ id, text: 'odd id' }] });
    expect((await call(server.url, 'GET', `${items()}/${encodeURIComponent(id)}`)).body.id).toBe(id);
  });
});

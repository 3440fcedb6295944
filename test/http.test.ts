/** What the service answers to whom: hosts, origins, keys, and callers who ask too much or leave. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items } from './api.js';
import { request } from './behind-nginx.js';
import { drawn } from './pictures.js';
import { flat, readsTexts, startSmall, type SmallService } from './small-service.js';

const keys = ['first-key', 'second-key', 'third-key'];
const site = 'https://photos.example';
let open: SmallService;
let keyed: SmallService;
beforeAll(async () => {
  [open, keyed] = await Promise.all([startSmall({ small: readsTexts }, { MIXSPACE_QUEUE_LIMIT: '20', MIXSPACE_MAX_TEXT: '900' }), startSmall({ small: readsTexts }, { MIXSPACE_API_KEYS: keys.join(','), MIXSPACE_CORS_ORIGINS: site })]);
});
afterAll(() => Promise.all([open.remove(), keyed.remove()]));

/** With headers that fetch does not let through. */
function raw(service: SmallService, headers: Record<string, string>, at = '/v1/collections', method = 'GET'): Promise<{ status: number; headers: Record<string, string | string[] | undefined> }> {
  return new Promise((resolve, reject) => {
    const sent = request(service.server.url + at, { method, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** 0 where it is not told yet. */
async function metric(service: SmallService, name: string): Promise<number> {
  const { body } = await call<string>(service.server.url, 'GET', '/metrics');
  return Number(body.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ')[1] ?? 0);
}

describe('A service of the loopback', () => {
  it.each([
    ['127.0.0.1', 200],
    ['localhost', 200],
    ['LOCALHOST', 200],
    ['[::1]', 200],
    ['10.1.2.3', 403],
    ['192.168.0.7', 403],
    ['93.184.216.34', 403],
    ['[2606:4700::1111]', 403],
    ['0.0.0.0', 403],
    ['photos.example', 403],
    ['localhost.photos.example', 403],
  ])('answers the host %s with %d', async (host, status) => {
    expect((await raw(open, { host })).status).toBe(status);
    expect((await raw(open, { host: `${host}:${open.server.port}` })).status).toBe(status);
  });

  it('is not called by pages of another port of this machine, nor of another scheme\'s', async () => {
    const { protocol, hostname, port } = new URL(open.server.url);
    const called = async (origin: string): Promise<number> => (await raw(open, { origin })).status;
    expect(await called(`${protocol}//${hostname}:${port}`)).toBe(200);
    expect(await called(`${protocol}//${hostname}:${Number(port) + 1}`)).toBe(403);
    expect(await called(`${protocol}//${hostname}`)).toBe(403);
    expect(await called(`${protocol}//localhost:${port}`)).toBe(403);
    expect(await called('null')).toBe(403);
  });

  it('tells browsers with every answer to run nothing of others and to show it nowhere else', async () => {
    for (const at of ['/', '/docs/', '/healthz', '/v1/collections', '/v1/nothing']) {
      const { headers } = await raw(open, {}, at);
      expect(headers, at).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN', 'referrer-policy': 'no-referrer', 'cross-origin-resource-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin' });
      expect(headers['content-security-policy']).toBe("default-src 'self';img-src 'self' blob: data:;style-src 'self' 'unsafe-inline';object-src 'none';base-uri 'none';form-action 'self';frame-ancestors 'none'");
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('may be linked to, but what it holds may not be opened from elsewhere', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    for (const at of ['/', '/docs/', '/healthz']) expect([at, (await raw(open, link, at)).status]).toEqual([at, 200]);
    for (const at of ['/v1/collections', '/v1/models', `${items()}/x/image`]) expect([at, (await raw(open, link, at)).status]).toEqual([at, 403]);
    expect((await raw(open, link, '/healthz', 'POST')).status).toBe(403);
    expect((await raw(open, { ...link, 'sec-fetch-mode': 'no-cors' }, '/healthz')).status).toBe(403);
  });
});

describe('Keys', () => {
  it.each(keys)('open all the same, whichever it is: %s', async (key) => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect([scheme, (await raw(keyed, { authorization: `${scheme} ${key}` })).status]).toEqual([scheme, 200]);
  });

  it.each(['', 'Bearer', 'Bearer ', 'Bearer first', 'Bearer first-key2', 'Bearer first-key second-key', 'Basic first-key', 'first-key'])('open nothing where they are none: "%s"', async (authorization) => {
    expect((await raw(keyed, authorization === '' ? {} : { authorization })).status).toBe(401);
  });

  it('and origins: an answer is one origin\'s, and no shared cache keeps a picture', async () => {
    const authorization = `Bearer ${keys[1]!}`;
    const image = await flat(200, 100, 50);
    const added = await call(keyed.server.url, 'POST', items(), { items: [{ id: 'a', image }] }, { authorization });
    expect(added.body.items[0].status).toBe('created');
    for (const origin of [undefined, site]) {
      for (const at of ['/v1/collections', '/', `${items()}/a/image`, `${items()}/a/image?size=original`]) {
        const { status, headers } = await raw(keyed, { authorization, ...(origin === undefined ? {} : { origin }) }, at);
        expect([at, status, headers['vary']]).toEqual([at, 200, expect.stringMatching(/\borigin\b/i)]);
        expect(headers['access-control-allow-origin']).toBe(origin);
        if (at.includes('image')) expect(headers).toMatchObject({ 'cache-control': expect.stringMatching(/^private\b/), 'x-content-type-options': 'nosniff', 'content-security-policy': expect.stringContaining('sandbox') });
      }
    }
  });
});

describe('A caller', () => {
  it('is told when to come back where more is asked than may wait, also by an ingest', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
    const image = base64(await drawn(2, 'jpeg', 2400, 1800));
    const busy = open.post('/v1/embeddings', { input: Array(60).fill({ image }) });
    await expect.poll(() => metric(open, 'mixspace_encoder_waiting'), { timeout: 60_000, interval: 10 }).toBeGreaterThan(20);
    for (const answer of [await open.post('/v1/embeddings', { input: texts }), await open.post(items(), { items: texts.map((text) => ({ text })) })]) {
      expect([answer.status, answer.body.error.code]).toEqual([429, 'overloaded']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    expect((await busy).status).toBe(200);
  });

  it('whose request fails finds nothing of it behind what failed', async () => {
    // Written 32 at once: the first of them wait for the encoder in vain, those behind them need none.
    const texts = Array.from({ length: 32 }, (_, n) => ({ id: `text-${n}`, text: `number ${n} of them` }));
    const given = Array.from({ length: 40 }, (_, n) => ({ id: `given-${n}`, embedding: [1, 0, 0, 0], modality: 'text' }));
    const image = base64(await drawn(2, 'jpeg', 2400, 1800));
    const busy = open.post('/v1/embeddings', { input: Array(60).fill({ image }) });
    await expect.poll(() => metric(open, 'mixspace_encoder_waiting'), { timeout: 60_000, interval: 10 }).toBeGreaterThan(20);
    const answer = await open.post(items(), { items: [...texts, ...given] });
    expect([answer.status, answer.body.error.code]).toEqual([429, 'overloaded']);
    const ids = [...texts, ...given].map(({ id }) => id);
    expect((await open.post(`${items()}/exists`, { ids })).body.missing).toEqual(ids);
    expect((await busy).status).toBe(200);
  });

  it('who leaves is worked for no more', async () => {
    const image = base64(await drawn(1, 'jpeg', 2400, 1800));
    const begun = (): Promise<number> => metric(keyed, 'mixspace_stage_seconds_count{stage="decode"}');
    const before = await begun();
    const leaving = new AbortController();
    const asked = fetch(`${keyed.server.url}/v1/embeddings`, { method: 'POST', signal: leaving.signal, headers: { 'content-type': 'application/json', authorization: `Bearer ${keys[0]!}` }, body: JSON.stringify({ input: Array(80).fill({ image }) }) });
    asked.catch(() => undefined);
    await expect.poll(begun, { timeout: 60_000, interval: 10 }).toBeGreaterThan(before);
    leaving.abort();
    await expect.poll(() => metric(keyed, 'mixspace_encoder_waiting'), { timeout: 60_000, interval: 20 }).toBe(0);
    // Four pictures a batch: all of them would be 20.
    expect((await begun()) - before).toBeLessThan(15);
  });

  it('who goes on sending after the refusal has the answer, and is cut off', async () => {
    const socket = connect(open.server.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    const ended = once(socket, 'close');
    socket.write(`POST ${items()} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000000\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`);
    const sending = setInterval(() => socket.write('a'.repeat(1_000)), 20);
    try {
      await expect.poll(() => answer, { timeout: 60_000 }).toMatch(/^HTTP\/1\.1 413 [^]*"code":"too_large"/);
      await ended;
    } finally {
      clearInterval(sending);
      socket.destroy();
    }
  });

  it('does not fill the metrics with paths of its own', async () => {
    for (const headers of [{}, { host: 'photos.example' }, { origin: 'https://elsewhere.example' }]) for (const at of ['/v1/no-such-path-xyz', '/neither-this-xyz']) await raw(open, headers, at);
    const { body } = await call<string>(open.server.url, 'GET', '/metrics');
    expect(body).toMatch(/route="unknown",status="403"/);
    expect(body.split('\n').filter((line) => line.includes('xyz'))).toEqual([]);
  });
});

describe('What is sent wrong', () => {
  it('deletes nothing: all=false, or a filter and all=true', async () => {
    await open.collection('kept');
    await open.add('kept', [{ id: 'a', embedding: [1, 0, 0, 0], modality: 'text', metadata: { n: 1 } }]);
    for (const query of ['', '?all=false', '?all=', '?all=1', `?all=true&filter=${encodeURIComponent('{"n":1}')}`]) {
      expect([query, (await call(open.server.url, 'DELETE', items('kept') + query)).status]).toEqual([query, 400]);
    }
    expect((await open.get('/v1/collections/kept')).body.counts.total).toBe(1);
    expect((await call(open.server.url, 'DELETE', `${items('kept')}?all=false&filter=${encodeURIComponent('{"n":2}')}`)).body).toEqual({ deleted: 0 });
    expect((await call(open.server.url, 'DELETE', `${items('kept')}?all=true`)).body).toEqual({ deleted: 1 });
  });

  it.each([
    ['letters of one byte', 'a', 900],
    ['letters of two bytes', '\u00e9', 450],
    ['letters of three bytes', '\u732b', 300],
    ['pairs of four bytes', '\u{1f600}', 225],
  ])('is refused where a text has more bytes than it may: %s', async (_what, letter, most) => {
    for (const [count, status] of [[most, 200], [most + 1, 413]] as const) {
      expect((await open.post('/v1/embeddings', { input: letter.repeat(count) })).status).toBe(status);
      expect((await open.post('/v1/classify', { input: 'a', labels: [{ name: 'long', prompts: [letter.repeat(count)] }] })).status).toBe(status);
      expect((await open.post(items(), { items: [{ id: 'long', text: letter.repeat(count) }] })).body.items[0].error?.code).toBe(status === 200 ? undefined : 'too_large');
    }
  });

  it.each([1, 3, 0])('takes nothing in: a list of %d notes for two files', async (count) => {
    const form = new FormData();
    for (const seed of [1, 2]) form.append('file', new Blob([Buffer.from(await flat(seed, seed, 200), 'base64')]), `${seed}.png`);
    form.append('metadata', JSON.stringify(Array.from({ length: count }, (_, i) => ({ id: `note ${i}` }))));
    const { status, body } = await open.post(items(), form);
    expect([status, body.error?.param]).toEqual([400, 'metadata']);
    expect((await open.get('/v1/collections/default')).body.counts.image).toBe(0);
  });
});

it('Each reference of the OpenAPI document leads to a schema of it', async () => {
  const { body } = await open.get('/openapi.json');
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to!);
  expect(references.length).toBeGreaterThan(20);
  for (const to of new Set(references)) {
    const place = /^#\/components\/schemas\/(\w+)$/.exec(to);
    expect([to, Object.hasOwn(body.components.schemas, place?.[1] ?? '')]).toEqual([to, true]);
  }
});

it('Each tag of the OpenAPI document says what it is of', async () => {
  const { body } = await open.get('/openapi.json');
  expect(body.tags.length).toBeGreaterThan(5);
  for (const { name, description } of body.tags) expect([name, description]).toEqual([name, expect.stringMatching(/\.$/)]);
});

it('Each code has its status, and the document says so', async () => {
  const { body } = await open.get('/openapi.json');
  const told = Object.fromEntries([...body.info.description.matchAll(/^- `(\w+)` \((\d+)\): /gm)].map(([, code, status]: string[]) => [code, Number(status)]));
  expect(told).toMatchObject({
    invalid_request: 400, unauthorized: 401, forbidden: 403, not_found: 404, method_not_allowed: 405, conflict: 409, too_large: 413,
    unsupported_media: 415, damaged_media: 415, unprocessable: 422, overloaded: 429, internal: 500, not_ready: 503, disk_full: 507,
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { isOverPostgres } from './over-postgres.js';
import { animated, cmyk, drawn, grey16, greyAlpha, rotatedByExif, vastPng } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
let hostile: https.Server;
let folder: string;
let port: number;
let hits = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-bad-'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2'], { cwd: folder, stdio: 'ignore' });
  const picture = await drawn(1);
  hostile = https.createServer({ key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) }, (request, response) => {
    hits++;
    if (request.url === '/picture') response.end(picture);
    else if (request.url === '/to-private') response.writeHead(302, { location: `https://127.0.0.1:${port}/picture` }).end();
    else if (request.url === '/to-metadata') response.writeHead(307, { location: 'https://169.254.169.254/latest/meta-data' }).end();
    else if (request.url === '/to-http') response.writeHead(302, { location: 'http://127.0.0.2/picture' }).end();
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (request.url === '/endless') {
      const more = setInterval(() => response.write(Buffer.alloc(1_000_000)), 1);
      response.on('close', () => clearInterval(more));
    } else if (request.url === '/silent') return;
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => hostile.listen(0, '0.0.0.0', resolve));
  port = (hostile.address() as { port: number }).port;
  server = await startServer({ env: { NODE_EXTRA_CA_CERTS: path.join(folder, 'cert.pem'), MIXSPACE_FETCH_ALLOW: '127.0.0.2', MIXSPACE_FETCH_TIMEOUT: '4000', MIXSPACE_MAX_PICTURE: '20MB' } });
});
afterAll(async () => {
  await server.remove();
  hostile.closeAllConnections();
  hostile.close();
  await rm(folder, { recursive: true, force: true });
});

const post = (at: string, body: unknown, headers?: Record<string, string>): Promise<Answer> => call(server.url, 'POST', at, body, headers);
const embedOne = (image: string): Promise<Answer> => post('/v1/embeddings', { input: [{ image }] });

/** Highest resident memory since `resetPeak`, in MB. */
const peak = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))![1]) / 1024;
const resetPeak = (): void => writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5');

describe('pictures', () => {
  it('reads what is unusual and refuses what is broken, each with a sentence, while the rest of the batch goes through', async () => {
    const jpeg = await drawn(2, 'jpeg');
    const cases: [string, Buffer, string][] = [
      ['png', await drawn(1), 'created'],
      ['jpeg', jpeg, 'created'],
      ['webp', await drawn(3, 'webp'), 'created'],
      ['avif', await drawn(4, 'avif'), 'created'],
      ['tiff', await drawn(5, 'tiff'), 'created'],
      ['gif', await drawn(6, 'gif'), 'created'],
      ['animated gif', await animated('gif'), 'created'],
      ['animated webp', await animated('webp'), 'created'],
      ['cmyk', await cmyk(), 'created'],
      ['16 bit', await grey16(), 'created'],
      ['grey and alpha', await greyAlpha(), 'created'],
      ['rotated', await rotatedByExif(), 'created'],
      ['1x1', await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } }).png().toBuffer(), 'created'],
      ['empty', Buffer.alloc(0), 'unsupported_media'],
      ['text renamed', Buffer.from('I am no picture.'), 'unsupported_media'],
      ['truncated jpeg', jpeg.subarray(0, jpeg.length / 2), 'damaged_media'],
      ['truncated png', (await drawn(1)).subarray(0, 400), 'damaged_media'],
      ['broken', Buffer.concat([jpeg.subarray(0, 20), Buffer.alloc(500, 7)]), 'damaged_media'],
      ['30,000 x 30,000', vastPng(), 'too_large'],
      ['svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><image xlink:href="file:///etc/passwd" width="9" height="9"/></svg>'), 'unsupported_media'],
      ['svg with a prologue', Buffer.from('\uFEFF<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'), 'unsupported_media'],
      ['heic', Buffer.concat([Buffer.from('00000018', 'hex'), Buffer.from('ftypheic'), Buffer.alloc(600)]), 'damaged_media'],
      ['pdf', Buffer.from('%PDF-1.4\n%%EOF'), 'unsupported_media'],
      ['over the limit', Buffer.concat([jpeg, Buffer.alloc(20_000_001)]), 'too_large'],
    ];
    await post('/v1/embeddings', { input: [{ image: base64(jpeg) }, { image: base64(jpeg) }] });
    resetPeak();
    const before = peak();
    const { status, body } = await post(items(), { items: cases.map(([id, bytes]) => ({ id, image: base64(bytes) })) });
    expect(status).toBe(200);
    expect(body.items.map((each: any) => [each.id, each.error?.code ?? each.status])).toEqual(cases.map(([id, , expected]) => [id, expected]));
    for (const { error } of body.items) if (error) expect(error.message).toMatch(/^[A-Z].*\.$/s);
    expect(peak() - before).toBeLessThan(300);

    for (const [name, bytes, expected] of cases.slice(13)) {
      const alone = await embedOne(base64(bytes));
      expect([name, alone.status]).toEqual([name, expected === 'too_large' ? 413 : 415]);
      expect(alone.body.error.param).toBe('input[0].image');
    }
  });

  it('refuses a vast picture within 300 MB of memory', async () => {
    const vast = base64(vastPng());
    resetPeak();
    const before = peak();
    expect((await embedOne(vast)).status).toBe(413);
    expect(peak() - before).toBeLessThan(300);
  });
});

describe('URLs', () => {
  it('fetches what is allowed', async () => {
    expect((await embedOne(`https://127.0.0.2:${port}/picture`)).status).toBe(200);
  });

  it.each(
    [
      'https://127.0.0.1:PORT/picture',
      'https://localhost:PORT/picture',
      'https://[::1]:PORT/picture',
      'https://[::ffff:127.0.0.1]:PORT/picture',
      'https://2130706433:PORT/picture',
      'https://0x7f.1:PORT/picture',
      'https://0.0.0.0:PORT/picture',
      'https://10.0.0.1/x.png',
      'https://172.16.0.1/x.png',
      'https://192.168.1.1/x.png',
      'https://169.254.169.254/latest/meta-data',
      'https://100.64.0.1/x.png',
      'https://[fe80::1]/x.png',
      'https://[fd00::1]/x.png',
      'https://[64:ff9b::7f00:1]/x.png',
      'https://224.0.0.1/x.png',
      'https://127.0.0.2:PORT/to-private',
      'https://127.0.0.2:PORT/to-metadata',
      'https://127.0.0.2:PORT/to-http',
      'https://127.0.0.2:PORT/loop',
      'https://127.0.0.2:PORT/nothing-here',
      'https://127.0.0.2:PORT/silent',
      'http://127.0.0.2:PORT/picture',
      'ftp://127.0.0.2/picture',
      'file:///etc/passwd',
      'https://no-such-host.invalid/x.png',
    ].map((url) => [url]),
  )('refuses %s', async (url) => {
    const answer = await embedOne(url.replace('PORT', String(port)));
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([422, 'unprocessable', 'input[0].image']);
  });

  it('stops reading a picture at its limit, however much is sent', async () => {
    expect((await embedOne(`https://127.0.0.2:${port}/endless`)).status).toBe(413);
    expect(hits).toBeGreaterThan(0);
  });
});

describe('requests', () => {
  it.each([
    ['what is no JSON', '/v1/embeddings', '{"input": ', {}, 400],
    ['an empty body', '/v1/embeddings', '', {}, 400],
    ['a body that is not an object', '/v1/embeddings', '[]', {}, 400],
    ['another content type', '/v1/embeddings', 'input=a', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['an unknown charset', '/v1/embeddings', '{"input":"a"}', { 'content-type': 'application/json; charset=klingon' }, 400],
    ['a multipart body without boundary', items(), 'x', { 'content-type': 'multipart/form-data' }, 400],
    ['a multipart body cut short', items(), '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxx', { 'content-type': 'multipart/form-data; boundary=b' }, 400],
    ['multipart where JSON is due', '/v1/embeddings', '--b--\r\n', { 'content-type': 'multipart/form-data; boundary=b' }, 400],
    ['an id with a control character', items(), JSON.stringify({ items: [{ id: 'a\u0007', text: 'x' }] }), {}, 200],
    ['an id that no URL can name', items(), JSON.stringify({ items: [{ id: '..', text: 'x' }] }), {}, 200],
    ['metadata over 64 kB', items(), JSON.stringify({ items: [{ metadata: { a: 'x'.repeat(70_000) }, text: 'x' }] }), {}, 200],
    ['1,001 items', items(), JSON.stringify({ items: Array(1001).fill({ text: 'x' }) }), {}, 413],
    ['an unknown collection', searchIn('none'), '{"query":"a"}', {}, 404],
    ['an unknown path', '/v1/none', '{}', {}, 404],
  ])('answers %s with its status and an error object', async (_what, at, body, headers, status) => {
    const answer = await post(at, body, headers);
    expect(answer.status).toBe(status);
    const error = status === 200 ? answer.body.items[0].error : answer.body.error;
    expect(error).toMatchObject({ message: expect.any(String), type: expect.any(String), code: expect.any(String) });
  });

  it('tells wrong methods and bad percent-encoding apart from unknown paths', async () => {
    const wrong = await call(server.url, 'PUT', '/v1/embeddings');
    expect([wrong.status, wrong.headers.get('allow'), wrong.body.error.code]).toEqual([405, 'POST', 'method_not_allowed']);
    expect((await call(server.url, 'GET', `${items()}/%E0%A4%A`)).status).toBe(400);
    expect((await call(server.url, 'GET', `${items()}?limit=0`)).body.error.param).toBe('limit');
    expect((await call(server.url, 'GET', `${items()}?colour=red`)).body.error.param).toBe('colour');
    expect((await call(server.url, 'GET', `${items()}?filter=%7B`)).body.error.param).toBe('filter');
  });

  it('refuses a body over its limit without reading it all', async () => {
    const small = await startServer({ env: { MIXSPACE_MAX_BODY: '1MB' } });
    try {
      const large = await call(small.url, 'POST', '/v1/embeddings', JSON.stringify({ input: 'a'.repeat(2_000_000) }));
      expect([large.status, large.body.error.code]).toEqual([413, 'too_large']);
      const form = new FormData();
      form.append('file', new Blob([Buffer.alloc(2_000_000)]), 'x.jpg');
      expect((await call(small.url, 'POST', items(), form)).status).toBe(413);
    } finally {
      await small.remove();
    }
  });

  it('takes the names of special tokens, emoji and odd scripts as plain text', async () => {
    const input = ['<s> </s> <pad> <unk>', '<|endoftext|>', '👨‍👩‍👧‍👦', '\u0000', '‮abc', 'สวัสดี', 'a\u0301'.repeat(2000), '\n\t '];
    const answer = await post('/v1/embeddings', { input });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toHaveLength(input.length);
  });
});

describe('browsers', () => {
  const raw = (headers: Record<string, string>, method = 'GET', at = '/v1/collections'): Promise<number> =>
    new Promise((resolve, reject) => {
      import('node:http').then(({ request }) => {
        const sent = request(server.url + at, { method, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        sent.on('error', reject);
        sent.end(method === 'POST' ? '{"name":"from-elsewhere"}' : undefined);
      }, reject);
    });

  it('refuses a name that was rebound to this address', async () => {
    expect(await raw({ host: 'evil.example' })).toBe(403);
    expect(await raw({ host: `evil.example:${server.port}` }, 'GET', '/')).toBe(403);
    expect(await raw({ host: `127.0.0.1.evil.example:${server.port}` })).toBe(403);
    expect(await raw({ host: `localhost:${server.port}` })).toBe(200);
    expect(await raw({ host: `[::1]:${server.port}` })).toBe(200);
  });

  it('refuses pages of other sites, reading and writing', async () => {
    expect(await raw({ origin: 'https://evil.example' }, 'POST')).toBe(403);
    expect(await raw({ origin: 'null' }, 'POST')).toBe(403);
    expect(await raw({ 'sec-fetch-site': 'cross-site' }, 'POST')).toBe(403);
    expect(await raw({ origin: 'https://evil.example' })).toBe(403);
    expect(await raw({ origin: server.url, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect((await call(server.url, 'GET', '/v1/collections')).body.collections.map((each: any) => each.name)).not.toContain('from-elsewhere');
  });

  it('asks for a key where keys are set, but not for the page, its documents and its health', async () => {
    const keyed = await startServer({ env: { MIXSPACE_API_KEYS: 'one,two', MIXSPACE_CORS_ORIGINS: 'https://photos.example' } });
    try {
      const status = async (at: string, headers: Record<string, string> = {}): Promise<number> => (await call(keyed.url, 'GET', at, undefined, headers)).status;
      expect(await status('/v1/models')).toBe(401);
      expect(await status('/v1/none')).toBe(401);
      expect(await status('/v1/models', { authorization: 'Bearer three' })).toBe(401);
      expect(await status('/v1/models', { authorization: 'Bearer two' })).toBe(200);
      for (const at of ['/', '/docs', '/openapi.json', '/healthz', '/readyz', '/metrics']) expect([at, await status(at)]).toEqual([at, 200]);
      const preflight = await call(keyed.url, 'OPTIONS', '/v1/models', undefined, { origin: 'https://photos.example', 'access-control-request-method': 'POST' });
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, 'https://photos.example']);
    } finally {
      await keyed.remove();
    }
  });
});

describe('settings', () => {
  it.each([
    [{ MIXSPACE_COLOUR: 'red' }, 'MIXSPACE_COLOUR'],
    [{ PORT: 'eighty' }, 'PORT'],
    [{ MIXSPACE_STORE: 'http://elsewhere' }, 'MIXSPACE_STORE'],
    [{ MIXSPACE_FETCH_ALLOW: '10.0.0.0/99' }, 'MIXSPACE_FETCH_ALLOW'],
    [{ HOST: '0.0.0.0' }, 'MIXSPACE_API_KEYS'],
    [{ MIXSPACE_ROOTS: '/no/such/folder' }, '/no/such/folder'],
    [{ MIXSPACE_MODEL: 'none' }, 'none'],
  ])('stop the start with one line that names what is wrong: %o', async (env, named) => {
    const failure = await startServer({ env: env as unknown as Record<string, string> }).then(
      async (started) => {
        await started.remove();
        return '';
      },
      (error: Error) => error.message,
    );
    expect(failure).toContain('ended before it was ready');
    expect(failure).toContain(named);
    expect(failure).not.toMatch(/\n\s+at /);
  });

  it('let pass what Kubernetes injects', async () => {
    const started = await startServer({ env: { MIXSPACE_PORT: 'tcp://10.0.0.1:8080', MIXSPACE_SERVICE_HOST: '10.0.0.1' } });
    expect(await started.stop()).toBe(0);
    await started.remove();
  });

  it.skipIf(isOverPostgres)('refuse a second process on the same index directory', async () => {
    const second = await startServer({ indexDir: server.indexDir }).catch((error: Error) => error.message);
    expect(second).toMatch(/another .*process/i);
  });

  it('refuse a port in use', async () => {
    const busy = await startServer({ env: { PORT: String(server.port) } }).catch((error: Error) => error.message);
    expect(busy).toMatch(/in use/);
  });
});

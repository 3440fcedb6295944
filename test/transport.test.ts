import { createHash } from 'node:crypto';
import { openSync } from 'node:fs';
import net from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, call, items } from './api.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
/** Asks for a key, and has little room and patience. */
let strict: RunningServer;
let picture: Buffer;
beforeAll(async () => {
  picture = await drawn(1);
  server = await startServer({ env: { MIXSPACE_MAX_BODY: '20MB', MIXSPACE_MAX_UPLOADS: '40MB', MIXSPACE_MAX_ITEMS: '20', MIXSPACE_MAX_PICTURE: '12MB' } });
  strict = await startServer({ env: { MIXSPACE_API_KEYS: 'one', MIXSPACE_MAX_BODY: '6MB', MIXSPACE_UPLOAD_TIMEOUT: '1', MIXSPACE_MAX_UPLOADS: '2MB' } });
});
afterAll(() => Promise.all([server.remove(), strict.remove()]));

interface Reply {
  status: number;
  head: string;
  body: any;
}

/** All that came until the connection was closed, as answers. */
function replies(text: string): Reply[] {
  const found: Reply[] = [];
  for (let rest = text; rest.startsWith('HTTP/'); ) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    found.push({ status: Number(head.slice(9, 12)), head, body: /json/.test(head) ? JSON.parse(body) : body });
    rest = rest.slice(end + 4 + length);
  }
  return found;
}

/** A connection on which bytes are written as they are given. */
class Wire {
  readonly socket: net.Socket;
  text = '';
  readonly closed: Promise<void>;

  constructor(to: RunningServer) {
    this.socket = net.connect(to.port, '127.0.0.1');
    this.socket.on('data', (chunk) => (this.text += chunk.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  async until(seen: (text: string) => boolean): Promise<string> {
    while (!seen(this.text) && !this.socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.text;
  }

  async reply(): Promise<Reply> {
    await this.until((text) => replies(text).some(({ status, head, body }) => status !== 100 && (!/content-length: [1-9]/i.test(head) || body !== '')));
    return replies(this.text).find(({ status }) => status !== 100)!;
  }
}

async function raw(bytes: string | Uint8Array, to = server): Promise<Reply> {
  const wire = new Wire(to);
  await wire.send(bytes);
  const reply = await wire.reply();
  wire.socket.destroy();
  return reply;
}

const disposition = (rest: string): string => `Content-Disposition: form-data; ${rest}\r\n`;
const part = (headers: string, content: string | Uint8Array): Buffer => Buffer.concat([Buffer.from(`--b\r\n${headers}\r\n`, 'latin1'), Buffer.from(content as string), Buffer.from('\r\n')]);
const file = (content: Uint8Array, name = 'a.png'): Buffer => part(disposition(`name="file"; filename="${name}"`), content);
const form = (...parts: Uint8Array[]): Buffer => Buffer.concat([...parts, Buffer.from('--b--\r\n')]);
const postForm = (body: Uint8Array, headers: Record<string, string> = {}) => call(server.url, 'POST', items(), body, { 'content-type': 'multipart/form-data; boundary=b', ...headers });
const idOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function expectAlive(): Promise<void> {
  expect(server.process.exitCode).toBe(null);
  expect((await call(server.url, 'GET', '/healthz')).status).toBe(200);
}

describe('multipart', () => {
  const good = Buffer.from('x');
  it.each<[string, Buffer, RegExp, Record<string, string>?]>([
    ['a part without a name', form(part(disposition('filename="a.png"'), good)), /part 1 has no name/],
    ['a part with an empty name', form(part(disposition('name=""'), good)), /part 1 has no name/],
    ['a part without headers', form(part('', good)), /part 1 has no Content-Disposition/],
    ['a part without Content-Disposition', form(file(good), part('Content-Type: image/png\r\n', good)), /part 2 has no Content-Disposition/],
    ['a part that is no form-data', form(part('Content-Disposition: attachment; name="file"\r\n', good)), /part 1 has no Content-Disposition/],
    ['a part that is named twice', form(part(disposition('name="file"; name="metadata"'), good)), /part 1 has no Content-Disposition/],
    ['a header that stands twice', form(part(disposition('name="file"') + disposition('name="metadata"'), good)), /content-disposition twice/],
    ['a header that is none', form(part('nothing here\r\n', good)), /header that is none/],
    ['a name that is not UTF-8', form(part(disposition('name="fil\xff"'), good)), /name of part 1 is not UTF-8/],
    ['__proto__ as a name', form(part(disposition('name="__proto__"'), good)), /"__proto__"/],
    ['an unclosed quote', form(part(disposition('name="file'), good)), /part 1 has no Content-Disposition/],
    ['a header of 1 MB', form(part(`X: ${'y'.repeat(1_000_000)}\r\n`, good)), /over 16384 bytes/],
    ['10,000 headers', form(part(Array.from({ length: 10_000 }, (_, n) => `X${n}: y\r\n`).join(''), good)), /over 16384 bytes/],
    ['a second metadata part', form(part(disposition('name="metadata"'), '[]'), part(disposition('name="metadata"'), '{}'), file(good)), /more than one part named metadata/],
    ['metadata that is not UTF-8', form(file(good), part(disposition('name="metadata"'), Buffer.from('{"a.png": {"x": "\xff"}}', 'latin1'))), /metadata.* is not UTF-8/],
    ['metadata of another charset', form(file(good), part(`${disposition('name="metadata"')}Content-Type: application/json; charset=iso-8859-1\r\n`, '{}')), /metadata as UTF-8/],
    ['a part in base64', form(part(`${disposition('name="file"')}Content-Transfer-Encoding: base64\r\n`, 'eA==')), /send its bytes as they are/],
    ['a body that ends in a part', file(good), /before its closing boundary/],
    ['a body that ends in the headers of a part', Buffer.from('--b\r\nContent-Dis'), /before its closing boundary/],
    ['an empty body', Buffer.alloc(0), /./],
    ['a body without any part', form(), /no part named file/],
    ['a boundary of 71 characters', Buffer.from(`--${'b'.repeat(71)}--\r\n`), /at most 70/, { 'content-type': `multipart/form-data; boundary=${'b'.repeat(71)}` }],
    ['an empty boundary', form(file(good)), /no boundary/, { 'content-type': 'multipart/form-data; boundary=""' }],
  ])('refuses %s with a sentence', async (_what, body, sentence, headers) => {
    const answer = await postForm(body, headers);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.error.message).toMatch(sentence);
    await expectAlive();
  });

  it('refuses more files than the limit, and a file over it alone', async () => {
    const many = await postForm(form(...Array.from({ length: 21 }, () => file(good))));
    expect([many.status, many.body.error.code, many.body.error.param]).toEqual([413, 'too_large', 'file']);
    const { body } = await postForm(form(file(Buffer.alloc(12_000_001), 'large.png'), file(picture)));
    expect(body.items.map((each: any) => each.error?.code ?? each.status)).toEqual(['too_large', 'created']);
    expect(body.items[0].error.message).toContain('12000000');
  });

  it('keeps file names as they were sent, and refuses those that are none, alone', async () => {
    const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
    const names: [string, string | undefined][] = [
      [utf8('filename="мяч 球.png"'), 'мяч 球.png'],
      ['filename="a \\"b\\" \\\\ c\\d.png"', 'd.png'],
      ['filename="a;b=\\"c\\".png"', 'a;b="c".png'],
      ['filename=plain.png', 'plain.png'],
      ['filename="/etc/up/../e.png"', 'e.png'],
      ["filename=\"fallback.png\"; filename*=UTF-8''%e7%90%83.png", '球.png'],
      ["filename*=ISO-8859-1''%e9.png", 'é.png'],
      [utf8('filename="\uFEFFbom.png"'), '\uFEFFbom.png'],
      ['filename=".."', undefined],
      ['filename=""', undefined],
      ['x=1', undefined],
    ];
    const pictures = await Promise.all(names.map((_, seed) => drawn(100 + seed)));
    const { status, body } = await postForm(form(...names.map(([name], index) => part(disposition(`name="file"; ${name}`), pictures[index]!))));
    expect([status, body.items.map((each: any) => each.status)]).toEqual([200, names.map(() => 'created')]);
    const sources = await Promise.all(body.items.map(async ({ id }: any) => (await call(server.url, 'GET', `${items()}/${id}`)).body.sources));
    expect(sources).toEqual(names.map(([, name]) => (name === undefined ? [] : [name])));

    const bad = await postForm(form(file(picture, 'a\xff.png'), file(picture, 'a\0.png'), part(disposition("name=\"file\"; filename*=UTF-8''%ff"), picture), file(pictures[0]!, 'good.png')));
    expect(bad.body.items.map((each: any) => each.error?.message ?? each.status)).toEqual(['The file name is not UTF-8.', 'The file name holds a NUL.', 'The file name is not UTF-8.', 'updated']);
  });

  it('finds the same parts however the bytes are cut, and takes what looks like a boundary for content', async () => {
    const lookalikes = ['\r\n--', '\r\n--c\r\n', '\r\n--bb', '\r\n--b-', '\r\n--b \t x', '\r\n\r\n--', '\r\n--b\r', '--b--\r\n', '\r\n-', '\r', ''];
    const contents = lookalikes.map((text) => Buffer.concat([picture, Buffer.from(`${text}|${text}`)]));
    const body = form(...contents.map((content) => file(content)), Buffer.from('--b \t\r\n' + disposition('name="metadata"') + '\r\n[' + contents.map((_, index) => `{"id":"cut${index}"}`).join() + ']\r\n'));
    const head = `POST ${items()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n`;
    for (const size of [1, 2, 3, 7, 64, body.length]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < body.length; at += size) {
        const chunk = body.subarray(at, at + size);
        chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
      }
      const { status, body: answer } = await raw(Buffer.concat([Buffer.from(head), ...chunks, Buffer.from('0\r\n\r\n')]));
      expect([size, status, answer.items.map((each: any) => each.id)]).toEqual([size, 200, contents.map((_, index) => `cut${index}`)]);
      for (const [index, content] of contents.entries()) {
        const original = await fetch(`${server.url}${items()}/cut${index}/image?size=original`);
        expect([size, index, idOf(new Uint8Array(await original.arrayBuffer()))]).toEqual([size, index, idOf(content)]);
      }
    }
  });

  it('reads compressed bodies, and refuses what swells, is damaged or of another encoding', async () => {
    const body = form(file(picture));
    for (const [encoding, bytes] of [['gzip', gzipSync(body)], ['deflate', deflateSync(body)], ['br', brotliCompressSync(body)], ['identity', body]] as const) {
      const { body: answer } = await postForm(bytes, { 'content-encoding': encoding });
      expect([encoding, answer.items[0].id]).toEqual([encoding, idOf(picture)]);
    }
    const swollen = await postForm(gzipSync(form(file(Buffer.alloc(30_000_000)))), { 'content-encoding': 'gzip' });
    expect([swollen.status, swollen.body.error.code]).toEqual([413, 'too_large']);
    const cut = gzipSync(body);
    for (const [encoding, bytes] of [['gzip', cut.subarray(0, cut.length - 20)], ['gzip', body], ['br', body], ['deflate', body], ['zstd', body], ['gzip, gzip', cut], ['__proto__', body]] as const) {
      const { status, body: answer } = await postForm(bytes, { 'content-encoding': encoding });
      expect([encoding, status, answer.error.param]).toEqual([encoding, 400, 'Content-Encoding']);
    }
    await expectAlive();
  });

  it('answers 600 damaged bodies without a 5xx, and lives', { timeout: 120_000 }, async () => {
    const whole = form(part(disposition('name="metadata"'), '{"a.png": {"n": 1}}'), file(picture), file(Buffer.from('x'), 'b.png'));
    const pieces = ['\r\n', '--b', '--', '"', '\\', ';', ':', '\0', '\xff', 'Content-Disposition: form-data', 'name', '=', 'filename*', '\r\n\r\n'].map((text) => Buffer.from(text, 'latin1'));
    const damage = fc.array(fc.record({ at: fc.nat(400), cut: fc.nat(30), piece: fc.constantFrom(...pieces, Buffer.alloc(0)) }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 20, maxLength: 20 }), async (batch) => {
        await Promise.all(
          batch.map(async (steps) => {
            const body = steps.reduce<Buffer>((bytes, { at, cut, piece }) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + cut)]), whole);
            const { status } = await postForm(body);
            expect([200, 400, 413]).toContain(status);
          }),
        );
      }),
      { numRuns: 30, seed: 14, endOnFailure: true },
    );
    await expectAlive();
  });
});

describe('uploads in flight', () => {
  const head = (to: string, length: number | 'chunked', type = 'multipart/form-data; boundary=b'): string =>
    `POST ${to} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\nContent-Type: ${type}\r\n${length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`}\r\n\r\n`;
  const held = async (to = server): Promise<number> => Number(/mixspace_upload_bytes (\d+)/.exec((await call<string>(to.url, 'GET', '/metrics')).body)![1]);
  const heldIs = async (bytes: number, to = server): Promise<void> => {
    while ((await held(to)) !== bytes) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const start = file(Buffer.alloc(0)).subarray(0, -2);

  it('are bounded: who would go beyond gets 429 before a byte is read, and small calls pass meanwhile', async () => {
    const wires = Array.from({ length: 6 }, () => new Wire(server));
    try {
      await wires[0]!.send(head(items(), 19_000_000));
      await heldIs(19_000_000);
      await wires[0]!.send(Buffer.concat([start, Buffer.alloc(18_000_000)]));
      for (const wire of wires.slice(1)) {
        await wire.send(head(items(), 19_000_000));
        const { status, head: answer, body } = await wire.reply();
        expect([status, body.error.code]).toEqual([429, 'overloaded']);
        expect(answer).toMatch(/^Retry-After: [1-9]/im);
      }
      expect(await held()).toBe(19_000_000);
      expect((await call(server.url, 'POST', '/v1/embeddings', { input: 'a dog' })).status).toBe(200);
      expect((await postForm(form(file(picture)))).status).toBe(200);
      expect((await postForm(form(file(Buffer.alloc(12_500_000))))).status).toBe(200);
      // It reads its answer although it is still sending, and although the connection is to be closed behind it.
      expect((await postForm(form(file(Buffer.alloc(19_000_000))), { connection: 'close' })).status).toBe(429);
    } finally {
      for (const { socket } of wires) socket.destroy();
    }
    await heldIs(0);
    expect((await postForm(form(file(Buffer.alloc(19_000_000))))).status).toBe(200);
    await heldIs(0);
  });

  it('are counted as they come where no length is told, inflated bytes too', async () => {
    const first = new Wire(server);
    const second = new Wire(server);
    const chunk = (bytes: number): Buffer => Buffer.concat([Buffer.from(`${bytes.toString(16)}\r\n`), Buffer.alloc(bytes), Buffer.from('\r\n')]);
    try {
      await first.send(Buffer.concat([Buffer.from(head(items(), 'chunked')), Buffer.from(`${start.length.toString(16)}\r\n`), start, Buffer.from('\r\n'), chunk(18_000_000)]));
      await heldIs(18_000_000 + start.length);
      await second.send(Buffer.concat([Buffer.from(head(items(), 'chunked')), Buffer.from(`${start.length.toString(16)}\r\n`), start, Buffer.from('\r\n'), chunk(18_000_000)]));
      expect((await second.reply()).status).toBe(429);
      second.socket.destroy();
      await heldIs(18_000_000 + start.length);

      const small = gzipSync(form(file(Buffer.alloc(18_500_000))));
      expect(small.length).toBeLessThan(50_000);
      const swelling = await postForm(small, { 'content-encoding': 'gzip' });
      expect([swelling.status, swelling.body.error.code]).toEqual([429, 'overloaded']);

      await first.send(chunk(3_000_000));
      expect((await first.reply()).status).toBe(413);
    } finally {
      first.socket.destroy();
      second.socket.destroy();
    }
    await heldIs(0);
  });

  it('are counted by what the values of their JSON take of memory', async () => {
    const objects = `[${Array.from({ length: 60_000 }, () => '{}').join()}]`;
    const json = `{"none":[${Array.from({ length: 5 }, () => objects).join()}]}`;
    const wires = [new Wire(server), new Wire(server)];
    try {
      await wires[0]!.send(`${head('/v1/embeddings', json.length, 'application/json')}${json.slice(0, -1)}`);
      // Objects and lists count four values each, 16 bytes a value.
      while ((await held()) < json.length + 300_000 * 64) await new Promise((resolve) => setTimeout(resolve, 20));
      await wires[1]!.send(`${head('/v1/embeddings', json.length, 'application/json')}${json.slice(0, -1)}`);
      const refused = await wires[1]!.reply();
      expect([refused.status, refused.body.error.code]).toEqual([429, 'overloaded']);
    } finally {
      for (const { socket } of wires) socket.destroy();
    }
    await heldIs(0);
    expect((await call(server.url, 'POST', '/v1/embeddings', json, { authorization: 'Bearer one' })).status).toBe(400);
  });

  it('end with 408 where they stand still, whatever reads them; one that is alone fits, however small the bound', async () => {
    const { status, body } = await raw(Buffer.concat([Buffer.from(head(items(), 5_500_000)), start]), strict);
    expect([status, body.error.code, body.error.type]).toEqual([408, 'timeout', 'invalid_request_error']);
    const json = await raw(`${head('/v1/embeddings', 100, 'application/json')}{"input":`, strict);
    expect([json.status, json.body.error.code]).toEqual([408, 'timeout']);
    await heldIs(0, strict);
    const alone = await call(strict.url, 'POST', items(), form(file(Buffer.alloc(5_000_000))), { 'content-type': 'multipart/form-data; boundary=b', authorization: 'Bearer one' });
    expect([alone.status, alone.body.items[0].error.code]).toEqual([200, 'unsupported_media']);
  });
});

describe('HTTP itself', () => {
  const host = 'Host: localhost\r\n';
  it.each<[string, string, number, string?]>([
    ['health over HTTP/1.0 without a Host', 'GET /healthz HTTP/1.0\r\n\r\n', 200],
    ['readiness over HTTP/1.0 without a Host', 'GET /readyz HTTP/1.0\r\n\r\n', 200],
    ['anything else over HTTP/1.0 without a Host', 'GET /v1/collections HTTP/1.0\r\n\r\n', 403, 'forbidden'],
    ['health over HTTP/1.1 without a Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
    ['health with a foreign Host', 'GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n', 403, 'forbidden'],
    ['Host twice', `GET /healthz HTTP/1.1\r\n${host}${host}\r\n`, 400, 'invalid_request'],
    ['Host twice, the second one foreign', `GET /healthz HTTP/1.1\r\n${host}hOST: evil.example\r\n\r\n`, 400, 'invalid_request'],
    ['an empty Host', 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n', 403, 'forbidden'],
    ['a whole URL of this host', `GET http://localhost/v1/collections HTTP/1.1\r\n${host}\r\n`, 200],
    ['a whole URL of another host', `GET http://evil.example/healthz HTTP/1.1\r\n${host}\r\n`, 400, 'invalid_request'],
    ['a URL that is none', `GET http://[::1 HTTP/1.1\r\n${host}\r\n`, 400, 'invalid_request'],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400, 'invalid_request'],
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['two lengths', `POST /v1/embeddings HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400, 'invalid_request'],
    ['a length and chunks', `POST /v1/embeddings HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'invalid_request'],
    ['chunks that are none', `POST /v1/embeddings HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`, 400, 'invalid_request'],
    ['headers over 16 kB', `GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['an expectation nobody meets', `POST /v1/embeddings HTTP/1.1\r\n${host}Content-Length: 3\r\nExpect: tea\r\n\r\n`, 417, 'expectation_failed'],
  ])('answers %s', async (_what, bytes, status, code) => {
    const reply = await raw(bytes);
    expect([reply.status, reply.body.error?.code]).toEqual([status, code]);
    if (code) expect(reply.body.error).toMatchObject({ message: expect.stringMatching(/\.$/), type: expect.any(String) });
  });

  it('asks for a body only where it would be read: 413, 401 and 404 come at once', async () => {
    const expecting = (at: string, length: number, key = 'one'): string =>
      `POST ${at} HTTP/1.1\r\n${host}Authorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
    for (const [bytes, status] of [[expecting('/v1/embeddings', 6_000_001), 413], [expecting('/v1/embeddings', 10, 'two'), 401], [expecting('/v1/none', 10), 404], [expecting('/none', 10), 404]] as const) {
      const wire = new Wire(strict);
      await wire.send(bytes);
      await wire.closed;
      expect(replies(wire.text).map((reply) => reply.status)).toEqual([status]);
    }
    const body = '{"input":"a dog"}';
    const wire = new Wire(strict);
    await wire.send(expecting('/v1/embeddings', body.length));
    await wire.until((text) => text.includes('100 Continue'));
    await wire.send(body);
    expect((await wire.reply()).status).toBe(200);
    wire.socket.destroy();
  });
});

it('says nothing of callers who hang up or send no HTTP, wherever they are, but one line each at debug', async () => {
  const talking = await startServer({ env: { LOG_LEVEL: 'debug' } });
  const json = (length: number): string => `POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n`;
  const work = JSON.stringify({ items: await Promise.all(Array.from({ length: 12 }, async (_, seed) => ({ image: base64(await drawn(seed, 'jpeg', 800, 600)) }))) });
  const halves: [string, string | Uint8Array][] = [
    ['in a JSON body', `${json(100)}\r\n{"input"`],
    ['in a multipart body', Buffer.concat([Buffer.from(`POST ${items()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900\r\n\r\n`), file(picture).subarray(0, 200)])],
    ['in a compressed multipart body', Buffer.concat([Buffer.from(`POST ${items()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Encoding: gzip\r\nContent-Length: 900\r\n\r\n`), gzipSync(form(file(picture))).subarray(0, 200)])],
    ['in a compressed JSON body', Buffer.concat([Buffer.from(`${json(100)}Content-Encoding: gzip\r\n\r\n`), gzipSync('{"input":"a"}').subarray(0, 12)])],
    ['before it was asked for the body', `${json(100)}Expect: 100-continue\r\n\r\n`],
    ['waiting for the encoder', `POST ${items()} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(work)}\r\n\r\n${work}`],
    ['while the answer is sent', 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20)],
    ['in the headers', 'GET /healthz HTTP/1.1\r\nHo'],
  ];
  try {
    for (const [, bytes] of halves) {
      for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const wire = new Wire(talking);
        await wire.send(bytes);
        wire.socket[leave]();
        if (leave === 'end') {
          await Promise.race([wire.closed, wire.reply()]);
          wire.socket.destroy();
        }
      }
    }
    await raw('no HTTP\r\n\r\n', talking);
    while (!/mixspace_encoder_waiting 0/.test((await call<string>(talking.url, 'GET', '/metrics')).body)) await new Promise((resolve) => setTimeout(resolve, 50));
    // Waits behind all that was sent before.
    expect((await call(talking.url, 'POST', '/v1/embeddings', { input: 'a dog' })).status).toBe(200);
    await expect.poll(() => talking.logs().split('The caller hung up.').length - 1).toBeGreaterThanOrEqual(8);
    const told = talking.logs().trim().split('\n').map((line) => JSON.parse(line));
    expect(told.filter(({ level, msg }) => level >= 30 && !/^(Listening|Ready)/.test(msg))).toEqual([]);
    expect(JSON.stringify(told)).not.toMatch(/\\n +at /);
  } finally {
    await talking.remove();
  }
});

describe('what nobody catches', () => {
  /** Loaded into the service before its own code. */
  const planted = `data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => { throw new Error('planted') }); process.on('SIGHUP', () => { Promise.reject(new Error('planted')) })")}`;

  it('ends the service in order where it was an exception, and not where it was a rejection', { timeout: 180_000 }, async () => {
    const started = await startServer({ env: { NODE_OPTIONS: `--import=${planted}` } });
    try {
      started.process.kill('SIGHUP');
      while (!started.logs().includes('A background task failed.')) await new Promise((resolve) => setTimeout(resolve, 10));
      await call(started.url, 'POST', items(), { items: [{ id: 'kept', text: 'a dog' }] });
      const ended = new Promise((resolve) => started.process.once('close', resolve));
      started.process.kill('SIGUSR2');
      expect(await ended).toBe(1);
      const lines = started.logs().trim().split('\n').map((line) => JSON.parse(line));
      expect(lines.find(({ msg }) => /nobody caught/.test(msg))).toMatchObject({ level: 50, error: expect.stringContaining('planted') });
      expect(lines.at(-1).msg).toBe('Stopped.');
      const again = await startServer({ indexDir: started.indexDir });
      expect((await call(again.url, 'GET', `${items()}/kept`)).status).toBe(200);
      expect(await again.stop()).toBe(0);
    } finally {
      await started.remove();
    }
  });

  it('is not a log that cannot be written any more', { timeout: 180_000 }, async () => {
    const started = await startServer({ env: { LOG_LEVEL: 'debug' } });
    try {
      (started.process.stdout as unknown as net.Socket).destroy();
      (started.process.stderr as unknown as net.Socket).destroy();
      for (let n = 0; n < 20; n++) expect((await call(started.url, 'GET', '/healthz')).status).toBe(200);
      expect(await started.stop()).toBe(0);
    } finally {
      await started.remove();
    }
    const full = await startServer({ env: { LOG_LEVEL: 'debug' }, stdout: openSync('/dev/full', 'w') });
    try {
      for (let n = 0; n < 20; n++) expect((await call(full.url, 'GET', '/healthz')).status).toBe(200);
      expect(await full.stop()).toBe(0);
    } finally {
      await full.remove();
    }
  });
});

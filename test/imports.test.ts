import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { pack, type Headers } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import sharp from 'sharp';
import { call } from './api.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

const limits = { MIXSPACE_MAX_PICTURE: '2MB', MIXSPACE_IMPORT_ENTRIES: '3000', MIXSPACE_IMPORT_BYTES: '300MB', MIXSPACE_MAX_IMPORT: '20MB' };

let server: RunningServer;
let stand: https.Server;
let away: string;
let folder: string;
const picture: Buffer[] = [];
const idOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'mixspace-imports-')));
  for (let i = 0; i < 24; i++) picture.push(await drawn(700 + i, i % 2 === 0 ? 'png' : 'jpeg', 48, 32));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.2'], { cwd: folder, stdio: 'ignore' });
  stand = https.createServer({ key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) }, (request, response) => {
    const bytes = picture[Number(/^\/(\d+)\.png/.exec(request.url!)?.[1] ?? 99)];
    if (bytes) response.end(bytes);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => stand.listen(0, '127.0.0.2', resolve));
  away = `https://127.0.0.2:${(stand.address() as { port: number }).port}`;
  server = await startServer({ args: ['--roots', folder], env: { ...limits, NODE_EXTRA_CA_CERTS: path.join(folder, 'cert.pem'), MIXSPACE_FETCH_ALLOW: '127.0.0.2' } });
}, 180_000);
afterAll(async () => {
  await server.remove();
  stand.closeAllConnections();
  stand.close();
  await rm(folder, { recursive: true, force: true });
});

let collections = 0;
async function collection(url = server.url): Promise<string> {
  const name = `imports-${collections++}`;
  expect((await call(url, 'POST', '/v1/collections', { name })).status).toBe(201);
  return name;
}

async function file(name: string, bytes: Buffer | string): Promise<string> {
  const at = path.join(folder, name);
  await mkdir(path.dirname(at), { recursive: true });
  await writeFile(at, bytes);
  return at;
}

/** Of an honest writer. */
async function zip(entries: [name: string, bytes: Buffer | string, options?: { compress?: boolean }][], end: { forceZip64Format?: boolean } = {}): Promise<Buffer> {
  const made = new ZipFile();
  for (const [name, bytes, { compress = true } = {}] of entries) made.addBuffer(Buffer.from(bytes as string), name, { compress });
  made.end(end);
  const pieces: Buffer[] = [];
  for await (const piece of made.outputStream as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

interface RawEntry {
  name: Buffer | string;
  bytes: Buffer;
  /** What is said in place of what is so. */
  size?: number;
  flags?: number;
  mode?: number;
  method?: number;
  crc?: number;
  /** The directory names the local header of the entry of this number. */
  at?: number;
}

/** Byte by byte, whatever they say (PKWARE's APPNOTE). */
function rawZip(entries: RawEntry[]): Buffer {
  const pieces: Buffer[] = [];
  const offsets: number[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name as string);
    const method = entry.method ?? 0;
    const data = method === 8 ? deflateRawSync(entry.bytes) : entry.bytes;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(entry.flags ?? 0, 6);
    local.writeUInt16LE(method, 8);
    const sizes = (into: Buffer, from: number): void => {
      into.writeUInt32LE(entry.crc ?? crc32(entry.bytes), from);
      into.writeUInt32LE(data.length, from + 4);
      into.writeUInt32LE(entry.size ?? entry.bytes.length, from + 8);
      into.writeUInt16LE(name.length, from + 12);
    };
    sizes(local, 14);
    offsets.push(at);
    if (entry.at === undefined) {
      pieces.push(local, name, data);
      at += 30 + name.length + data.length;
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(0x0314, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(entry.flags ?? 0, 8);
    central.writeUInt16LE(method, 10);
    sizes(central, 16);
    central.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
    central.writeUInt32LE(offsets[entry.at ?? offsets.length - 1]!, 42);
    directory.push(central, name);
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...pieces, listed, end]);
}

async function tar(entries: [header: Partial<Headers> & { name: string }, bytes?: Buffer | string][]): Promise<Buffer> {
  const made = pack();
  for (const [header, bytes = ''] of entries) made.entry(header, Buffer.from(bytes as string) as unknown as string);
  made.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of made as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function ended(id: string, url = server.url): Promise<any> {
  for (;;) {
    const { body } = await call(url, 'GET', `/v1/jobs/${id}`);
    if (['done', 'failed', 'cancelled'].includes(body.state)) return body;
    await delay(50);
  }
}

async function imported(name: string, body: object): Promise<any> {
  const answer = await call(server.url, 'POST', `/v1/collections/${name}/imports`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  expect(answer.body.job).toMatchObject({ kind: 'import', collection: name });
  return ended(answer.body.job.id);
}

async function sent(name: string, bytes: Buffer, type: string, fileName?: string): Promise<any> {
  const answer = await call(server.url, 'POST', `/v1/collections/${name}/imports${fileName === undefined ? '' : `?name=${encodeURIComponent(fileName)}`}`, bytes, { 'content-type': type });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return ended(answer.body.job.id);
}

async function all(name: string, url = server.url): Promise<any[]> {
  const { body } = await call(url, 'GET', `/v1/collections/${name}/items?limit=1000`);
  return body.items;
}
const sourcesIn = async (name: string): Promise<Record<string, string[]>> => Object.fromEntries((await all(name)).map(({ id, sources }) => [id, sources.sort()]));
const failuresOf = async (id: string): Promise<Record<string, string>> => Object.fromEntries((await call(server.url, 'GET', `/v1/jobs/${id}/failures?limit=1000`)).body.failures.map(({ file: at, reason }: any) => [at, reason]));

describe('archives under a root', () => {
  it('are taken in, stored and deflated, with a name in the source that says where each picture lies', async () => {
    const name = await collection();
    const at = await file('trip.zip', await zip([['a.png', picture[0]!], ['inner/b.jpg', picture[1]!, { compress: false }], ['inner/Bär.png', picture[2]!], ['inner/again.png', picture[0]!], ['notes.md', 'no picture'], ['__MACOSX/._a.png', 'x'], ['.hidden.png', 'x'], ['a.AAE', 'edits']]));
    const job = await imported(name, { path: at });
    expect(job).toMatchObject({ state: 'done', problem: null, done: 4, total: 4, failed: 0, result: { found: 4, created: 3, updated: 1, unchanged: 0, failed: 0, left_out: { other: 1, side_folders: 1, hidden: 1, aae: 1 } } });
    expect(await sourcesIn(name)).toEqual({ [idOf(picture[0]!)]: [`${at}/a.png`, `${at}/inner/again.png`], [idOf(picture[1]!)]: [`${at}/inner/b.jpg`], [idOf(picture[2]!)]: [`${at}/inner/Bär.png`] });
    expect((await imported(name, { archive: at })).result).toMatchObject({ found: 4, created: 0, updated: 0, unchanged: 4 });
  });

  it('may be zip64', async () => {
    const name = await collection();
    const at = await file('large.zip', await zip([['a.png', picture[0]!], ['b.jpg', picture[1]!]], { forceZip64Format: true }));
    expect((await imported(name, { path: at })).result).toMatchObject({ found: 2, created: 2 });
  });

  it('may be tar and tar.gz', async () => {
    const entries: Parameters<typeof tar>[0] = [[{ name: 'folder', type: 'directory' }], [{ name: `folder/${'long/'.repeat(40)}c.png` }, picture[3]!], [{ name: './d' }, picture[4]!], [{ name: 'text' }, 'no picture']];
    const plain = await tar(entries);
    for (const [index, bytes] of [plain, gzipSync(plain)].entries()) {
      const name = await collection();
      const at = await file(`tar-${index}.bin`, bytes);
      expect(await imported(name, { path: at })).toMatchObject({ state: 'done', result: { found: 2, created: 2, failed: 0, left_out: { other: 1 } } });
      expect(await sourcesIn(name)).toEqual({ [idOf(picture[3]!)]: [`${at}/folder/${'long/'.repeat(40)}c.png`], [idOf(picture[4]!)]: [`${at}/d`] });
    }
  });

  it('of hostile zips take in what is sound, name what is not, and write nothing beside', async () => {
    const name = await collection();
    const before = readdirSync(folder).sort();
    const zeros = Buffer.alloc(1_900_000);
    const at = await file(
      'hostile.zip',
      rawZip([
        { name: 'good.png', bytes: picture[0]! },
        { name: 'folder/', bytes: Buffer.alloc(0) },
        { name: '../up.png', bytes: picture[1]! },
        { name: '/etc/absolute.png', bytes: picture[1]! },
        { name: 'C:\\windows.png', bytes: picture[1]! },
        { name: 'deep\\..\\..\\back.png', bytes: picture[1]! },
        { name: 'link.png', bytes: Buffer.from('/etc/passwd'), mode: 0o120777 },
        { name: 'device.png', bytes: Buffer.alloc(0), mode: 0o020666 },
        { name: 'good.png', bytes: picture[2]! },
        { name: 'secret.png', bytes: picture[3]!, flags: 1 },
        { name: 'inner.zip', bytes: Buffer.from('PK') },
        { name: 'bomb.png', bytes: zeros, method: 8 },
        { name: 'vast.png', bytes: picture[4]!, size: 0xfffffff0, method: 8 },
        { name: 'short.png', bytes: picture[5]!, size: picture[5]!.length - 5, method: 8 },
        { name: 'sum.png', bytes: picture[6]!, crc: 7 },
        { name: 'packed.png', bytes: picture[7]!, method: 93 },
        { name: 'nul\0.png', bytes: picture[8]! },
        { name: `${'x'.repeat(3000)}.png`, bytes: picture[8]! },
        { name: 'cut.png', bytes: picture[9]!.subarray(0, 60) },
        // CP437: 0x81 is ü.
        { name: Buffer.from([0x81, 0x2e, 0x70, 0x6e, 0x67]), bytes: picture[10]! },
      ]),
    );
    const job = await imported(name, { path: at });
    expect(job).toMatchObject({ state: 'done', result: { found: 19, created: 2, failed: 17 } });
    expect(await sourcesIn(name)).toEqual({ [idOf(picture[0]!)]: [`${at}/good.png`], [idOf(picture[10]!)]: [`${at}/ü.png`] });
    const failures = await failuresOf(job.id);
    const reason = (inner: string): string => failures[`${at}/${inner}`]!;
    expect(reason('../up.png')).toMatch(/leads out/);
    expect(reason('/etc/absolute.png')).toMatch(/absolute/);
    expect(reason('C:\\windows.png')).toMatch(/absolute/);
    expect(reason('deep\\..\\..\\back.png')).toMatch(/leads out/);
    expect(reason('link.png')).toMatch(/link/);
    expect(reason('device.png')).toMatch(/device/);
    expect(reason('good.png')).toMatch(/same name/);
    expect(reason('secret.png')).toMatch(/encrypted/);
    expect(reason('inner.zip')).toMatch(/archive inside/);
    expect(reason('bomb.png')).toMatch(/1900000 bytes.*at most 200/);
    expect(reason('vast.png')).toMatch(/at most 2000000 bytes; this one has 4294967280/);
    expect(reason('short.png')).toMatch(/more bytes than the directory says/);
    expect(reason('sum.png')).toMatch(/checksum/);
    expect(reason('packed.png')).toMatch(/method.*93/);
    expect(reason('nul\\0.png')).toMatch(/NUL/);
    expect(Object.values(failures).some((each) => each.includes('longer than 2048 bytes'))).toBe(true);
    expect(reason('cut.png')).toBeDefined();
    expect(readdirSync(folder).sort()).toEqual([...before, 'hostile.zip'].sort());
    expect(existsSync(path.join(folder, '../up.png'))).toBe(false);
  });

  it('whose entries are the same bytes again and again are refused entry by entry', async () => {
    const name = await collection();
    const at = await file('overlapping.zip', rawZip([{ name: 'kernel.png', bytes: picture[0]! }, ...Array.from({ length: 2000 }, (_, i) => ({ name: `${i}.png`, bytes: picture[0]!, at: 0 })), { name: 'apart.png', bytes: picture[1]! }]));
    const job = await imported(name, { path: at });
    expect(job.result).toMatchObject({ found: 2002, created: 1, failed: 2001 });
    expect((await failuresOf(job.id))[`${at}/7.png`]).toMatch(/overlap/);
    expect(await sourcesIn(name)).toEqual({ [idOf(picture[1]!)]: [`${at}/apart.png`] });
  });

  it('of hostile tars take in what is sound, and name what is not', async () => {
    const name = await collection();
    const at = await file(
      'hostile.tar',
      await tar([
        [{ name: 'good.png' }, picture[0]!],
        [{ name: '../up.png' }, picture[1]!],
        [{ name: '/absolute.png' }, picture[1]!],
        [{ name: 'link.png', type: 'symlink', linkname: '/etc/passwd' }],
        [{ name: 'hard.png', type: 'link', linkname: 'good.png' }],
        [{ name: 'fifo.png', type: 'fifo' }],
        [{ name: 'inner.tar.gz' }, 'x'],
        [{ name: 'good.png' }, picture[2]!],
        [{ name: 'large.png' }, Buffer.alloc(2_000_001)],
      ]),
    );
    const job = await imported(name, { path: at });
    expect(job.result).toMatchObject({ found: 9, created: 1, failed: 8 });
    const failures = await failuresOf(job.id);
    const reasons = { '../up.png': /leads out/, '/absolute.png': /absolute/, 'link.png': /link/, 'hard.png': /link/, 'fifo.png': /device/, 'inner.tar.gz': /archive inside/, 'good.png': /same name/, 'large.png': /at most 2000000 bytes/ };
    for (const [inner, reason] of Object.entries(reasons)) expect(failures[`${at}/${inner}`], inner).toMatch(reason);
  });

  it('beyond the bounds fail with the setting that sets them, and are cut or damaged ones told', async () => {
    const name = await collection();
    const bomb = Buffer.alloc(400 * 512);
    const many = await tar(Array.from({ length: 3001 }, (_, i) => [{ name: `${i}.png` }, 'x']));
    expect(await imported(name, { path: await file('many.tar', many) })).toMatchObject({ state: 'failed', problem: expect.stringContaining('MIXSPACE_IMPORT_ENTRIES') });
    expect(await imported(name, { path: await file('many.zip', rawZip(Array.from({ length: 3001 }, (_, i) => ({ name: `${i}.png`, bytes: Buffer.from('x') })))) })).toMatchObject({ state: 'failed', problem: expect.stringContaining('MIXSPACE_IMPORT_ENTRIES') });
    const header = (await tar([[{ name: 'zeros.bin', size: 0 }]])).subarray(0, 512);
    // 30 MB of zeros in 30 kB.
    const zeros = Buffer.from(header);
    zeros.write(`${(30_000_000).toString(8).padStart(11, '0')} `, 124, 'latin1');
    zeros.fill(0x20, 148, 156);
    zeros.write(`${zeros.reduce((a, b) => a + b, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    expect(await imported(name, { path: await file('bomb.tgz', gzipSync(Buffer.concat([zeros, Buffer.alloc(30_000_000)]))) })).toMatchObject({ state: 'failed', problem: expect.stringMatching(/more than 200 bytes for each compressed/) });
    // A header that speaks of one entry, of 5 MB.
    const pax = Buffer.from(zeros);
    pax.write('x', 156, 'latin1');
    pax.write(`${(5_000_000).toString(8).padStart(11, '0')} `, 124, 'latin1');
    pax.fill(0x20, 148, 156);
    pax.write(`${pax.reduce((a, b) => a + b, 0).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    expect(await imported(name, { path: await file('pax.tar', Buffer.concat([pax, Buffer.alloc(5_000_000, 65)])) })).toMatchObject({ state: 'failed', problem: expect.stringMatching(/speak of one entry/) });
    expect(await imported(name, { path: await file('cut.zip', (await zip([['a.png', picture[0]!]])).subarray(0, -10)) })).toMatchObject({ state: 'failed', problem: expect.stringContaining('zip archive cannot be read') });
    const whole = await tar([[{ name: 'a.png' }, picture[0]!], [{ name: 'b.png' }, picture[2]!]]);
    expect(await imported(name, { path: await file('cut.tar', whole.subarray(0, 1800)) })).toMatchObject({ state: 'failed', problem: expect.stringContaining('tar archive cannot be read') });
    expect(await imported(name, { path: await file('cut.tgz', gzipSync(Buffer.concat([whole, bomb])).subarray(0, -20)) })).toMatchObject({ state: 'failed', problem: expect.stringContaining('tar archive cannot be read') });
    expect(await all(name)).toEqual([]);
  });

  it('are refused outside the roots, and where there is nothing that is imported', async () => {
    const name = await collection();
    const post = (body: object): Promise<any> => call(server.url, 'POST', `/v1/collections/${name}/imports`, body);
    expect(await post({ path: '/etc/passwd' })).toMatchObject({ status: 422, body: { error: { param: 'path', message: expect.stringContaining('outside') } } });
    expect(await post({ path: path.join(folder, 'no.zip') })).toMatchObject({ status: 422, body: { error: { param: 'path', message: expect.stringContaining('nothing at this path') } } });
    expect(await post({ archive: folder })).toMatchObject({ status: 422, body: { error: { param: 'archive' } } });
    expect(await post({ archive: await file('text.zip', 'no archive') })).toMatchObject({ status: 422, body: { error: { param: 'archive', message: expect.stringContaining('no archive') } } });
    expect(await post({})).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('exactly one of path, archive, urls') } } });
    expect(await post({ path: folder, urls: ['https://a.example'] })).toMatchObject({ status: 400 });
    expect(await post({ urls: Array.from({ length: 10_001 }, () => 'https://a.example/') })).toMatchObject({ status: 400, body: { error: { param: 'urls', message: expect.stringContaining('10000') } } });
    expect(await call(server.url, 'POST', '/v1/collections/none/imports', { path: folder })).toMatchObject({ status: 404 });
  });
});

const metadataIn = async (name: string): Promise<Record<string, any>> => Object.fromEntries((await all(name)).map(({ id, metadata }) => [id, metadata]));
const kept = (): string[] => (existsSync(path.join(server.indexDir, 'imports')) ? readdirSync(path.join(server.indexDir, 'imports')) : []);

describe('files that are sent', () => {
  it('are imported as if they lay there, under the name they are given, and are not kept', async () => {
    const name = await collection();
    expect((await sent(name, await zip([['a.png', picture[0]!]]), 'application/zip', 'my trip.zip')).result).toMatchObject({ found: 1, created: 1 });
    expect((await sent(name, gzipSync(await tar([[{ name: 'b.png' }, picture[1]!]])), 'application/gzip')).result).toMatchObject({ found: 1, created: 1 });
    expect(await sourcesIn(name)).toEqual({ [idOf(picture[0]!)]: ['my trip.zip/a.png'], [idOf(picture[1]!)]: ['upload/b.png'] });
    expect(kept()).toEqual([]);
  });

  it('are refused where they are nothing that is imported, or too large', async () => {
    const name = await collection();
    const send = (bytes: Buffer, type: string, query = ''): Promise<any> => call(server.url, 'POST', `/v1/collections/${name}/imports${query}`, bytes, { 'content-type': type });
    expect(await send(Buffer.from('nothing of it'), 'application/zip')).toMatchObject({ status: 422, body: { error: { message: expect.stringContaining('no archive') } } });
    expect(await send(Buffer.from('x'), 'application/octet-stream')).toMatchObject({ status: 400 });
    expect(await send(await zip([['a.png', picture[0]!]]), 'application/zip', '?name=a%2Fb')).toMatchObject({ status: 400, body: { error: { param: 'name' } } });
    expect(await send(Buffer.alloc(20_000_001), 'application/zip')).toMatchObject({ status: 413, body: { error: { message: expect.stringContaining('20000000') } } });
    expect(kept()).toEqual([]);
  });

  it('go on after the service was killed from where they were: nothing is missing and nothing there twice', async () => {
    const many = 200;
    const pictures = await Promise.all(Array.from({ length: many }, (_, i) => sharp(Buffer.alloc(8 * 8 * 3, createHash('sha256').update(`${i}`).digest()), { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toBuffer()));
    const archive = await zip([['broken.png', 'no picture'], ...pictures.map((bytes, i): [string, Buffer] => [`${i}.png`, bytes])]);
    let own = await startServer({ env: limits });
    try {
      const name = await collection(own.url);
      const begun = await call(own.url, 'POST', `/v1/collections/${name}/imports?name=many.zip`, archive, { 'content-type': 'application/zip' });
      const { id } = begun.body.job;
      for (let job: any; ; await delay(5)) {
        job = (await call(own.url, 'GET', `/v1/jobs/${id}`)).body;
        if (job.done >= 64) break;
        expect(job.state).toBe('running');
      }
      await own.kill();
      own = await startServer({ env: limits, indexDir: own.indexDir });
      const job = await ended(id, own.url);
      expect(job).toMatchObject({ state: 'done', done: many, total: many + 1, failed: 1, result: { found: many + 1, failed: 1 } });
      expect(job.result.created + job.result.unchanged).toBe(many);
      // At most what was under way when it was killed is done again.
      expect(job.result.unchanged).toBeLessThanOrEqual(64);
      const { failures } = (await call(own.url, 'GET', `/v1/jobs/${id}/failures`)).body;
      expect(failures.map(({ file: at }: any) => at)).toEqual(['many.zip/broken.png']);
      const there = await all(name, own.url);
      expect(Object.fromEntries(there.map((each) => [each.id, each.sources]))).toEqual(Object.fromEntries(pictures.map((bytes, i) => [idOf(bytes), [`many.zip/${i}.png`]])));
      expect(readdirSync(path.join(own.indexDir, 'imports'))).toEqual([]);
    } finally {
      await own.kill();
      await rm(own.indexDir, { recursive: true, force: true });
    }
  });

  it('can be paused, resumed and cancelled', async () => {
    const name = await collection();
    const large = await sharp(Buffer.alloc(1200 * 900 * 3, 9), { raw: { width: 1200, height: 900, channels: 3 } }).jpeg().toBuffer();
    const archive = await tar(Array.from({ length: 300 }, (_, i) => [{ name: `${i}.jpg` }, Buffer.concat([large, Buffer.from(`${i}`)])]));
    const begun = await call(server.url, 'POST', `/v1/collections/${name}/imports`, archive, { 'content-type': 'application/x-tar' });
    const at = `/v1/jobs/${begun.body.job.id}`;
    expect((await call(server.url, 'POST', `${at}/pause`)).body.state).toBe('paused');
    expect(kept()).toHaveLength(1);
    expect((await call(server.url, 'POST', `${at}/resume`)).body.state).toMatch(/running|waiting/);
    expect((await call(server.url, 'POST', `${at}/cancel`)).body.state).toBe('cancelled');
    expect(kept()).toEqual([]);
  });
});

describe('lists of URLs', () => {
  it('are fetched, inline, from JSON Lines and from CSV, with ids and metadata', async () => {
    const name = await collection();
    const inline = await imported(name, { urls: [`${away}/0.png`, { url: `${away}/1.png`, id: 'one', metadata: { tag: 'x' } }, `${away}/none.png`, 'http://127.0.0.2/plain.png', 'https://10.0.0.1/private.png'] });
    expect(inline).toMatchObject({ state: 'done', result: { found: 5, created: 2, failed: 3 } });
    expect(await failuresOf(inline.id)).toEqual({
      [`${away}/none.png`]: expect.stringContaining('404'),
      'http://127.0.0.2/plain.png': 'Only https URLs are fetched.',
      'https://10.0.0.1/private.png': expect.stringContaining('not a public address'),
    });
    const lines = ['\ufeff', JSON.stringify({ url: `${away}/2.png`, id: 7, caption: 'two', deep: { a: [1] } }), '', '{"caption": "no url"}', 'no json', '['.repeat(100), JSON.stringify({ url: `${away}/3.png`, long: 'x'.repeat(1_000_001) }), JSON.stringify(`${away}/4.png`)];
    const listed = await imported(name, { path: await file('list.jsonl', lines.join('\r\n').replace('\ufeff\r\n', '\ufeff')) });
    expect(listed.result).toMatchObject({ found: 6, created: 2, failed: 4 });
    expect(await failuresOf(listed.id)).toEqual({ 'line 3': expect.stringContaining('no url'), 'line 4': expect.stringContaining('no JSON'), 'line 5': expect.stringContaining('deeper'), 'line 6': expect.stringContaining('at most 1000000 bytes') });
    const csv = await sent(name, Buffer.from(`id,caption,URL,empty\r\nfive,"a ""quoted"", one\nof two lines",${away}/5.png,\r\n,,${away}/6.png,\r\n`), 'text/csv');
    expect(csv.result).toMatchObject({ found: 2, created: 2, failed: 0 });
    expect(await metadataIn(name)).toEqual({
      [idOf(picture[0]!)]: {},
      one: { tag: 'x' },
      7: { caption: 'two', deep: { a: [1] } },
      [idOf(picture[4]!)]: {},
      five: { caption: 'a "quoted", one\nof two lines' },
      [idOf(picture[6]!)]: {},
    });
    expect((await sourcesIn(name))['five']).toEqual([`${away}/5.png`]);
    const { body } = await call(server.url, 'POST', `/v1/collections/${name}/imports`, { path: await file('other.csv', 'a,b\n1,2\n') });
    expect(body.error).toMatchObject({ param: 'path', message: expect.stringContaining('no list') });
  });
});

describe('side files', () => {
  it('of WebDataset tars become metadata of their sample', async () => {
    const name = await collection();
    const at = await file('000.tar', await tar([
      [{ name: 'a/000.jpg' }, picture[1]!], [{ name: 'a/000.json' }, '{"width": 3, "tags": ["x"]}'], [{ name: 'a/000.txt' }, 'a caption\n'], [{ name: 'a/000.cls' }, '17'],
      [{ name: 'a/001.cls' }, 'cat'], [{ name: 'a/001.txt' }, 'another'], [{ name: 'a/001.left.png' }, picture[0]!],
      [{ name: 'a/002.json' }, '{broken'], [{ name: 'a/002.png' }, picture[2]!],
    ]));
    const job = await imported(name, { path: at });
    expect(job.result).toMatchObject({ found: 3, created: 3, failed: 0, left_out: {} });
    expect(await metadataIn(name)).toEqual({ [idOf(picture[1]!)]: { width: 3, tags: ['x'], caption: 'a caption', class: 17 }, [idOf(picture[0]!)]: { caption: 'another', class: 'cat' }, [idOf(picture[2]!)]: {} });
    expect(await failuresOf(job.id)).toEqual({ [`${at}/a/002.json`]: 'The side file cannot be read: it is no JSON.' });
  });

  const takeout = (title: string, more: object = {}): string => JSON.stringify({ title, description: '', imageViews: '3', creationTime: { timestamp: '1' }, photoTakenTime: { timestamp: '1577934245', formatted: 'Jan 2, 2020' }, geoData: { latitude: 0, longitude: 0, altitude: 0 }, ...more });
  const long = 'PXL_20200102_a_name_that_is_longer_than_takeout_.jpg';
  /** Name, picture or text: as Takeout names them. */
  const archive = (): [string, Buffer | string][] => [
    ['Takeout/Google Photos/2020/IMG_1.jpg', picture[1]!],
    ['Takeout/Google Photos/2020/IMG_1.jpg.json', takeout('IMG_1.jpg', { description: 'on the pier', geoData: { latitude: 52.5, longitude: -13.25, altitude: 34 }, people: [{ name: 'Ann' }, { name: 'Bo' }, {}], favorited: true })],
    ['Takeout/Google Photos/2020/IMG_1(1).jpg', picture[3]!],
    ['Takeout/Google Photos/2020/IMG_1.jpg.supplemental-metadata(1).json', takeout('second.jpg')],
    ['Takeout/Google Photos/2020/IMG_2.png', picture[2]!],
    ['Takeout/Google Photos/2020/IMG_2.png.supplemental-meta.json', takeout('cut.png', { photoTakenTime: { timestamp: '-86400' } })],
    ['Takeout/Google Photos/2020/IMG_2-edited.png', picture[4]!],
    [`Takeout/Google Photos/2020/${long}`, picture[5]!],
    [`Takeout/Google Photos/2020/${long.slice(0, 46)}.json`, takeout('long.jpg', { photoTakenTime: { timestamp: 'nonsense' } })],
    ['Takeout/Google Photos/2020/metadata.json', '{"title": "2020"}'],
  ];
  const told = (): Record<string, object> => ({
    [idOf(picture[1]!)]: { title: 'IMG_1.jpg', description: 'on the pier', taken_at: '2020-01-02T03:04:05Z', latitude: 52.5, longitude: -13.25, altitude: 34, people: ['Ann', 'Bo'], favorite: true },
    [idOf(picture[3]!)]: { title: 'second.jpg', taken_at: '2020-01-02T03:04:05Z' },
    [idOf(picture[2]!)]: { title: 'cut.png', taken_at: '1969-12-31T00:00:00Z' },
    [idOf(picture[4]!)]: { title: 'cut.png', taken_at: '1969-12-31T00:00:00Z' },
    [idOf(picture[5]!)]: { title: 'long.jpg' },
  });

  it('of Google Takeout are found by their names, cut and numbered ones too, in zips, tars and folders', async () => {
    const [zipped, tarred, unpacked] = [await collection(), await collection(), await collection()];
    expect((await imported(zipped, { path: await file('takeout.zip', await zip(archive())) })).result).toMatchObject({ found: 5, created: 5 });
    // All side files behind all pictures.
    const apart = archive().sort(([a], [b]) => Number(a.endsWith('.json')) - Number(b.endsWith('.json')));
    expect((await imported(tarred, { path: await file('takeout.tgz', gzipSync(await tar(apart.map(([at, bytes]) => [{ name: at }, bytes])))) })).result).toMatchObject({ found: 5, created: 5 });
    for (const [at, bytes] of archive()) await file(`unpacked/${at}`, bytes);
    expect((await imported(unpacked, { path: path.join(folder, 'unpacked') })).result).toMatchObject({ found: 5, created: 5 });
    for (const name of [zipped, tarred, unpacked]) expect(await metadataIn(name)).toEqual(told());
    expect((await sourcesIn(unpacked))[idOf(picture[2]!)]).toEqual([path.join(folder, 'unpacked/Takeout/Google Photos/2020/IMG_2.png')]);
  });

  it('of XMP tell title, description, keywords and rating, and no entity of theirs is made larger', async () => {
    const name = await collection();
    const xmp = (inside: string, before = ''): string => `${before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4">${inside}</rdf:Description></rdf:RDF></x:xmpmeta>`;
    const inside = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A &amp; title</rdf:li></rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li xml:lang="x-default">told</rdf:li></rdf:Alt></dc:description><dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>';
    const laughs = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">${Array.from({ length: 20 }, (_, i) => `<!ENTITY b${i} "${(i === 0 ? '&a;' : `&b${i - 1};`).repeat(20)}">`).join('')}]>`;
    const at = await file('xmp.zip', await zip([['a.png', picture[0]!], ['a.xmp', xmp(inside, '<?xml version="1.0" encoding="UTF-8"?>\n')], ['b.jpg', picture[1]!], ['b.jpg.xmp', xmp('<dc:title><rdf:Alt><rdf:li>b</rdf:li></rdf:Alt></dc:title>')], ['c.png', picture[2]!], ['c.xmp', xmp('<dc:title>&b19;</dc:title>', laughs)], ['d.png', picture[4]!], ['d.xmp', 'no xml'], ['e.png', picture[6]!], ['e.xmp', xmp('<a>'.repeat(20_000))]]));
    const job = await imported(name, { path: at });
    expect(job.result).toMatchObject({ found: 5, created: 5 });
    const metadata = await metadataIn(name);
    expect(metadata[idOf(picture[0]!)]).toEqual({ title: 'A & title', description: 'told', keywords: ['one', 'two'], rating: 4 });
    expect(metadata[idOf(picture[1]!)]).toEqual({ title: 'b', rating: 4 });
    expect(JSON.stringify(metadata[idOf(picture[2]!)]).length).toBeLessThan(200);
    expect(await failuresOf(job.id)).toMatchObject({ [`${at}/d.xmp`]: expect.stringContaining('no XMP') });
  });
});

describe('mixspace import', () => {
  it('takes in what the service may read where it lies, sends what it may not, and tells by its exit code whether all is there', async () => {
    const outside = await mkdtemp(path.join(tmpdir(), 'mixspace-outside-'));
    try {
      const name = `imports-${collections++}`;
      const inside = await file('cli.zip', await zip([['a.png', picture[0]!], ['a.AAE', 'x']]));
      const sentFile = path.join(outside, 'sent.tar');
      await writeFile(sentFile, await tar([[{ name: 'b.png' }, picture[2]!], [{ name: '../c.png' }, picture[4]!]]));
      const whole = await runMixspace(['import', inside, `${away}/8.png`, '--collection', name, '--url', server.url]);
      expect(whole, whole.stderr).toMatchObject({ code: 0 });
      expect(whole.stdout).toContain(`${inside}: 1 picture; 1 added`);
      expect(whole.stdout).toContain('.aae');
      const partly = await runMixspace(['import', sentFile, '--collection', name, '--url', server.url, '--json']);
      expect(partly.code).toBe(1);
      expect(JSON.parse(partly.stdout)).toMatchObject({ results: [{ source: sentFile, found: 2, created: 1, failed: 1 }] });
      expect(partly.stderr).toContain('it is sent');
      expect(await sourcesIn(name)).toEqual({ [idOf(picture[0]!)]: [`${inside}/a.png`], [idOf(picture[8]!)]: [`${away}/8.png`], [idOf(picture[2]!)]: ['sent.tar/b.png'] });
      expect(await runMixspace(['import', outside, '--collection', name, '--url', server.url])).toMatchObject({ code: 2, stderr: expect.stringContaining('mixspace add') });
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });
});

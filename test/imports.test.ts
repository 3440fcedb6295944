import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { pack, type Headers } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { call } from './api.js';
import { drawn } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

const limits = { MIXSPACE_MAX_PICTURE: '2MB', MIXSPACE_IMPORT_ENTRIES: '3000', MIXSPACE_IMPORT_BYTES: '300MB', MIXSPACE_MAX_IMPORT: '20MB' };

let server: RunningServer;
let folder: string;
const picture: Buffer[] = [];
const idOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'mixspace-imports-')));
  for (let i = 0; i < 24; i++) picture.push(await drawn(700 + i, i % 2 === 0 ? 'png' : 'jpeg', 48, 32));
  server = await startServer({ args: ['--roots', folder], env: limits });
}, 180_000);
afterAll(async () => {
  await server.remove();
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

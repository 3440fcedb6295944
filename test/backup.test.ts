import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sqlite } from '../src/store/embedded/database.js';
import { base64, call, items, searchIn } from './api.js';
import { everything } from './everything.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

let folder: string;
let server: RunningServer;
/** What was taken while nobody wrote. */
let archive: string;
const pictures = 6;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-backup-'));
  server = await startServer();
  await call(server.url, 'POST', '/v1/collections', { name: 'notes', description: 'of a trip', originals: 'thumbnail' });
  await call(server.url, 'POST', items(), { items: await Promise.all(Array.from({ length: pictures }, async (_, i) => ({ id: `picture ${i}`, image: base64(await drawn(i)), metadata: { i, deep: [{ a: null }] }, source: `folder/${i}.png` }))) });
  await call(server.url, 'POST', items('notes'), { items: Array.from({ length: 300 }, (_, i) => ({ id: `note ${i}`, text: `note ${i}`, metadata: { i } })) });
  await call(server.url, 'POST', items(), { items: [{ id: 'again', image: base64(await drawn(0)), source: 'elsewhere.png' }] });
  archive = path.join(folder, 'whole.tar');
  const taken = await runMixspace(['backup', archive, '--url', server.url]);
  expect([taken.code, taken.stderr]).toEqual([0, expect.stringContaining('whole.tar')]);
});
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const restore = (file: string, directory: string): ReturnType<typeof runMixspace> => runMixspace(['restore', file, '--index-dir', directory]);
const check = (directory: string): ReturnType<typeof runMixspace> => runMixspace(['check', '--index-dir', directory]);
let directories = 0;
const directory = (): string => path.join(folder, `index-${directories++}`);

async function entriesOf(file: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const entries = extract();
  entries.end(await readFile(file));
  for await (const entry of entries) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece);
    found.set(entry.header.name, Buffer.concat(pieces));
  }
  return found;
}

describe('a backup', () => {
  it('says what is in it, and holds each picture that is kept once', async () => {
    const entries = await entriesOf(archive);
    const names = [...entries.keys()];
    expect([names[0], names[1], names.at(-1)]).toEqual(['mixspace-backup.json', 'mixspace.db', 'complete.json']);
    const manifest = JSON.parse(entries.get('mixspace-backup.json')!.toString());
    const { model, fingerprint } = (await call(server.url, 'GET', '/v1/collections/default')).body;
    expect(manifest.collections).toMatchObject([{ name: 'default', model, fingerprint, items: pictures + 1 }, { name: 'notes', model, fingerprint, items: 300 }]);
    const originals = names.filter((name) => name.startsWith('originals/'));
    expect(originals).toHaveLength(pictures);
    for (const name of originals) expect(createHash('sha256').update(entries.get(name)!).digest('hex')).toBe(path.basename(name));
    expect(JSON.parse(entries.get('complete.json')!.toString())).toEqual({ database_sha256: createHash('sha256').update(entries.get('mixspace.db')!).digest('hex'), originals: pictures, missing: [] });
  });

  it('restored elsewhere is equal, item by item, vector by vector, byte by byte', async () => {
    const to = directory();
    const restored = await restore(archive, to);
    expect([restored.code, restored.stdout]).toEqual([0, expect.stringMatching(/default: 7 items.*notes: 300 items.*6 pictures kept/s)]);
    expect((await check(to)).stdout).toMatch(/default: 7 items\nnotes: 300 items\nAll is as it was written; 6 pictures kept\.\n/);
    const again = await startServer({ indexDir: to });
    try {
      for (const name of ['default', 'notes']) {
        expect(await everything(again.url, name)).toEqual(await everything(server.url, name));
        const { bytes: _bytes, ...told } = (await call(server.url, 'GET', `/v1/collections/${name}`)).body;
        expect((await call(again.url, 'GET', `/v1/collections/${name}`)).body).toMatchObject(told);
      }
      const found = async (url: string): Promise<unknown> => (await call(url, 'POST', searchIn('notes'), { query: 'note 7', limit: 5 })).body.matches;
      expect(await found(again.url)).toEqual(await found(server.url));
      const [outcome] = (await call(again.url, 'POST', items(), { items: [{ id: 'new', text: 'new' }] })).body.items;
      expect(outcome.status).toBe('created');
    } finally {
      await again.stop();
    }
  });

  it('taken while items come, change and go is of one moment', { timeout: 120_000 }, async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'busy' });
    const embedding = (await call(server.url, 'POST', `${items('notes')}/embeddings`, { ids: ['note 1'] })).body.data[0].embedding as number[];
    const write = (round: number): Promise<unknown> => call(server.url, 'POST', items('busy'), { items: Array.from({ length: 20 }, (_, i) => ({ id: `n${i}`, embedding: embedding.map((value, d) => value + (d === round % 64 ? 1 : 0)), modality: 'text', metadata: { round } })) });
    await write(0);
    let writing = true;
    const writer = (async () => {
      for (let round = 1; writing; round++) await write(round);
    })();
    const removed = base64(await drawn(77));
    await call(server.url, 'POST', items('busy'), { items: [{ id: 'goes', image: removed }] });
    const files = await Promise.all([0, 1, 2].map(async (i) => {
      const file = path.join(folder, `busy-${i}.tar`);
      const taken = await runMixspace(['backup', file, '--url', server.url]);
      return { file, ...taken };
    }));
    writing = false;
    await writer;
    const taken = files.filter(({ code }) => code === 0);
    expect(taken.length).toBeGreaterThan(0);
    for (const { stderr, code } of files) if (code !== 0) expect([code, stderr]).toEqual([1, expect.stringContaining('Another backup is being taken')]);
    const to = directory();
    expect((await restore(taken[0]!.file, to)).code).toBe(0);
    expect((await check(to)).code).toBe(0);
    const again = await startServer({ indexDir: to });
    try {
      const { body } = await call(again.url, 'GET', `${items('busy')}?limit=1000&filter=${encodeURIComponent('{"round": {"$gte": 0}}')}`);
      // Each write is one transaction: all of it, or none.
      expect([body.items.length, new Set(body.items.map((item: any) => item.metadata.round)).size]).toEqual([20, 1]);
      expect(createHash('sha256').update(Buffer.from(await (await fetch(`${again.url}${items('busy')}/goes/image?size=original`)).arrayBuffer())).digest('hex')).toBe(createHash('sha256').update(Buffer.from(removed, 'base64')).digest('hex'));
    } finally {
      await again.stop();
    }
    await call(server.url, 'DELETE', '/v1/collections/busy');
  });

  it('holds the pictures of its moment, also those that go while it is read', { timeout: 120_000 }, async () => {
    const busy = await startServer();
    try {
      const noise = async (): Promise<string> => base64(await sharp(randomBytes(1_000 * 900 * 3), { raw: { width: 1_000, height: 900, channels: 3 } }).png({ compressionLevel: 0 }).toBuffer());
      for (let i = 0; i < 8; i++) await call(busy.url, 'POST', items(), { items: [{ id: `noise ${i}`, image: await noise() }] });
      const reader = (await fetch(`${busy.url}/v1/backup`)).body!.getReader();
      const pieces = [(await reader.read()).value!];
      expect((await call(busy.url, 'DELETE', `${items()}?all=true`)).body).toEqual({ deleted: 8 });
      for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
      const file = path.join(folder, 'noise.tar');
      await writeFile(file, Buffer.concat(pieces));
      const to = directory();
      expect((await restore(file, to)).stderr).toBe('');
      expect((await check(to)).stdout).toMatch(/default: 8 items\nAll is as it was written; 8 pictures kept\./);
      // Here they go once it has ended.
      await expect.poll(async () => (await Promise.all((await readdir(path.join(busy.indexDir, 'originals'))).map((shard) => readdir(path.join(busy.indexDir, 'originals', shard))))).flat()).toEqual([]);
    } finally {
      await busy.remove();
    }
  });

  it('that a caller breaks off, or a kill, leaves nothing behind', async () => {
    const broken = await startServer();
    await call(broken.url, 'POST', items(), { items: await Promise.all(Array.from({ length: 4 }, async (_, i) => ({ image: base64(await drawn(i, 'png', 900, 700)) }))) });
    try {
      for (let i = 0; i < 3; i++) {
        const leaving = new AbortController();
        const response = await fetch(`${broken.url}/v1/backup`, { signal: leaving.signal });
        const reader = response.body!.getReader();
        await reader.read();
        leaving.abort();
        await expect(reader.read()).rejects.toThrow();
      }
      for (const milliseconds of [0, 1, 3, 10, 30]) await fetch(`${broken.url}/v1/backup`, { signal: AbortSignal.timeout(milliseconds) }).then((response) => response.arrayBuffer()).catch(() => undefined);
      await expect.poll(() => existsSync(path.join(broken.indexDir, 'backup.tmp'))).toBe(false);
      expect((await fetch(`${broken.url}/v1/backup`)).status).toBe(200);
      await mkdir(path.join(broken.indexDir, 'backup.tmp'), { recursive: true });
      await writeFile(path.join(broken.indexDir, 'backup.tmp', 'mixspace.db'), randomBytes(1000));
      await broken.kill();
      const again = await startServer({ indexDir: broken.indexDir });
      expect(existsSync(path.join(broken.indexDir, 'backup.tmp'))).toBe(false);
      expect((await call(again.url, 'GET', '/v1/collections/default')).body.counts.total).toBe(4);
      await again.stop();
    } finally {
      await broken.remove();
    }
  });
});

describe('restoring', () => {
  it('refuses a directory that holds a database, and leaves it as it was', async () => {
    const to = directory();
    expect((await restore(archive, to)).code).toBe(0);
    const before = await readFile(path.join(to, 'mixspace.db'));
    const refused = await restore(archive, to);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('holds a database')]);
    expect((await readFile(path.join(to, 'mixspace.db'))).equals(before)).toBe(true);
  });

  it('of a lost database finds the pictures that are still there, whatever the mark of the lost one says', async () => {
    const to = directory();
    await restore(archive, to);
    const used = await startServer({ indexDir: to });
    await call(used.url, 'POST', items(), { items: [{ id: 'later', text: 'later' }] });
    await used.stop();
    await rm(path.join(to, 'mixspace.db'));
    expect((await restore(archive, to)).code).toBe(0);
    expect((await check(to)).code).toBe(0);
    const again = await startServer({ indexDir: to });
    expect((await call(again.url, 'GET', '/v1/collections/default')).body.counts.total).toBe(pictures + 1);
    await again.stop();
  });

  it('names what cannot be read, and where nothing can be made', async () => {
    for (const [file, to, says] of [[path.join(folder, 'none.tar'), directory(), 'none.tar cannot be read (ENOENT)'], [folder, directory(), 'cannot be read (EISDIR)'], [archive, '/proc/none/index', 'The folder /proc/none cannot be made (ENOENT)']] as const) {
      const { code, stderr } = await restore(file, to);
      expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
    }
    const { stderr } = await restore(archive, directory());
    expect(stderr).toBe('');
  });

  it('refuses whatever is cut, damaged or no backup, and leaves nothing of it', { timeout: 120_000 }, async () => {
    const bytes = await readFile(archive);
    const damaged = async (name: string, change: (copy: Buffer) => Buffer): Promise<void> => {
      const file = path.join(folder, 'damaged.tar');
      await writeFile(file, change(Buffer.from(bytes)));
      const to = directory();
      const { code, stderr } = await restore(file, to);
      expect([name, code, stderr]).toEqual([name, 2, expect.stringMatching(/^mixspace: This is no backup that can be restored: .*\.\n$/)]);
      expect(existsSync(to) ? await readdir(to) : []).toEqual([]);
    };
    const at = (text: string, from = 0): number => bytes.indexOf(text, from);
    const firstOriginal = at('originals/');
    await damaged('nothing', () => Buffer.alloc(0));
    await damaged('no archive', () => randomBytes(10_000));
    await damaged('cut in the manifest', (copy) => copy.subarray(0, 600));
    await damaged('cut in the database', (copy) => copy.subarray(0, 20_000));
    await damaged('cut in a picture', (copy) => copy.subarray(0, firstOriginal + 700));
    await damaged('cut before its end', (copy) => copy.subarray(0, at('complete.json') - (at('complete.json') % 512)));
    await damaged('a byte of the database', (copy) => (copy.writeUInt8(copy.readUInt8(30_000) ^ 1, 30_000), copy));
    await damaged('a byte of a picture', (copy) => (copy.writeUInt8(copy.readUInt8(firstOriginal + 900) ^ 1, firstOriginal + 900), copy));
    await damaged('another format', (copy) => (copy.write('nixspace-backup', at('mixspace-backup"')), copy));
    const name = '../outside';
    await damaged('a path that leads out', (copy) => {
      // The header's checksum is the sum of its bytes with its own field as spaces.
      const header = copy.subarray(firstOriginal, firstOriginal + 512);
      header.fill(0, 0, 100);
      header.write(name, 0);
      header.fill(' ', 148, 156);
      header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
      return copy;
    });
    expect(existsSync(path.join(folder, 'outside'))).toBe(false);
  });
});

describe('checking', () => {
  it('names what is not as it was written, and changes nothing', { timeout: 120_000 }, async () => {
    const to = directory();
    await restore(archive, to);
    const [shard] = await readdir(path.join(to, 'originals'));
    const [original] = await readdir(path.join(to, 'originals', shard!));
    const cases: [sql: string | undefined, says: RegExp][] = [
      ["UPDATE items SET text = 'x' WHERE id = 'note 3'", /notes: the row of the item "note 3" is damaged or lost/],
      ["UPDATE items SET metadata = '{}' WHERE id = 'note 4'", /notes: the metadata of the item "note 4" is damaged or lost/],
      ["UPDATE thumbnails SET webp = x'00' WHERE item = (SELECT key FROM items WHERE id = 'picture 1')", /default: the thumbnail of the item "picture 1"/],
      ["UPDATE embeddings SET vector = zeroblob(length(vector)) WHERE item = (SELECT key FROM items WHERE id = 'note 5')", /notes: the embedding of the item "note 5"/],
      [undefined, /default: the picture kept of the item "/],
      ["DELETE FROM embeddings WHERE item = (SELECT key FROM items WHERE id = 'note 6')", /notes: the embedding of the item "note 6"/],
    ];
    for (const [sql, says] of cases) {
      const copy = directory();
      await cp(to, copy, { recursive: true });
      if (sql === undefined) await writeFile(path.join(copy, 'originals', shard!, original!), 'another picture');
      else {
        const database = new Sqlite(path.join(copy, 'mixspace.db'));
        expect(database.prepare(sql).run().changes).toBe(1);
        database.close();
      }
      const before = await readFile(path.join(copy, 'mixspace.db'));
      const { code, stderr, stdout } = await check(copy);
      expect([code, stderr]).toEqual([1, expect.stringMatching(says)]);
      expect(stdout).toMatch(/1 problem\. Send the items again, or restore a backup\.\n$/);
      expect((await readFile(path.join(copy, 'mixspace.db'))).equals(before)).toBe(true);
    }
  });

  it('refuses a directory that a service uses, that is not there, or whose database is damaged as a whole', async () => {
    const used = await check(server.indexDir);
    expect([used.code, used.stderr]).toEqual([2, expect.stringContaining('Another mixspace process uses')]);
    const none = await check(path.join(folder, 'none'));
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('There is no folder')]);
    const to = directory();
    await restore(archive, to);
    const file = path.join(to, 'mixspace.db');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, Math.floor(bytes.length / 16_384) * 8_192));
    expect((await check(to)).stderr).toMatch(/damaged|malformed/);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { backup } from '../src/operations/backup.js';
import type { Context } from '../src/operations/context.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { Mark } from '../src/store/embedded/mark.js';
import type { Store } from '../src/store/store.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { request } from './behind-nginx.js';
import { everything } from './everything.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

const pictures = 6;
const manyItems = 10_000;
/** Bodies that are held are far smaller than the backups that are sent. */
const small = { MIXSPACE_MAX_BODY: '200kB', MIXSPACE_MAX_UPLOADS: '200kB' };

let folder: string;
let from: RunningServer;
let archive: Buffer;
let archiveFile: string;
/** Of a collection `many` in a space of no model. */
let many: Buffer;
const servers: RunningServer[] = [];
const stores: Store[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-restore-'));
  from = await startServer();
  await call(from.url, 'POST', '/v1/collections', { name: 'notes', description: 'of a trip', originals: 'thumbnail' });
  await call(from.url, 'POST', '/v1/collections', { name: 'empty' });
  await call(from.url, 'POST', items(), { items: await Promise.all(Array.from({ length: pictures }, async (_, i) => ({ id: `picture ${i}`, image: base64(await drawn(i)), metadata: { i, deep: [{ a: null }] }, source: `folder/${i}.png` }))) });
  await call(from.url, 'POST', items(), { items: [{ id: 'again', image: base64(await drawn(0)), source: 'elsewhere.png' }] });
  await call(from.url, 'POST', items('notes'), { items: [...Array.from({ length: 300 }, (_, i) => ({ id: `note ${(i * 7) % 300}`, text: `note ${i}`, metadata: { i: i % 3 } })), { id: 'picture', image: base64(await drawn(3)) }] });
  await call(from.url, 'PATCH', `${items('notes')}/note 1`, { metadata: { changed: true } });
  await call(from.url, 'PUT', '/v1/classifiers/kinds', { labels: ['a drawing', 'a photo'] });
  await call(from.url, 'POST', '/v1/classifiers/kinds/examples', { label: 'a drawing', inputs: [{ image: base64(await drawn(1)) }, { image: base64(await drawn(2)) }] });
  await call(from.url, 'PUT', '/v1/classifiers/plain', { labels: ['day', 'night'], templates: ['seen by {}'] });
  for (const path of ['/v1/collections/notes/clusters', '/v1/collections/default/duplicates']) await ended(from.url, (await call(from.url, 'POST', path, {})).body.job.id);
  archiveFile = path.join(folder, 'whole.tar');
  expect((await runMixspace(['backup', archiveFile, '--url', from.url])).code).toBe(0);
  archive = await readFile(archiveFile);
  many = await backupOfMany();
}, 180_000);
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.remove()));
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
afterAll(async () => {
  await shared?.remove();
  await from.remove();
  await rm(folder, { recursive: true, force: true });
});

async function server(options: Parameters<typeof startServer>[0] = { env: small }): Promise<RunningServer> {
  const started = await startServer(options);
  servers.push(started);
  return started;
}

let shared: RunningServer | undefined;

/** One service for all that do not start it again: as at its start, but for jobs that are over. */
async function emptied(): Promise<RunningServer> {
  shared ??= await startServer({ env: small });
  const { url } = shared;
  const { classifiers } = (await call(url, 'GET', '/v1/classifiers')).body as { classifiers: { name: string }[] };
  const found = [...(await collectionsOf(url)).filter((name) => name !== 'default').map((name) => `/v1/collections/${name}`), ...classifiers.map(({ name }) => `/v1/classifiers/${name}`)];
  for (const each of [...found, `${items()}?all=true`]) expect((await call(url, 'DELETE', each)).status, each).toBeLessThan(300);
  await expect.poll(() => originalsIn(shared!.indexDir)).toEqual([]);
  return shared;
}

let directories = 0;
async function store(): Promise<{ store: Store; directory: string }> {
  const directory = path.join(folder, `store-${directories++}`);
  const opened = await openEmbeddedStore({ directory, log: () => undefined });
  stores.push(opened);
  return { store: opened, directory };
}

async function backupOf({ backup: take }: Store): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of backup({ backup: take } as Context)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Of `notes` and `default`, without an item. */
async function backupOfEmpty(): Promise<Buffer> {
  const { url } = await emptied();
  await call(url, 'POST', '/v1/collections', { name: 'notes' });
  return Buffer.from(await (await fetch(`${url}/v1/backup`)).arrayBuffer());
}

async function backupOfMany(): Promise<Buffer> {
  const { store: opened } = await store();
  await opened.catalog.createCollection({ name: 'many', model: 'gone', fingerprint: 'f-gone', dimension: 8, originals: 'keep' });
  const original = await drawn(9);
  await opened.catalog.write('many', [{ id: 'picture', content: { modality: 'image', contentHash: createHash('sha256').update(original).digest('hex'), embeddings: [new Float32Array(8).fill(1)], original } }]);
  for (let i = 0; i < manyItems; i += 1_000) {
    await opened.catalog.write('many', Array.from({ length: 1_000 }, (_, j) => ({ id: `item ${i + j}`, content: { modality: 'text' as const, contentHash: 'a'.repeat(64), text: `text ${i + j}`, embeddings: [Float32Array.from({ length: 8 }, (_, d) => Math.sin(i + j + d))] } })));
  }
  return backupOf(opened);
}

const tar = { 'content-type': 'application/x-tar' };
const send = (url: string, body: Buffer, query = '', headers = {}): Promise<Answer> => call(url, 'POST', `/v1/restore${query}`, body, { ...tar, ...headers });
const collectionsOf = async (url: string): Promise<string[]> => (await call(url, 'GET', '/v1/collections')).body.collections.map(({ name }: { name: string }) => name);
const leftIn = (directory: string): string[] => readdirSync(directory).filter((name) => name.endsWith('.tmp'));
const originalsIn = (directory: string): string[] => readdirSync(path.join(directory, 'originals'), { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{64}$/.test(name));

/** What is kept beside items. */
async function whatElse(url: string, collections = ['default', 'notes']): Promise<Pick<Answer, 'status' | 'body'>[]> {
  const inCollections = { default: 'duplicates', notes: 'clusters' } as Record<string, string>;
  const paths = ['/v1/classifiers', '/v1/classifiers/kinds', '/v1/classifiers/plain', ...collections.map((name) => `/v1/collections/${name}/${inCollections[name]}`)];
  return Promise.all(
    paths.map(async (each) => {
      const { status, body } = await call(url, 'GET', each);
      return { status, body };
    }),
  );
}

async function ended(url: string, job: string): Promise<any> {
  for (;;) {
    const { body } = await call(url, 'GET', `/v1/jobs/${job}`);
    if (body.state !== 'running' && body.state !== 'waiting') return body;
    await delay(100);
  }
}

async function restored(url: string, body: Buffer, query = ''): Promise<any> {
  const answer = await send(url, body, query);
  expect([answer.status, answer.body]).toEqual([202, { job: expect.objectContaining({ kind: 'restore' }) }]);
  return ended(url, answer.body.job.id);
}

/** Once some of the items of `many` are in. */
async function inTheMiddle(url: string): Promise<string> {
  const { status, body } = await send(url, many);
  expect(status).toBe(202);
  for (;;) {
    const { body: job } = await call(url, 'GET', `/v1/jobs/${body.job.id}`);
    expect(job.state).toBe('running');
    if (job.done > 0) return job.id;
  }
}

async function tarOf(entries: [name: string, bytes: Buffer | string][]): Promise<Buffer> {
  const archiveOf = pack();
  for (const [name, bytes] of entries) archiveOf.entry({ name }, bytes);
  archiveOf.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archiveOf) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The archive with another database in it, whole in itself. */
async function withDatabase(change: (bytes: Buffer) => Buffer | Promise<Buffer>): Promise<Buffer> {
  const entries: [string, Buffer][] = [];
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece);
    entries.push([entry.header.name, Buffer.concat(pieces)]);
  }
  const database = await change(entries[1]![1]);
  const summary = { ...JSON.parse(entries.at(-1)![1].toString()), database_sha256: createHash('sha256').update(database).digest('hex') };
  return tarOf([entries[0]!, ['mixspace.db', database], ...entries.slice(2, -1), ['complete.json', JSON.stringify(summary)]]);
}

const changedBy = (sql: string) => async (bytes: Buffer): Promise<Buffer> => {
  const file = path.join(folder, 'changed.db');
  await writeFile(file, bytes);
  const database = new Sqlite(file);
  database.exec(sql);
  database.close();
  return readFile(file);
};

describe('a collection that is restored into a running service', () => {
  it('is equal, item by item, vector by vector, byte by byte, and searches find the same', async () => {
    const to = await server();
    const job = await restored(to.url, archive);
    expect(job).toMatchObject({ state: 'done', done: pictures + 1 + 301, total: pictures + 1 + 301, failed: 0, problem: null, result: { collections: [{ name: 'default', items: pictures + 1 }, { name: 'empty', items: 0 }, { name: 'notes', items: 301 }], classifiers: ['kinds', 'plain'], kept_classifiers: [] } });
    for (const name of ['default', 'notes']) {
      expect(await everything(to.url, name)).toEqual(await everything(from.url, name));
      const { graph: _graph, ...told } = (await call(from.url, 'GET', `/v1/collections/${name}`)).body;
      expect((await call(to.url, 'GET', `/v1/collections/${name}`)).body).toMatchObject(told);
      const asked = async ({ url }: RunningServer): Promise<unknown> => [
        (await call(url, 'POST', searchIn(name), { query: 'note 7', limit: 50 })).body.matches,
        (await call(url, 'POST', searchIn(name), { query: { id: name === 'notes' ? 'note 5' : 'picture 2' }, filter: { i: { $gte: 1 } } })).body.matches,
        (await call(url, 'GET', `${items(name)}?sort=i&limit=50`)).body.items.map(({ id }: { id: string }) => id),
        (await call(url, 'GET', `/v1/collections/${name}/facets?fields=i,$item.modality`)).body,
      ];
      expect(await asked(to)).toEqual(await asked(from));
    }
    expect((await whatElse(from.url)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await whatElse(to.url)).toEqual(await whatElse(from.url));
    expect(leftIn(to.indexDir)).toEqual([]);
    // It is written to, deleted from and read again after a start as any other.
    expect((await call(to.url, 'POST', items('notes'), { items: [{ id: 'new', text: 'new' }, { id: 'note 2', text: 'another' }] })).body.items.map(({ status }: { status: string }) => status)).toEqual(['created', 'updated']);
    await call(to.url, 'DELETE', '/v1/collections/notes');
    await to.stop();
    const again = await server({ indexDir: to.indexDir });
    expect(await everything(again.url, 'default')).toEqual(await everything(from.url, 'default'));
    expect(await whatElse(again.url, ['default'])).toEqual(await whatElse(from.url, ['default']));
    await again.stop();
    const checked = await runMixspace(['check', '--index-dir', to.indexDir]);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining(`All is as it was written; ${pictures} pictures kept.`)]);
    await again.remove();
    await rm(to.indexDir, { recursive: true, force: true });
  });

  it('keeps parts, what says why there is no embedding, embeddings of an earlier space, and damage as damage', async () => {
    const { store: one } = await store();
    const space = { model: 'm', fingerprint: 'f', dimension: 4 };
    const parts = (seed: number): Float32Array[] => [0, 1, 2].map((part) => Float32Array.from({ length: 4 }, (_, d) => Math.fround(Math.cos(seed + part * 5 + d))));
    await one.catalog.createCollection({ name: 'tiled', description: 'd', originals: 'keep', ...space });
    await one.catalog.write('tiled', Array.from({ length: 20 }, (_, i) => ({ id: `i${i}`, content: { modality: 'image' as const, contentHash: randomBytes(32).toString('hex'), width: i, height: 2, takenAt: '2024-05-01T10:00:00', mediaType: 'image/png', path: `/none/${i}.png`, embeddings: i === 7 ? [] : parts(i), thumbnail: randomBytes(40) }, metadata: { i }, source: `s${i}` })));
    const other = { model: 'n', fingerprint: 'g', dimension: 3, fromThumbnails: false, skipImpossible: true };
    await one.catalog.startReembedding('tiled', other);
    for (const { key } of await one.catalog.nextToReembed('tiled', { limit: 100 })) await one.catalog.putReembedded('tiled', 'g', [key % 2 === 0 ? { key, embedding: new Float32Array(3).fill(key) } : { key, impossible: 'It is odd.' }]);
    expect(await one.catalog.finishReembedding('tiled')).toBe('done');
    const bytes = await backupOf(one);

    const { store: two, directory } = await store();
    await two.catalog.createCollection({ name: 'own', originals: 'keep', ...space });
    const restoring = await two.restores.unpack((async function* () { yield bytes; })(), async (held) => ({ collections: held.map(({ name }) => name), classifiers: true }));
    while (!(await restoring.some()).isAll) expect((await two.catalog.listCollections()).map(({ name }) => name)).toEqual(['own']);
    expect(await restoring.originals()).toEqual([]);
    await restoring.publish([]);
    await restoring.release();
    const ids = Array.from({ length: 20 }, (_, i) => `i${i}`);
    const told = async ({ catalog }: Store): Promise<unknown> => [
      (await catalog.listItems('tiled', { limit: 100 })).items,
      await catalog.getEmbeddings('tiled', ids),
      await Promise.all(ids.map((id) => catalog.getPicture('tiled', id, 'thumbnail'))),
      { ...(await catalog.describeCollection('tiled')), graph: undefined, bytes: undefined },
      await catalog.listImpossible('tiled', 100),
      await catalog.planReembedding('tiled', { fingerprint: 'f', fromThumbnails: false }),
    ];
    // Those of the earlier space are kept where there is none of the present one.
    expect(await told(two)).toEqual(await told(one));
    expect(((await told(two)) as any)[5]).toMatchObject({ items: 20, kept: 10 });
    await two.close();
    const database = new Sqlite(path.join(directory, 'mixspace.db'));
    database.exec("UPDATE embeddings SET vector = zeroblob(length(vector)) WHERE item = (SELECT item FROM embeddings JOIN spaces ON spaces.key = space WHERE fingerprint = 'g' LIMIT 1)");
    database.exec("UPDATE items SET metadata = '{}' WHERE id = 'i3'");
    database.exec("UPDATE thumbnails SET webp = x'00' WHERE item = (SELECT key FROM items WHERE id = 'i4')");
    database.close();

    const damaged = await openEmbeddedStore({ directory, log: () => undefined });
    stores.push(damaged);
    const { store: three } = await store();
    const again = await three.restores.unpack((async function* () { yield await backupOf(damaged); })(), async () => ({ collections: ['tiled'], classifiers: true }));
    while (!(await again.some()).isAll);
    await again.publish([]);
    await again.release();
    expect((await three.catalog.getEmbeddings('tiled', ids)).items).toHaveLength((await one.catalog.getEmbeddings('tiled', ids)).items.length - 1);
    await expect(three.catalog.getItem('tiled', 'i3')).rejects.toThrow('damaged');
    await expect(three.catalog.getPicture('tiled', 'i4', 'thumbnail')).rejects.toThrow('damaged');
  });

  it('whose model is not there lists and exports, and says so', async () => {
    const to = await server();
    await restored(to.url, many);
    expect((await call(to.url, 'GET', '/v1/collections/many')).body).toMatchObject({ model: 'gone', model_available: false, fingerprint: 'f-gone', counts: { total: manyItems + 1 } });
    expect((await call(to.url, 'GET', `${items('many')}/item 77`)).body).toMatchObject({ text: 'text 77' });
    const exported = await (await fetch(`${to.url}/v1/collections/many/export`)).text();
    expect(exported.trim().split('\n')).toHaveLength(manyItems + 1);
    expect((await call(to.url, 'POST', searchIn('many'), { query: 'text' })).status).toBe(409);
    expect(Buffer.from(await (await fetch(`${to.url}${items('many')}/picture/image?size=original`)).arrayBuffer()).equals(await drawn(9))).toBe(true);
  });

  it('comes by the command line, compressed, and alone where it is named', async () => {
    const to = await emptied();
    const taken = await runMixspace(['restore', archiveFile, '--url', to.url, '--collections', 'notes']);
    expect([taken.code, taken.stdout, taken.stderr]).toEqual([0, expect.stringMatching(/^restore-\w+: done, 301 of 301 done\n$/), expect.stringContaining('whole')]);
    expect([await collectionsOf(to.url), originalsIn(to.indexDir)]).toEqual([['default', 'notes'], []]);
    const answer = await send(to.url, gzipSync(archive), '?collections=default,empty', { 'content-encoding': 'gzip' });
    expect(await ended(to.url, answer.body.job.id)).toMatchObject({ state: 'done' });
    expect(await everything(to.url, 'default')).toEqual(await everything(from.url, 'default'));
    const again = await runMixspace(['restore', archiveFile, '--url', to.url]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('There is a collection "default", "empty", "notes" already')]);
    for (const [args, says] of [[['--collections', 'notes'], '--collections needs --url'], [['--url', to.url, '--index-dir', folder], 'cannot be used with']] as const) {
      const refused = await runMixspace(['restore', archiveFile, ...args]);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(says)]);
    }
    const client = new MixspaceClient({ url: (await emptied()).url });
    const job = await client.restore(new Blob([archive]), { collections: ['notes'] });
    expect(job.kind).toBe('restore');
    expect(await ended(to.url, job.id)).toMatchObject({ state: 'done' });
  });

  it('comes without classifiers where it is named, and else with those of names that are not there', async () => {
    const to = await emptied();
    await restored(to.url, archive, '?collections=notes');
    expect((await call(to.url, 'GET', '/v1/classifiers')).body).toEqual({ classifiers: [] });
    await call(to.url, 'PUT', '/v1/classifiers/kinds', { labels: ['mine'] });
    await call(to.url, 'DELETE', '/v1/collections/notes');
    expect(await restored(to.url, archive)).toMatchObject({ state: 'done', result: { classifiers: ['plain'], kept_classifiers: ['kinds'] } });
    expect((await call(to.url, 'GET', '/v1/classifiers')).body.classifiers).toMatchObject([{ name: 'kinds', labels: ['mine'], examples: [] }, { name: 'plain', templates: ['seen by {}'] }]);
    // What is left of the deleted one's results is of the same job.
    expect((await call(to.url, 'GET', '/v1/collections/notes/clusters')).body).toEqual((await call(from.url, 'GET', '/v1/collections/notes/clusters')).body);
  });

  it('comes from a backup of an older schema as from one of this', async () => {
    const withoutWords = ['items_unread', 'items_unread_again', 'items_no_words'].map((name) => `DROP TRIGGER ${name}; `).join('') + 'DROP TABLE words; DROP TABLE unread; ALTER TABLE collections DROP COLUMN text_fields; ALTER TABLE collections DROP COLUMN tiles; ALTER TABLE embeddings DROP COLUMN box; ALTER TABLE items DROP COLUMN exif; DROP TABLE seen_files; DROP TABLE departed_items; DROP TABLE seen_mounts';
    const to = await emptied();
    const older = await withDatabase(changedBy(`${withoutWords}; DROP TABLE result_entries; DROP TABLE results; DROP TABLE classifier_examples; DROP TABLE classifiers; DROP TABLE cells; ALTER TABLE lineage DROP COLUMN cursor_key; PRAGMA user_version = 6`));
    expect(await restored(to.url, older)).toMatchObject({ state: 'done' });
    expect(await everything(to.url, 'notes')).toEqual(await everything(from.url, 'notes'));
  });
});

describe('a restore', () => {
  it('names every collection in the way, and changes nothing; an empty default is none', async () => {
    const withEmpty = await backupOfEmpty();
    const to = await emptied();
    await call(to.url, 'POST', '/v1/collections', { name: 'notes' });
    await call(to.url, 'POST', '/v1/collections', { name: 'empty' });
    const inTheWay = await send(to.url, archive);
    expect([inTheWay.status, inTheWay.body.error]).toEqual([409, { message: 'There is a collection "empty", "notes" already: delete it first, or name others of the backup in collections. Nothing was restored.', type: 'invalid_request_error', param: 'collections', code: 'conflict' }]);
    await call(to.url, 'POST', items(), { items: [{ id: 'own', text: 'own' }] });
    expect((await send(to.url, archive)).body.error.message).toContain('"default", "empty", "notes" already');
    expect(await everything(to.url, 'default')).toHaveProperty('size', 1);
    await call(to.url, 'DELETE', `${items()}/own`);
    expect(await restored(to.url, archive, '?collections=default')).toMatchObject({ state: 'done', result: { collections: [{ name: 'default', items: pictures + 1 }] } });
    expect(await everything(to.url, 'default')).toEqual(await everything(from.url, 'default'));

    // Of a backup an empty default is left out where nobody names it.
    await call(to.url, 'DELETE', '/v1/collections/notes');
    expect(await restored(to.url, withEmpty)).toMatchObject({ state: 'done', result: { collections: [{ name: 'notes', items: 0 }] } });
    expect((await send(to.url, withEmpty, '?collections=default')).status).toBe(409);
  });

  it('names what the backup does not hold, and what is no request', async () => {
    const to = await emptied();
    const refused = async (answer: Promise<Answer>, status: number, says: string): Promise<void> => {
      const { status: got, body } = await answer;
      expect([got, body.error.message]).toEqual([status, expect.stringContaining(says)]);
    };
    await refused(send(to.url, archive, '?collections=notes,none,nor-this'), 404, 'The backup holds no collection "none", "nor-this".');
    await refused(send(to.url, archive, '?collections=no%20name'), 400, 'names of collections');
    await refused(send(to.url, archive, '?all=true'), 400, 'Unknown field "all"');
    await refused(send(to.url, archive, '', { 'content-type': 'application/json' }), 400, 'Content-Type: application/x-tar');
    await refused(call(to.url, 'POST', '/v1/restore', undefined, tar), 400, 'This is no backup that can be restored');
    await refused(send(to.url, archive, '', { 'content-encoding': 'gzip' }), 400, 'Content-Encoding');
    await refused(send(to.url, archive, '', { 'content-encoding': 'zstd' }), 400, 'gzip');
    expect((await call(to.url, 'GET', '/v1/restore')).status).toBe(405);
    const bounded = await server({ env: { MIXSPACE_MAX_BACKUP: '100kB' } });
    await refused(send(bounded.url, archive), 413, '100000 bytes');
    await refused(send(bounded.url, gzipSync(archive), '', { 'content-encoding': 'gzip' }), 413, '100000 bytes');
    expect([...leftIn(to.indexDir), ...leftIn(bounded.indexDir), ...(await collectionsOf(to.url))]).toEqual(['default']);
  });

  it('of what is cut, damaged, of another version or no backup is refused, and leaves nothing', async () => {
    const to = await emptied();
    const jobs = async (): Promise<unknown> => (await call(to.url, 'GET', '/v1/jobs')).body.jobs;
    const before = await jobs();
    const at = (text: string): number => archive.indexOf(text);
    const changed = (change: (copy: Buffer) => unknown): Buffer => {
      const copy = Buffer.from(archive);
      change(copy);
      return copy;
    };
    const flip = (place: number): Buffer => changed((copy) => copy.writeUInt8(copy.readUInt8(place) ^ 1, place));
    const end = at('complete.json') - (at('complete.json') % 512);
    const cases: [what: string, body: Buffer, status: number, says: RegExp][] = [
      ['no archive', randomBytes(10_000), 400, /no backup that can be restored/],
      ['zeros', Buffer.alloc(10_000), 400, /it is cut/],
      ['cut in the manifest', archive.subarray(0, 600), 400, /cut/],
      ['cut in the database', archive.subarray(0, 20_000), 400, /cut/],
      ['cut in a picture', archive.subarray(0, at('originals/') + 700), 400, /cut/],
      ['cut before its end', archive.subarray(0, end), 400, /cut/],
      ['a byte of the database', flip(30_000), 400, /the database in it is damaged/],
      ['a byte of a picture', flip(at('originals/') + 900), 400, /the picture \w+ in it is damaged/],
      ['another format', changed((copy) => copy.write('nixspace-backup', at('mixspace-backup"'))), 400, /something else/],
      ['another version', changed((copy) => copy.write('"version": 2', at('"version": 1'))), 409, /version 2, made by a newer mixspace/],
      ['no names', await tarOf([['mixspace-backup.json', JSON.stringify({ format: 'mixspace-backup', version: 1, collections: [null] })]]), 400, /does not name its collections/],
      ['names that the database has not', changed((copy) => copy.write('"nodes"', at('"notes"'))), 400, /the database in it holds no collection "nodes"/],
      ['a newer schema', await withDatabase(changedBy('PRAGMA user_version = 99')), 409, /made by a newer mixspace \(schema 99/],
      ['another schema', await withDatabase(changedBy('CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM items; END')), 400, /the database in it is damaged, or none of mixspace/],
      ['rows that are not all there', await withDatabase(changedBy("DELETE FROM tallies WHERE modality = 'text'")), 400, /the database in it is damaged/],
      ['a database cut by its writer', await withDatabase((bytes) => bytes.subarray(0, 32_768)), 400, /the database in it is damaged/],
      ['no database', await withDatabase(() => randomBytes(20_000)), 400, /the database in it is damaged/],
    ];
    for (const [what, body, status, says] of cases) {
      const answer = await send(to.url, body);
      expect([what, answer.status, answer.body.error.message]).toEqual([what, status, expect.stringMatching(says)]);
      expect([what, ...leftIn(to.indexDir)]).toEqual([what]);
      expect(answer.body.error.message).not.toContain(to.indexDir);
    }
    expect([(await collectionsOf(to.url)), originalsIn(to.indexDir), await jobs()]).toEqual([['default'], [], before]);
    expect((await call(to.url, 'GET', '/readyz')).status).toBe(200);
    expect(await restored(to.url, archive)).toMatchObject({ state: 'done' });
  });

  it('whose sender hangs up, or is killed with the service, leaves nothing', async () => {
    const to = await server();
    const begin = async (url: string): Promise<() => void> => {
      const sending = request(`${url}/v1/restore`, { method: 'POST', headers: { ...tar, 'content-length': archive.length } });
      sending.on('error', () => undefined);
      sending.write(archive.subarray(0, archive.length / 2));
      await expect.poll(() => leftIn(to.indexDir)).toEqual(['restore.tmp']);
      return () => sending.destroy();
    };
    const hangUp = await begin(to.url);
    expect((await send(to.url, archive)).body.error.message).toMatch(/Another backup is being restored/);
    hangUp();
    await expect.poll(() => leftIn(to.indexDir)).toEqual([]);
    await begin(to.url);
    await to.kill();
    const again = await server({ indexDir: to.indexDir });
    expect([leftIn(again.indexDir), await collectionsOf(again.url)]).toEqual([[], ['default']]);
    expect(await restored(again.url, archive)).toMatchObject({ state: 'done' });
    await again.remove();
    await rm(to.indexDir, { recursive: true, force: true });
  });

  it('killed in the middle leaves nothing of its collections, and can be begun again', async () => {
    const to = await server();
    await call(to.url, 'POST', items(), { items: [{ id: 'own', text: 'own' }] });
    const job = await inTheMiddle(to.url);
    expect(await collectionsOf(to.url)).toEqual(['default']);
    expect(Mark.read(to.indexDir)!.items).toBeGreaterThan(1);
    await to.kill();
    const again = await server({ indexDir: to.indexDir });
    expect([await collectionsOf(again.url), leftIn(again.indexDir)]).toEqual([['default'], []]);
    expect((await call(again.url, 'GET', `/v1/jobs/${job}`)).body).toMatchObject({ state: 'cancelled', problem: 'Nothing was restored, and what was sent is not kept. Send the backup again.' });
    await expect.poll(() => Mark.read(again.indexDir)!.items, { timeout: 60_000 }).toBe(1);
    expect(await restored(again.url, many)).toMatchObject({ state: 'done' });
    expect((await call(again.url, 'GET', '/v1/collections/many')).body.counts.total).toBe(manyItems + 1);
    expect(Mark.read(again.indexDir)!.items).toBe(manyItems + 2);
    await again.remove();
    await rm(to.indexDir, { recursive: true, force: true });
  });

  it('can be cancelled; another one is refused meanwhile, and of a name that is taken meanwhile nothing comes', async () => {
    const to = await server();
    const job = await inTheMiddle(to.url);
    const other = await send(to.url, many);
    expect([other.status, other.body.error.message]).toEqual([409, 'Another backup is being restored; this one can be restored when that has ended.']);
    expect((await call(to.url, 'POST', `/v1/jobs/${job}/pause`)).status).toBe(409);
    expect((await call(to.url, 'POST', `/v1/jobs/${job}/cancel`)).body).toMatchObject({ state: 'cancelled', problem: null });
    expect(leftIn(to.indexDir)).toEqual([]);
    await expect.poll(() => Mark.read(to.indexDir)!.items, { timeout: 60_000 }).toBe(0);
    expect(originalsIn(to.indexDir)).toEqual([]);

    const second = await inTheMiddle(to.url);
    expect((await call(to.url, 'POST', '/v1/collections', { name: 'many' })).status).toBe(201);
    expect(await ended(to.url, second)).toMatchObject({ state: 'cancelled', problem: 'There is a collection "many" by now. Nothing was restored.' });
    expect((await call(to.url, 'GET', '/v1/collections/many')).body.counts.total).toBe(0);
    await expect.poll(() => originalsIn(to.indexDir), { timeout: 60_000 }).toEqual([]);
    expect(existsSync(path.join(to.indexDir, 'restore.tmp'))).toBe(false);
  });

  it('that a full disk or the end of the service breaks off leaves nothing', async () => {
    const to = await server({ store: { maxDatabaseBytes: 1.6e6 } });
    const job = await restored(to.url, many);
    expect(job).toMatchObject({ state: 'cancelled', problem: expect.stringMatching(/^The disk is full.* Nothing was restored\.$/) });
    expect(job.done).toBeGreaterThan(0);
    expect((await call(to.url, 'POST', `/v1/jobs/${job.id}/resume`)).status).toBe(409);
    await expect.poll(() => Mark.read(to.indexDir)!.items, { timeout: 60_000 }).toBe(0);
    await to.stop();
    const again = await server({ indexDir: to.indexDir });
    await inTheMiddle(again.url);
    expect(await again.stop()).toBe(0);
    expect(leftIn(to.indexDir)).toEqual([]);
    const last = await server({ indexDir: to.indexDir });
    expect((await call(last.url, 'GET', '/v1/jobs')).body.jobs.map(({ state }: { state: string }) => state)).toEqual(['cancelled', 'cancelled']);
    expect(await restored(last.url, many)).toMatchObject({ state: 'done' });
    await last.remove();
    await rm(to.indexDir, { recursive: true, force: true });
  });

  it('lets searches, writes and a backup pass', async () => {
    const to = await server();
    await call(to.url, 'POST', items(), { items: Array.from({ length: 200 }, (_, i) => ({ id: `own ${i}`, text: `text ${i}` })) });
    const search = async (): Promise<string[]> => (await call(to.url, 'POST', searchIn(), { query: 'text 7', limit: 5 })).body.matches.map(({ id }: { id: string }) => id);
    const found = await search();
    const job = await inTheMiddle(to.url);
    const waits: number[] = [];
    let written = 0;
    await call(to.url, 'POST', '/v1/collections', { name: 'goes' });
    await call(to.url, 'DELETE', '/v1/collections/goes');
    const taken = fetch(`${to.url}/v1/backup`).then(async (response) => Buffer.from(await response.arrayBuffer()));
    while ((await call(to.url, 'GET', `/v1/jobs/${job}`)).body.state === 'running') {
      const began = performance.now();
      expect(await search()).toEqual(found);
      waits.push(performance.now() - began);
      expect((await call(to.url, 'PATCH', `${items()}/own ${written % 200}`, { metadata: { written } })).status).toBe(200);
      written++;
    }
    expect(await ended(to.url, job)).toMatchObject({ state: 'done', done: manyItems + 1 });
    expect(Mark.read(to.indexDir)!.items).toBe(200 + manyItems + 1);
    expect(waits.length).toBeGreaterThan(3);
    expect(waits.sort((a, b) => a - b)[waits.length >> 1]).toBeLessThan(500);
    // Nothing of what had no name is in it, nor missed by it.
    expect((await taken).toString('latin1')).toContain('"missing": []');
  });
});

/** Folders and collections that stay one, through the front door. */
import { mkdir, mkdtemp, rename, rm, symlink, writeFile, copyFile, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { call, items } from './api.js';
import { chance, contentsOf, ended, idOf, listed, ofFolder, ofItems, speckled, synced } from './folders.js';
import { isOverPostgres } from './over-postgres.js';
import { runMixspace, startServer, type RunningServer } from './server.js';
import { changeAtRandom, renameFolder } from './sync/random-changes.js';

let server: RunningServer;
let client: MixspaceClient;
let base: string;
const env = (): Record<string, string> => ({ MIXSPACE_ROOTS: base, MIXSPACE_SYNC_QUIET: '0' });
const connect = (): MixspaceClient => new MixspaceClient({ url: server.url, retries: 0 });

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'mixspace-sync-'));
  server = await startServer({ env: env() });
  client = connect();
});
afterAll(async () => {
  await server.remove();
  await rm(base, { recursive: true, force: true });
});

let seeds = 1;
/** A folder of so many pictures, `0.png` and on, and a collection. */
async function filled(name: string, count: number): Promise<{ folder: string; at: (name: string) => string; bytes: Buffer[] }> {
  const folder = path.join(base, name);
  const at = (file: string): string => path.join(folder, file);
  await mkdir(folder);
  const bytes = await Promise.all(Array.from({ length: count }, () => speckled(seeds++)));
  await Promise.all(bytes.map((each, i) => writeFile(at(`${i}.png`), each)));
  await client.createCollection({ name });
  await synced(client, name, { root: folder });
  return { folder, at, bytes };
}

const same = async (name: string, folder: string): Promise<void> => expect(ofItems(await listed(client, name))).toEqual(ofFolder(folder));

it('After random edits, moves, copies, deletions and kills a collection equals its folder, and each picture has kept its metadata', { timeout: 240_000 }, async () => {
  const { next, pick } = chance(20_19);
  const root = path.join(base, 'random');
  await mkdir(path.join(root, 'deep', 'er'), { recursive: true });
  await client.createCollection({ name: 'random' });
  let files: string[] = [];
  const folders = [root, path.join(root, 'deep'), path.join(root, 'deep', 'er')];
  const draw = (): Promise<Buffer> => speckled(seeds++);
  for (let i = 0; i < 60; i++) {
    const file = path.join(pick(folders), `first-${i}.png`);
    await writeFile(file, await draw());
    files.push(file);
  }
  await synced(client, 'random', { root });
  /** What each content is to have. */
  let owed = new Map<string, object>();
  for (const [id, paths] of contentsOf(root)) {
    owed.set(id, { mine: path.basename(paths[0]!) });
    await client.setMetadata('random', id, owed.get(id) as Record<string, unknown>);
  }
  for (let round = 0; round < 4; round++) {
    const spared = round === 1 ? folders[2]! : undefined;
    ({ files, owed } = await changeAtRandom({ next, pick }, { root, folders, files, ...(spared && { spared }), owed, count: 24, round, draw }));
    if (spared) files = renameFolder(folders, files, spared, path.join(root, 'deep', 'renamed'));
    if (round === 1 || round === 2) {
      await client.sync('random', { root });
      await delay(30 + 250 * next());
      await server.kill();
      server = await startServer({ env: env(), indexDir: server.indexDir });
      client = connect();
    }
    await synced(client, 'random', { root });
    await same('random', root);
    const now = await listed(client, 'random');
    expect([...now].map(([id, { metadata }]) => [id, metadata])).toEqual([...now].map(([id]) => [id, owed.get(id) ?? {}]));
  }
  const again = await synced(client, 'random', { root });
  expect(again).toMatchObject({ found: files.length, unchanged: files.length, added: 0, found_again: 0, changed: 0, moved: 0, removed: 0, failed: 0 });
});

it('What changed is told apart and counted; a moved picture is shown from where it is now; an example of an edited one stays one', async () => {
  const { folder, at, bytes } = await filled('told', 6);
  const classifier = await client.putClassifier('specks', { labels: ['one', 'other'] });
  await client.addExamples('specks', { label: 'one', collection: 'told', ids: [idOf(bytes[1]!)] });
  const edited = await speckled(seeds++);
  await writeFile(at('1.png'), edited);
  await mkdir(at('sub'));
  await rename(at('2.png'), at('sub/moved.png'));
  await copyFile(at('3.png'), at('3 again.png'));
  await unlink(at('4.png'));
  await writeFile(at('new.png'), await speckled(seeds++));
  const told = { found: 7, unchanged: 3, changed: 1, moved: 1, removed: 1 };
  expect(await synced(client, 'told', { root: folder, dry_run: true })).toMatchObject({ ...told, dry_run: true, gone: [at('4.png')] });
  expect((await listed(client, 'told')).has(idOf(bytes[4]!))).toBe(true);
  expect(await synced(client, 'told', { root: folder })).toMatchObject({ ...told, added: 1, found_again: 1, items_removed: 2, gone: [at('4.png')] });
  await same('told', folder);
  expect((await client.getItem('told', idOf(bytes[2]!))).sources).toEqual([at('sub/moved.png')]);
  const original = await client.image('told', idOf(bytes[2]!), 'original');
  expect(idOf(Buffer.from(await original.arrayBuffer()))).toBe(idOf(bytes[2]!));
  // The example is the edited picture by now: taken away by its id, none is left.
  expect((await client.classifier('specks')).examples).toMatchObject([{ label: 'one', count: 1 }]);
  expect((await client.removeExamples('specks', { collection: 'told', ids: [idOf(edited)] })).examples).toEqual([]);
  expect(classifier.labels.length).toBe(2);
  await client.deleteClassifier('specks');
});

it('One edited copy leaves the other where it is, with the original shown from there', async () => {
  const { folder, at, bytes } = await filled('copies', 1);
  await copyFile(at('0.png'), at('copy.png'));
  await client.setMetadata('copies', idOf(bytes[0]!), { title: 'both' });
  await synced(client, 'copies', { root: folder });
  const edited = await speckled(seeds++);
  await writeFile(at('copy.png'), edited);
  await synced(client, 'copies', { root: folder });
  await same('copies', folder);
  expect((await client.getItem('copies', idOf(edited))).metadata).toEqual({ title: 'both' });
  expect((await client.getItem('copies', idOf(bytes[0]!))).metadata).toEqual({ title: 'both' });
  expect((await client.image('copies', idOf(bytes[0]!), 'original')).size).toBe(bytes[0]!.length);
});

it('A root out of reach, and a folder in it, remove nothing; many that vanish are named, and go when that is asked for', async () => {
  const { folder, at } = await filled('reach', 30);
  await mkdir(at('inner'));
  for (let i = 0; i < 5; i++) await rename(at(`${i}.png`), at(`inner/${i}.png`));
  await synced(client, 'reach', { root: folder });
  await same('reach', folder);
  const before = ofItems(await listed(client, 'reach'));

  // Unmounted: the whole root has gone.
  await rename(folder, `${folder}-away`);
  const gone = await call(server.url, 'POST', '/v1/collections/reach/sync', { root: folder });
  expect([gone.status, gone.body.error.param, gone.body.error.message]).toEqual([422, 'root', expect.stringContaining('cannot be reached')]);
  // Unmounted: where it was lies an empty folder.
  await mkdir(folder);
  const empty = await synced(client, 'reach', { root: folder });
  expect(empty).toMatchObject({ removed: 0, withheld: { count: 30, of: 30 } });
  expect(empty.withheld.first).toContain(at('10.png'));
  expect(ofItems(await listed(client, 'reach'))).toEqual(before);
  const line = await runMixspace(['sync', folder, '--collection', 'reach'], { MIXSPACE_URL: server.url });
  expect([line.code, line.stdout]).toEqual([1, expect.stringMatching(/30 of 30 files are no longer there.*--prune[^]*10\.png/)]);
  await rm(folder, { recursive: true });
  await rename(`${folder}-away`, folder);

  // A folder that leads round in a circle cannot be looked into, whoever looks.
  await rename(at('inner'), path.join(base, 'kept-aside'));
  await symlink('inner', at('inner'));
  const circle = await synced(client, 'reach', { root: folder });
  expect(circle).toMatchObject({ removed: 0, unreachable: { count: 5 }, withheld: { count: 0 } });
  expect(ofItems(await listed(client, 'reach'))).toEqual(before);
  // Its target has gone.
  await unlink(at('inner'));
  await symlink('/nowhere/at/all', at('inner'));
  expect(await synced(client, 'reach', { root: folder })).toMatchObject({ removed: 0, unreachable: { count: 5 } });
  await unlink(at('inner'));
  await rename(path.join(base, 'kept-aside'), at('inner'));
  expect(await synced(client, 'reach', { root: folder })).toMatchObject({ unchanged: 30, removed: 0, unreachable: { count: 0 } });

  // Up to a third, and up to ten, may go.
  for (let i = 5; i < 15; i++) await unlink(at(`${i}.png`));
  expect(await synced(client, 'reach', { root: folder })).toMatchObject({ removed: 10, withheld: { count: 0 } });
  for (let i = 15; i < 26; i++) await unlink(at(`${i}.png`));
  expect(await synced(client, 'reach', { root: folder })).toMatchObject({ removed: 0, withheld: { count: 11, of: 20 } });
  const pruned = await runMixspace(['sync', folder, '--collection', 'reach', '--prune'], { MIXSPACE_URL: server.url });
  expect([pruned.code, pruned.stdout]).toEqual([0, expect.stringContaining('11 removed')]);
  await same('reach', folder);
});

it('Adding tells how many items have lost their files, and removes none', async () => {
  const { folder, at } = await filled('adding', 4);
  await copyFile(at('0.png'), at('again.png'));
  await synced(client, 'adding', { root: folder });
  for (const name of ['0.png', '1.png', '2.png']) await unlink(at(name));
  const added = await runMixspace(['add', folder, '--collection', 'adding'], { MIXSPACE_URL: server.url });
  expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('2 items of files that are no longer there stay')]);
  expect((await listed(client, 'adding')).size).toBe(4);
});

it('What is deleted by hand stays out while its file stays as it is, and comes back when it is added', async () => {
  const { folder, at, bytes } = await filled('byhand', 3);
  await client.deleteItem('byhand', idOf(bytes[0]!));
  expect(await synced(client, 'byhand', { root: folder })).toMatchObject({ added: 0, deleted_items: 1, unchanged: 3 });
  await rename(at('0.png'), at('elsewhere.png'));
  expect(await synced(client, 'byhand', { root: folder })).toMatchObject({ added: 0, deleted_items: 1 });
  expect((await listed(client, 'byhand')).size).toBe(2);
  await client.addItems('byhand', [{ path: at('elsewhere.png') }]);
  expect(await synced(client, 'byhand', { root: folder })).toMatchObject({ deleted_items: 0, unchanged: 3 });
  await same('byhand', folder);
  // Emptied altogether, it can be filled again.
  await call(server.url, 'DELETE', `${items('byhand')}?all=true`);
  expect(await synced(client, 'byhand', { root: folder })).toMatchObject({ added: 3 });
});

it('What went and comes back, here or in another root, has its metadata again; what came from elsewhere is not touched', async () => {
  const { folder, at, bytes } = await filled('back', 3);
  const other = path.join(base, 'back-other');
  await mkdir(other);
  await client.setMetadata('back', idOf(bytes[0]!), { title: 'first' });
  await client.changeSources('back', idOf(bytes[1]!), { add: ['camera'] });
  await client.addItems('back', [{ text: 'a note', source: at('note.txt') }]);
  await rename(at('0.png'), path.join(other, 'moved.png'));
  await unlink(at('1.png'));
  expect(await synced(client, 'back', { root: folder })).toMatchObject({ removed: 2, items_removed: 1 });
  expect((await client.getItem('back', idOf(bytes[1]!))).sources).toEqual(['camera']);
  await synced(client, 'back', { root: other });
  expect(await client.getItem('back', idOf(bytes[0]!))).toMatchObject({ metadata: { title: 'first' }, sources: [path.join(other, 'moved.png')] });
  expect((await listed(client, 'back')).size).toBe(4);
});

it('What cannot be taken in is told with its reason, each time; an edited one stays what it was; a root inside another is the same files', async () => {
  const { folder, at, bytes } = await filled('faults', 2);
  await mkdir(at('inner'));
  await writeFile(at('inner/broken.png'), 'no picture');
  await writeFile(at('0.png'), bytes[0]!.subarray(0, bytes[0]!.length / 2));
  const job = await ended(client, (await client.sync('faults', { root: folder })).id);
  expect(job).toMatchObject({ state: 'done', failed: 2 });
  const { failures } = await client.jobFailures(job.id);
  expect(failures.map(({ file }) => file).sort()).toEqual([at('0.png'), at('inner/broken.png')]);
  expect(failures.find(({ file }) => file === at('0.png'))!.reason).toContain('What it was before stays.');
  expect((await client.getItem('faults', idOf(bytes[0]!))).sources).toEqual([at('0.png')]);
  await writeFile(at('inner/broken.png'), await speckled(seeds++));
  await writeFile(at('0.png'), await speckled(seeds++));
  expect(await synced(client, 'faults', { root: at('inner') })).toMatchObject({ added: 1 });
  expect(await synced(client, 'faults', { root: folder })).toMatchObject({ changed: 1, unchanged: 2 });
  await same('faults', folder);
  await unlink(at('inner/broken.png'));
  await synced(client, 'faults', { root: at('inner') });
  await same('faults', folder);
  for (const [body, status, param] of [[{}, 400, 'root'], [{ root: '/' }, 422, 'root'], [{ root: 'photos' }, 422, 'root'], [{ root: folder, prune: 'yes' }, 400, 'prune'], [{ root: folder, watch: true }, 400, 'watch']] as const) {
    const refused = await call(server.url, 'POST', '/v1/collections/faults/sync', body);
    expect([refused.status, refused.body.error.param]).toEqual([status, param]);
  }
});

it.skipIf(isOverPostgres)('A collection that is restored from a backup knows its files', async () => {
  const { folder, at, bytes } = await filled('restored', 4);
  await client.setMetadata('restored', idOf(bytes[3]!), { title: 'gone' });
  await client.deleteItem('restored', idOf(bytes[0]!));
  await rename(at('3.png'), path.join(base, 'away.png'));
  await synced(client, 'restored', { root: folder });
  const archive = new Blob([await new Response(await client.backup()).arrayBuffer()]);
  await client.deleteCollection('restored');
  await unlink(at('1.png'));
  await rename(path.join(base, 'away.png'), at('back.png'));
  await ended(client, (await client.restore(archive, { collections: ['restored'] })).id);
  expect(await synced(client, 'restored', { root: folder })).toMatchObject({ unchanged: 2, deleted_items: 1, removed: 1, added: 1 });
  expect([...(await listed(client, 'restored'))].map(([id, { metadata }]) => [id, metadata]).sort()).toEqual([[idOf(bytes[2]!), {}], [idOf(bytes[3]!), { title: 'gone' }]].sort());
});

it('An item in 3,000 places tells a hundred and how many, and all of them page by page; sources are added and taken away', async () => {
  await client.createCollection({ name: 'places' });
  const id = (await client.addItems('places', [{ text: 'everywhere', source: 'place 0' }]))[0]!.id!;
  for (let from = 1; from < 3000; from += 1000) await client.changeSources('places', id, { add: Array.from({ length: Math.min(1000, 3000 - from) }, (_, i) => `place ${from + i}`) });
  const item = await client.getItem('places', id);
  expect([item.sources.length, item.source_count, item.sources[99]]).toEqual([100, 3000, 'place 99']);
  const all: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.itemSources('places', id, { limit: 999, ...(cursor === undefined ? {} : { cursor }) });
    all.push(...page.sources);
    cursor = page.next_cursor;
    if (cursor === undefined) break;
  }
  expect(all).toEqual(Array.from({ length: 3000 }, (_, n) => `place ${n}`));
  const most = await call(server.url, 'PATCH', `${items('places')}/${id}`, { sources: { remove: all.slice(0, 1001) } });
  expect([most.status, most.body.error.param]).toEqual([400, 'sources.remove']);
  const left = await call(server.url, 'PATCH', `${items('places')}/${id}`, { metadata: { a: 1 }, sources: { remove: all.slice(2, 1002), add: ['place 0', 'new'] } });
  expect([left.status, left.body.source_count, left.body.metadata]).toEqual([200, 2001, { a: 1 }]);
  expect((await client.itemSources('places', id, { limit: 2 })).sources).toEqual(['place 0', 'place 1']);
  for (const [body, param] of [[{}, 'metadata'], [{ sources: { add: [''] } }, 'sources.add[0]'], [{ sources: {} }, 'metadata'], [{ sources: { set: [] } }, 'sources.set']] as const) {
    const refused = await call(server.url, 'PATCH', `${items('places')}/${id}`, body);
    expect([refused.status, refused.body.error.param]).toEqual([400, param]);
  }
});

it('What is left out by globs goes, a name of any bytes stays in step, and a dry run tells both beforehand', async () => {
  const { folder, at } = await filled('globs', 6);
  const odd = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.png')]);
  await writeFile(odd, await speckled(seeds++));
  expect(await synced(client, 'globs', { root: folder })).toMatchObject({ added: 1, unchanged: 6 });
  expect([...(await listed(client, 'globs')).values()].flatMap(({ sources }) => sources)).toContain(`file://${folder}/caf%E9.png`);
  expect(await synced(client, 'globs', { root: folder })).toMatchObject({ added: 0, removed: 0, unchanged: 7 });

  const exclude = ['[01].png'];
  expect(await synced(client, 'globs', { root: folder, exclude, dry_run: true })).toMatchObject({ added: 0, removed: 2, unchanged: 5, gone: [at('0.png'), at('1.png')], left_out: { excluded: 2 } });
  expect((await listed(client, 'globs')).size).toBe(7);
  expect(await synced(client, 'globs', { root: folder, exclude })).toMatchObject({ added: 0, removed: 2, unchanged: 5 });
  expect((await listed(client, 'globs')).size).toBe(5);
  expect(await synced(client, 'globs', { root: folder })).toMatchObject({ added: 2, removed: 0, unchanged: 5 });

  await unlink(odd);
  expect(await synced(client, 'globs', { root: folder })).toMatchObject({ removed: 1, unchanged: 6 });
  await same('globs', folder);
  const refused = await call(server.url, 'POST', '/v1/collections/globs/sync', { root: folder, exclude: ['a'.repeat(2000)] });
  expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringContaining('1024 characters')]);
});

it('A folder whose own name is no UTF-8 is synchronised by the name by which it is told', async () => {
  const folder = Buffer.concat([Buffer.from(`${base}/caf`), Buffer.from([0xe9])]);
  const inside = (name: string): Buffer => Buffer.concat([folder, Buffer.from(`/${name}`)]);
  const root = `file://${base}/caf%E9`;
  await mkdir(folder);
  const pictures = await Promise.all([0, 1].map(() => speckled(seeds++)));
  await Promise.all(pictures.map((bytes, i) => writeFile(inside(`${i}.png`), bytes)));
  await client.createCollection({ name: 'odd' });
  expect(await synced(client, 'odd', { root })).toMatchObject({ root, added: 2 });
  await rename(inside('0.png'), inside('moved.png'));
  await unlink(inside('1.png'));
  expect(await synced(client, 'odd', { root })).toMatchObject({ added: 0, moved: 1, removed: 1, unchanged: 0 });
  expect(ofItems(await listed(client, 'odd'))).toEqual([[idOf(pictures[0]!), [`${root}/moved.png`]]]);
  expect(await synced(client, 'odd', { root })).toMatchObject({ added: 0, moved: 0, removed: 0, unchanged: 1 });
});

/** `serve --watch`: a folder is followed while it changes. */
import { appendFile, mkdir, mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import { idOf, listed, ofFolder, ofItems, speckled } from './folders.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
let client: MixspaceClient;
let folder: string;
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mixspace-watch-'));
  await mkdir(at('sub'));
  for (let i = 0; i < 30; i++) await writeFile(at(i % 2 === 0 ? `${i}.png` : `sub/${i}.png`), await speckled(i + 1));
  server = await startServer({ args: ['--watch', folder], env: { MIXSPACE_SYNC_QUIET: '700', MIXSPACE_WATCH_LOOK: '0' } });
  client = new MixspaceClient({ url: server.url, retries: 0 });
});
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

const followed = async (): Promise<void> => expect.poll(async () => ofItems(await listed(client, 'default')), { interval: 100 }).toEqual(ofFolder(folder));

it('New, edited, moved and deleted files, and folders that come, go and get another name, are followed', async () => {
  await followed();
  const moved = idOf(await speckled(1));
  await client.setMetadata('default', moved, { title: 'moved' });
  const edited = idOf(await speckled(3));
  await client.setMetadata('default', edited, { title: 'edited' });
  await writeFile(at('new.png'), await speckled(100));
  await writeFile(at('2.png'), await speckled(101));
  await rename(at('0.png'), at('sub/moved.png'));
  await unlink(at('4.png'));
  await mkdir(at('came'));
  await writeFile(at('came/inside.png'), await speckled(102));
  await followed();
  expect(await client.getItem('default', moved)).toMatchObject({ metadata: { title: 'moved' }, sources: [at('sub/moved.png')] });
  expect((await client.getItem('default', idOf(await speckled(101)))).metadata).toEqual({ title: 'edited' });

  await rename(at('sub'), at('renamed'));
  await followed();
  expect(await client.getItem('default', moved)).toMatchObject({ metadata: { title: 'moved' }, sources: [at('renamed/moved.png')] });
  await rm(at('came'), { recursive: true });
  await followed();
});

it('A file that is copied slowly is added once, whole', async () => {
  const bytes = await speckled(200);
  const slow = at('slow.png');
  await writeFile(slow, bytes.subarray(0, 100));
  for (let from = 100; from < bytes.length; from += Math.ceil(bytes.length / 8)) {
    await delay(300);
    await appendFile(slow, bytes.subarray(from, from + Math.ceil(bytes.length / 8)));
  }
  await followed();
  expect((await listed(client, 'default')).has(idOf(bytes))).toBe(true);
  expect(server.logs()).not.toContain('Not taken in');
});

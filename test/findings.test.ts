/** What a collection says of the things that jobs have found out about it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceClient } from '../src/client/index.js';
import type { Job } from '../src/contract/jobs.js';
import { drawn } from './pictures.js';
import { runMixspace, startServer, type RunningServer } from './server.js';

let server: RunningServer;
let client: MixspaceClient;
beforeAll(async () => {
  server = await startServer();
  client = new MixspaceClient({ url: server.url, retries: 0 });
});
afterAll(() => server.remove());

async function ended(job: Promise<Job>): Promise<string> {
  const { id } = await job;
  await expect.poll(async () => (await client.job(id)).state, { interval: 100 }).toBe('done');
  return id;
}
async function withPictures(name: string, count = 4): Promise<string> {
  await client.createCollection({ name });
  await client.uploadItems(name, await Promise.all(Array.from({ length: count }, async (_, seed) => ({ id: `p${seed}`, name: `${seed}.png`, blob: new Blob([new Uint8Array(await drawn(seed))]) }))));
  return name;
}
const told = async (name: string) => (await client.collection(name)).findings;
const staleOf = async (name: string): Promise<Record<string, boolean>> => Object.fromEntries((await told(name)).map(({ kind, stale }) => [kind, stale]));

describe('What jobs found out about a collection', () => {
  it('is told of each by its kind, job and time, and not before there is something', async () => {
    const name = await withPictures('told');
    expect(await told(name)).toEqual([]);
    const clusters = await ended(client.makeClusters(name, { count: 2 }));
    const { at } = await client.clusters(name);
    expect(await told(name)).toEqual([{ kind: 'clusters', job: clusters, made_at: at, stale: false }]);
    const [map, duplicates] = [await ended(client.makeMap(name)), await ended(client.findDuplicates(name))];
    expect(await told(name)).toEqual([
      { kind: 'map', job: map, made_at: (await client.map(name)).made_at, stale: false },
      { kind: 'clusters', job: clusters, made_at: at, stale: false },
      { kind: 'duplicates', job: duplicates, made_at: (await client.duplicates(name)).at, stale: false },
    ]);
    expect((await client.collections()).find((each) => each.name === name)!.findings).toEqual(await told(name));
    expect(await client.duplicates(name)).not.toHaveProperty('changes');
    const again = await ended(client.makeClusters(name, { count: 3 }));
    expect((await told(name)).map(({ job }) => job)).toEqual([map, again, duplicates]);
    expect((await runMixspace(['collections', '--url', server.url])).stdout).toMatch(/^told\s.*\smap, clusters, duplicates$/m);
  });

  it('is stale once an item has come, gone or changed, and fresh when it is made anew', async () => {
    const name = await withPictures('stale');
    await ended(client.makeClusters(name));
    await ended(client.makeMap(name));
    await client.uploadItems(name, [{ id: 'late', name: 'late.png', blob: new Blob([new Uint8Array(await drawn(9))]) }]);
    expect(await staleOf(name)).toEqual({ map: true, clusters: true });
    expect((await runMixspace(['collections', '--url', server.url])).stdout).toMatch(/^stale\s.*\smap \(older\), clusters \(older\)$/m);
    await ended(client.makeMap(name, { place: true }));
    expect(await staleOf(name)).toEqual({ map: false, clusters: true });
    await ended(client.makeClusters(name));
    await client.setMetadata(name, 'late', { seen: true });
    expect(await staleOf(name)).toEqual({ map: true, clusters: true });
    await ended(client.makeMap(name, { place: true }));
    await ended(client.makeClusters(name));
    expect(await staleOf(name)).toEqual({ map: false, clusters: false });
    await client.deleteItem(name, 'late');
    // Its point stays on the map.
    await ended(client.makeMap(name, { place: true }));
    expect(await staleOf(name)).toEqual({ map: true, clusters: true });
    expect((await client.map(name)).stale).toEqual({ added: 0, removed: 1 });
    await ended(client.makeMap(name));
    expect(await staleOf(name)).toEqual({ map: false, clusters: true });
  });
});

import { readdir, truncate, writeFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceApiError, MixspaceClient } from '../src/client/index.js';
import { embeddingOf, idsOf, itemOf } from './crash/contents.js';
import { straceIsThere, traceFlush } from './crash/flush.js';
import { crash } from './crash/rounds.js';
import { mountSmallDisk, type SmallDisk } from './crash/small-disk.js';
import { writesToTrace } from './crash/writes-to-trace.js';
import { startServer, type RunningServer } from './server.js';

const env = { MIXSPACE_WORKERS: '1' };

describe('A service killed at random moments of an ingest with deletes', () => {
  it('has every item it answered for, and none it answered as deleted', { timeout: 180_000 }, async () => {
    const said: string[] = [];
    const report = await crash({ rounds: 3, seed: Date.now() % 1e6, say: (line) => said.push(line) });
    expect(report.losses, said.join('\n')).toEqual([]);
    expect(report.kills).toBe(3);
    expect(report.throughGraph).toBeGreaterThan(1_000);
  });
});

describe.skipIf(!straceIsThere())('By the record of its system calls, the service', () => {
  it('answers 200 after everything it wrote has been flushed', async () => {
    const server = await startServer({ env });
    try {
      for (const { title, request } of await writesToTrace(server.url)) {
        const trace = await traceFlush(server, request);
        expect(trace, title).toMatchObject({ answered: true, unflushed: [] });
        expect(trace.flushed.some((file) => file.endsWith('-wal')), `${title}: ${trace.lines.join('\n')}`).toBe(true);
      }
    } finally {
      await server.remove();
    }
  });
});

describe('With graph snapshots that are', () => {
  const collection = 'snapshots';
  const items = 5_200;
  let indexDir: string;
  let first: RunningServer;
  let dimension: number;
  const ids = idsOf('one', 0, items);

  beforeAll(async () => {
    first = await startServer({ env });
    indexDir = first.indexDir;
    const client = new MixspaceClient({ url: first.url });
    dimension = (await client.createCollection({ name: collection })).dimensions;
    for (let from = 0; from < items; from += 400) {
      await client.addItems(collection, ids.slice(from, from + 400).map((id) => itemOf(id, { version: 1, note: 0 }, dimension)));
    }
    await ready(client);
    await first.stop();
  });
  afterAll(async () => first.remove());

  const snapshots = async (): Promise<string[]> => {
    const names = (await readdir(path.join(indexDir, 'snapshots'))).map((name) => path.join(indexDir, 'snapshots', name));
    expect(names.some((name) => name.endsWith('.hnsw'))).toBe(true);
    return names;
  };
  const ready = async (client: MixspaceClient): Promise<void> => {
    await expect.poll(async () => (await client.collection(collection)).graph.state, { timeout: 60_000 }).toBe('ready');
  };

  /** Starts on what is left, searches at once and again when the graph is there, and stops: a new snapshot is saved. */
  async function answersRight(): Promise<string> {
    const server = await startServer({ env, indexDir });
    try {
      const client = new MixspaceClient({ url: server.url });
      const nearest = async (id: string) => (await client.search(collection, { embedding: embeddingOf(id, 1, dimension) }, { limit: 5 })).matches.map((match) => match.id);
      const sample = ids.filter((_, i) => i % 100 === 0);
      const meanwhile = [];
      for (const id of sample) meanwhile.push((await nearest(id))[0]);
      expect(meanwhile).toEqual(sample);
      await ready(client);
      for (const id of sample) expect((await nearest(id))[0]).toBe(id);
      expect(await server.stop()).toBe(0);
      return server.logs();
    } finally {
      await server.remove();
    }
  }

  it('untouched, it says nothing of them', async () => {
    expect(await answersRight()).not.toMatch(/cannot be used/);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['deleted', (file) => rm(file)],
    ['truncated', (file) => truncate(file, 1000)],
    ['empty', (file) => truncate(file, 0)],
    ['junk', (file) => writeFile(file, 'junk'.repeat(100_000))],
  ])('%s, it starts, says so and answers right', async (_, spoil) => {
    for (const file of await snapshots()) await spoil(file);
    expect(await answersRight()).toMatch(/cannot be used; it is built again/);
  });

  it('changed in a single byte, it starts, says so and answers right', async () => {
    const { open } = await import('node:fs/promises');
    const graph = (await snapshots()).find((file) => file.endsWith('.hnsw'))!;
    const handle = await open(graph, 'r+');
    await handle.write(Buffer.from([0x7f]), 0, 1, (await handle.stat()).size - 5_000);
    await handle.close();
    expect(await answersRight()).toMatch(/cannot be used; it is built again/);
  });
});

describe('On a disk that is full', async () => {
  const disk = await mountSmallDisk(24);
  if (typeof disk === 'string') console.warn(`SKIPPED, the tests of a full disk: ${disk}`);
  afterAll(async () => (disk as SmallDisk).remove?.());

  it.skipIf(typeof disk === 'string')('writes are 507, reading and searching go on, and with room again so do writes', async () => {
    const { directory } = disk as SmallDisk;
    const ballast = path.join(directory, 'ballast');
    await writeFile(ballast, Buffer.alloc(8e6));
    const server = await startServer({ env, indexDir: path.join(directory, 'index') });
    try {
      const client = new MixspaceClient({ url: server.url, retries: 0 });
      const { dimensions } = await client.collection('default');
      const answered: string[] = [];
      const fill = async (): Promise<unknown> => {
        for (let batch = 0; ; batch++) {
          const ids = idsOf(`fill-${batch}`, 0, 50);
          const outcome = await client.addItems('default', ids.map((id) => itemOf(id, { version: 1, note: 0 }, dimensions))).catch((error: unknown) => error);
          if (!Array.isArray(outcome)) return outcome;
          answered.push(...ids);
        }
      };
      const refusal = await fill();
      expect(refusal).toBeInstanceOf(MixspaceApiError);
      expect(refusal).toMatchObject({ status: 507, code: 'disk_full' });
      expect(answered.length).toBeGreaterThan(100);

      for (const id of [answered[0]!, answered.at(-1)!]) {
        expect((await client.getItem('default', id)).id).toBe(id);
        const { matches } = await client.search('default', { embedding: embeddingOf(id, 1, dimensions) }, { limit: 1 });
        expect(matches[0]!.id).toBe(id);
      }
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      expect((await client.search('default', 'a word')).matches.length).toBeGreaterThan(0);

      await rm(ballast);
      const [outcome] = await client.addItems('default', [itemOf('embedding_after_0', { version: 1, note: 0 }, dimensions)]);
      expect(outcome).toMatchObject({ status: 'created' });
      expect(await server.stop()).toBe(0);

      const again = await startServer({ env, indexDir: path.join(directory, 'index') });
      const { counts } = await new MixspaceClient({ url: again.url }).collection('default');
      expect(counts.total).toBeGreaterThan(answered.length);
      await again.remove();
    } finally {
      await server.remove();
    }
  });
});

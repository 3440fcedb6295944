import { randomBytes } from 'node:crypto';
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceApiError, MixspaceClient } from '../src/client/index.js';
import type { NewItem } from '../src/contract/items.js';
import { embeddingOf, idsOf, itemOf } from './crash/contents.js';
import { traceFlush, whyNoTrace } from './crash/flush.js';
import { graphIsReady } from './crash/graph.js';
import { crash } from './crash/rounds.js';
import { mountSmallDisk, type SmallDisk } from './crash/small-disk.js';
import { writesToTrace } from './crash/writes-to-trace.js';
import { startServer, type RunningServer } from './server.js';

const env = { MIXSPACE_WORKERS: '1' };

describe('A service killed at random moments of an ingest with deletes', () => {
  it('has every item it answered for, and none it answered as deleted', { timeout: 300_000 }, async () => {
    const said: string[] = [];
    const report = await crash({ rounds: 3, seed: Date.now() % 1e6, atTheEnd: 2_000, say: (line) => said.push(line) });
    expect(report.losses, said.join('\n')).toEqual([]);
    expect(report.kills).toBe(3);
    expect(report.throughGraph).toBeGreaterThan(1_000);
  });
});

describe('By the record of its system calls, the service', () => {
  const problem = whyNoTrace();
  if (problem !== undefined) console.warn(`\n!!! THE FLUSH BEFORE AN ANSWER IS NOT TRACED. ${problem}\n`);

  it.skipIf(problem !== undefined)('answers after everything it wrote has been flushed', async () => {
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
  const ids = idsOf('one', 0, 5_200);
  const sample = ids.filter((_, i) => i % 100 === 0);
  let first: RunningServer;
  let dimension: number;
  let snapshots: string;
  let kept: string;

  beforeAll(async () => {
    first = await startServer({ env });
    snapshots = path.join(first.indexDir, 'snapshots');
    kept = path.join(first.indexDir, 'kept');
    const client = new MixspaceClient({ url: first.url });
    dimension = (await client.createCollection({ name: collection })).dimensions;
    for (let from = 0; from < ids.length; from += 400) {
      await client.addItems(collection, ids.slice(from, from + 400).map((id) => itemOf(id, { version: 1, note: 0 }, dimension)));
    }
    await graphIsReady(client, collection);
    await first.stop();
    await cp(snapshots, kept, { recursive: true });
  });
  afterAll(async () => first.remove());

  /** Starts on what `spoil` left of the snapshots; the answers must be right from the first one on. */
  async function startOn(spoil: (file: string) => Promise<void>, which: RegExp, check: (server: RunningServer, client: MixspaceClient) => Promise<void>): Promise<void> {
    await rm(snapshots, { recursive: true });
    await cp(kept, snapshots, { recursive: true });
    const files = (await readdir(snapshots)).filter((name) => which.test(name));
    expect(files).not.toEqual([]);
    for (const name of files) await spoil(path.join(snapshots, name));

    const server = await startServer({ env, indexDir: first.indexDir });
    try {
      const client = new MixspaceClient({ url: server.url });
      await findsAll(client);
      await check(server, client);
    } finally {
      await server.remove();
    }
  }

  async function findsAll(client: MixspaceClient): Promise<boolean[]> {
    const throughGraph: boolean[] = [];
    for (const id of sample) {
      const { matches, exact } = await client.search(collection, { embedding: embeddingOf(id, 1, dimension) }, { limit: 5 });
      expect(matches[0]).toMatchObject({ id, score: expect.closeTo(1, 4) as number });
      throughGraph.push(!exact);
    }
    return throughGraph;
  }

  it('whole, it says nothing of them and searches by them', async () => {
    await startOn(async () => {}, /./, async (server, client) => {
      await graphIsReady(client, collection);
      expect(await findsAll(client)).not.toContain(false);
      expect(server.logs()).not.toMatch(/cannot be used/);
    });
  });

  it.each<[string, RegExp, (file: string) => Promise<void>]>([
    ['deleted', /./, (file) => rm(file)],
    ['deleted but for what describes them', /\.hnsw$/, (file) => rm(file)],
    ['truncated', /\.hnsw$/, (file) => truncate(file, 100_000)],
    ['empty', /./, (file) => truncate(file, 0)],
    ['changed in one byte', /\.hnsw$/, changeOneByte],
    ['junk of the same length', /\.hnsw$/, fillWithJunk],
    ['junk, what describes them too', /./, fillWithJunk],
  ])('%s, it starts, says so and answers right', async (_, which, spoil) => {
    await startOn(spoil, which, async (server) => {
      await expect.poll(() => server.logs()).toMatch(/cannot be used; it is built again/);
    });
  });

  it('gone, it builds them again', async () => {
    await startOn((file) => rm(file), /./, async (server, client) => {
      await graphIsReady(client, collection);
      expect(await findsAll(client)).not.toContain(false);
      expect(await server.stop()).toBe(0);
      expect((await readdir(snapshots)).some((name) => name.endsWith('.hnsw'))).toBe(true);
    });
  });
});

async function changeOneByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(file, bytes);
}

async function fillWithJunk(file: string): Promise<void> {
  await writeFile(file, randomBytes((await stat(file)).size));
}

describe('On a disk that is full', async () => {
  const disk = await mountSmallDisk(16);
  if (typeof disk === 'string') console.warn(`\n!!! A FULL DISK IS NOT TESTED. ${disk}\n`);
  afterAll(() => (typeof disk === 'string' ? undefined : disk.remove()));

  it.skipIf(typeof disk === 'string')('writes are 507, reading and searching go on, and with room again so do writes', async () => {
    const { directory } = disk as SmallDisk;
    const indexDir = path.join(directory, 'index');
    const ballast = path.join(directory, 'ballast');
    await writeFile(ballast, Buffer.alloc(4e6));
    const server = await startServer({ env, indexDir });
    try {
      const client = new MixspaceClient({ url: server.url, retries: 0 });
      const { dimensions } = await client.collection('default');
      const bulky = (id: string): NewItem => ({ ...itemOf(id, { version: 1, note: 0 }, dimensions), metadata: { filler: 'x'.repeat(8_000) } });
      const add = (items: NewItem[]): Promise<unknown> => client.addItems('default', items).catch((error: unknown) => error);
      const diskFull = { status: 507, code: 'disk_full' };

      expect(await add([{ image: await noise(2_200) }])).toMatchObject(diskFull);
      const answered: string[] = [];
      let outcome: unknown;
      for (let batch = 0; ; batch++) {
        const ids = idsOf(`fill-${batch}`, 0, 20);
        outcome = await add(ids.map(bulky));
        if (!Array.isArray(outcome)) break;
        answered.push(...ids);
      }
      expect(outcome).toBeInstanceOf(MixspaceApiError);
      expect(outcome).toMatchObject(diskFull);
      // What did not fit has not taken the room of what does.
      expect(answered.length).toBeGreaterThan(100);

      for (const id of [answered[0]!, answered.at(-1)!]) {
        expect((await client.getItem('default', id)).id).toBe(id);
        const { matches } = await client.search('default', { embedding: embeddingOf(id, 1, dimensions) }, { limit: 1 });
        expect(matches[0]!.id).toBe(id);
      }
      expect((await client.search('default', 'a word')).matches.length).toBeGreaterThan(0);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      const deletion = await client.deleteItem('default', answered[0]!).catch((error: unknown) => error);
      if (deletion === undefined) answered.shift();
      else expect(deletion).toMatchObject(diskFull);

      await rm(ballast);
      answered.push('embedding_after_0');
      expect(await add([bulky('embedding_after_0')])).toMatchObject([{ status: 'created' }]);
      expect(await server.stop()).toBe(0);

      const again = await startServer({ env, indexDir });
      try {
        expect(await new MixspaceClient({ url: again.url }).itemsExist('default', answered)).toEqual({ missing: [] });
      } finally {
        await again.remove();
      }
    } finally {
      await server.remove();
    }
  });
});

/** A square picture that cannot be compressed, in base64. */
async function noise(side: number): Promise<string> {
  const raw = { width: side, height: side, channels: 3 } as const;
  return (await sharp(randomBytes(side * side * 3), { raw }).png({ compressionLevel: 0 }).toBuffer()).toString('base64');
}

import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceApiError, MixspaceClient } from '../src/client/index.js';
import type { NewItem } from '../src/contract/items.js';
import { checkDirectory } from '../src/store/embedded/check.js';
import { Sqlite } from '../src/store/embedded/database.js';
import { embeddingOf, idsOf, itemOf } from './crash/contents.js';
import { sumOf } from './crash/counts.js';
import { traceFlush, whyNoTrace } from './crash/flush.js';
import { cellsAreReady } from './crash/cells.js';
import { crash } from './crash/rounds.js';
import { small } from './crash/sizes.js';
import { mountSmallDisk, type SmallDisk } from './crash/small-disk.js';
import { writesToTrace } from './crash/writes-to-trace.js';
import { startServer, type RunningServer } from './server.js';

const env = { MIXSPACE_WORKERS: '1' };

describe('A service killed at random moments of writes, questions, backups and reembeddings', () => {
  it('has every item as it answered for it, and none it answered as deleted', { timeout: 300_000 }, async () => {
    const said: string[] = [];
    const records = await crash({ rounds: 2, seed: Date.now() % 1e6, size: small, say: (line) => said.push(line) });
    expect(records.flatMap(({ faults }) => faults), said.join('\n')).toEqual([]);
    const counts = sumOf(records.map((record) => record.counts));
    expect(counts.kills).toBe(2);
    expect(counts['looked up by id and search']).toBeGreaterThan(200);
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

describe('A start with cells that are', () => {
  const ids = idsOf('one', 0, 600);
  const sample = ids.filter((_, i) => i % 20 === 0);
  const damages: Record<string, string> = {
    whole: 'SELECT 1',
    lost: 'DELETE FROM cells WHERE space = ?',
    truncated: 'UPDATE cells SET centroids = substr(centroids, 1, length(centroids) / 2) WHERE space = ?',
    empty: "UPDATE cells SET centroids = x'', groups = x'', first_of = x'' WHERE space = ?",
    'junk of the same length': 'UPDATE cells SET centroids = randomblob(length(centroids)) WHERE space = ?',
    'said to have found everything at once': `UPDATE cells SET shares = '{"item":[0.001,0.001,0.001]}' WHERE space = ?`,
  };
  const collections = Object.keys(damages);
  const nameOf = (title: string): string => title.replaceAll(/\W+/g, '-');
  const store = { cellsFrom: 500 };
  let indexDir: string;
  let server: RunningServer;
  let client: MixspaceClient;
  let dimension: number;

  beforeAll(async () => {
    const first = await startServer({ env, store });
    ({ indexDir } = first);
    const filling = new MixspaceClient({ url: first.url });
    for (const name of collections.map(nameOf)) {
      dimension = (await filling.createCollection({ name })).dimensions;
      await filling.addItems(name, ids.map((id) => itemOf(id, { version: 1, note: 0 }, dimension)));
      await cellsAreReady(filling, name);
    }
    expect(await first.stop()).toBe(0);
    const database = new Sqlite(path.join(indexDir, 'mixspace.db'));
    for (const title of collections.slice(1)) {
      const space = database.prepare<[string], number>('SELECT space FROM collections WHERE name = ?').pluck().get(nameOf(title))!;
      expect(database.prepare(damages[title]!).run(space).changes).toBe(1);
    }
    database.close();
    server = await startServer({ env, store, indexDir });
    client = new MixspaceClient({ url: server.url });
  });
  afterAll(async () => {
    await server.remove();
    await rm(indexDir, { recursive: true, force: true });
  });

  async function expectAll(title: string): Promise<void> {
    for (const id of sample) {
      const { matches } = await client.search(nameOf(title), { embedding: embeddingOf(id, 1, dimension) }, { limit: 5 });
      expect(matches[0], title).toMatchObject({ id, score: expect.closeTo(1, 4) as number });
    }
  }

  it.each(collections)('%s answers right from the first search on, and when they are ready', async (title) => {
    await expectAll(title);
    await cellsAreReady(client, nameOf(title));
    await expectAll(title);
  });

  it('spoilt in many ways has them whole when it ends', async () => {
    for (const title of collections) await cellsAreReady(client, nameOf(title));
    expect(await server.stop()).toBe(0);
    const { notes, problems } = await checkDirectory(indexDir, () => undefined);
    expect([notes, problems]).toEqual([[], []]);
  });
});

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

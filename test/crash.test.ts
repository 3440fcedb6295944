import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MixspaceApiError, MixspaceClient } from '../src/client/index.js';
import type { NewItem } from '../src/contract/items.js';
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
    expect(counts['of these in cells']).toBeGreaterThan(200);
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

describe('A start with graph snapshots that are', () => {
  const ids = idsOf('one', 0, 600);
  const sample = ids.filter((_, i) => i % 20 === 0);
  const isGraph = /\.hnsw$/;
  /** By the collection whose snapshot it is done to. */
  const damages: Record<string, { which: RegExp; spoil: (file: string) => Promise<void> }> = {
    deleted: { which: /./, spoil: (file) => rm(file) },
    'deleted but for what describes them': { which: isGraph, spoil: (file) => rm(file) },
    truncated: { which: isGraph, spoil: async (file) => truncate(file, Math.round((await stat(file)).size / 2)) },
    empty: { which: /./, spoil: (file) => truncate(file, 0) },
    'changed in one byte': { which: isGraph, spoil: changeOneByte },
    'junk of the same length': { which: isGraph, spoil: fillWithJunk },
    'junk, what describes them too': { which: /./, spoil: fillWithJunk },
  };
  const whole = 'whole';
  const collections = [whole, ...Object.keys(damages)];
  const nameOf = (title: string): string => title.replaceAll(/\W+/g, '-');
  const store = { cellsFrom: 500 };
  let indexDir: string;
  let server: RunningServer;
  let client: MixspaceClient;
  let dimension: number;
  let found: Map<string, boolean[]>;

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
    // In the order in which the collections were made.
    const stems = [...new Set((await snapshots()).map((file) => Number.parseInt(file, 10)))].toSorted((a, b) => a - b);
    expect(stems).toHaveLength(collections.length);
    for (const [i, stem] of stems.entries()) {
      const { which, spoil } = damages[collections[i]!] ?? { which: /^$/, spoil: () => expect.unreachable() };
      const files = (await snapshots()).filter((file) => file.startsWith(`${stem}-`));
      expect(files).toHaveLength(2);
      for (const file of files.filter((each) => which.test(each))) await spoil(path.join(indexDir, 'snapshots', file));
    }
    server = await startServer({ env, store, indexDir });
    client = new MixspaceClient({ url: server.url });
    // The answers must be right from the first one on.
    found = new Map(await Promise.all(collections.map(async (each) => [each, await findsAll(each)] as const)));
  });
  afterAll(async () => {
    await server.remove();
    await rm(indexDir, { recursive: true, force: true });
  });

  const snapshots = (): Promise<string[]> => readdir(path.join(indexDir, 'snapshots'));
  const toldOf = (title: string): string[] => server.logs().split('\n').filter((line) => line.includes('cannot be used') && line.includes(`"collection":"${nameOf(title)}"`));

  /** Which of the answers came through a graph. */
  async function findsAll(title: string): Promise<boolean[]> {
    const throughGraph: boolean[] = [];
    for (const id of sample) {
      const { matches, exact } = await client.search(nameOf(title), { embedding: embeddingOf(id, 1, dimension) }, { limit: 5 });
      expect(matches[0], title).toMatchObject({ id, score: expect.closeTo(1, 4) as number });
      throughGraph.push(!exact);
    }
    return throughGraph;
  }

  it('whole says nothing of them and searches by them', async () => {
    await cellsAreReady(client, nameOf(whole));
    expect(await findsAll(whole)).not.toContain(false);
    expect(toldOf(whole)).toEqual([]);
  });

  it.each(Object.keys(damages))('%s says so, answers right and builds them again', async (title) => {
    expect(found.get(title)).toHaveLength(sample.length);
    await expect.poll(() => toldOf(title)).toEqual([expect.stringContaining('it is built again')]);
    await cellsAreReady(client, nameOf(title));
    expect(await findsAll(title)).not.toContain(false);
  });

  it('spoilt in many ways saves them whole when it ends', async () => {
    expect(await server.stop()).toBe(0);
    expect((await snapshots()).filter((file) => isGraph.test(file))).toHaveLength(collections.length);
    server = await startServer({ env, store, indexDir });
    client = new MixspaceClient({ url: server.url });
    for (const title of collections) await cellsAreReady(client, nameOf(title));
    expect(collections.flatMap(toldOf)).toEqual([]);
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

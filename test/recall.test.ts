/** How many of the nearest searches find: also where one embedding is held by thousands of items, and as the service itself measures it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CollectionDescription } from '../src/store/catalog.js';
import type { EmbeddedStoreSettings } from '../src/store/embedded/settings.js';
import { call, items } from './api.js';
import { Random } from './crash/random.js';
import { sha256 } from './port-contracts/oracle.js';
import { startServer } from './server.js';
import { bothPorts, type BothPorts } from './store-ports.js';

const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

const dimension = 64;
const distinct = 2_366;
let store: BothPorts;
let directory: string;
const log: string[] = [];

function unit(values: number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}
/** Millions of them: a loop. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
const direction = (random: Random): Float32Array => unit(Array.from({ length: dimension }, () => random.normal()));

interface Arrangement {
  name: string;
  copies: number;
  /** How far apart the copies are. */
  apart: number;
  order: 'copies first' | 'copies last' | 'mixed';
  /** Half of the copies go again, and some of the others are written anew. */
  churn?: true;
  /** Left out: each search compares with all. */
  cellsFrom?: number;
}

const arrangements: Arrangement[] = [
  { name: 'first', copies: 4_000, apart: 0, order: 'copies first' },
  { name: 'last', copies: 4_000, apart: 0, order: 'copies last' },
  { name: 'in between', copies: 4_000, apart: 0, order: 'mixed' },
  { name: 'nearly equal, first', copies: 4_000, apart: 1e-6, order: 'copies first' },
  { name: 'nearly equal, in between', copies: 4_000, apart: 1e-6, order: 'mixed' },
  { name: 'ten thousand of them', copies: 10_000, apart: 0, order: 'copies first' },
  { name: 'one', copies: 1, apart: 0, order: 'copies last' },
  { name: 'that come and go', copies: 4_000, apart: 0, order: 'mixed', churn: true },
];

async function write(ids: string[], embeddingOf: (id: string) => Float32Array): Promise<void> {
  for (let at = 0; at < ids.length; at += 500) {
    await store.write('c', ids.slice(at, at + 500).map((id) => ({ id, metadata: {}, content: { modality: 'text' as const, contentHash: sha256(`${id} ${embeddingOf(id)[0]}`), text: id, embeddings: [embeddingOf(id)] } })));
  }
}

async function begin(settings: Partial<EmbeddedStoreSettings>): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), 'mixspace-equal-'));
  store = bothPorts(await openEmbeddedStore({ directory, settings, log: (_level, message) => void log.push(message) }));
  await store.createCollection({ name: 'c', model: 'm', fingerprint: 'f', dimension, originals: 'keep' });
}

/** Once recall is measured through cells: all that was due before is done. */
async function measured(): Promise<CollectionDescription['recall'][number]> {
  const recall = async (): Promise<CollectionDescription['recall'][number]> => (await store.describeCollection('c')).recall.find(({ modality }) => modality === 'text')!;
  await vi.waitFor(async () => expect((await recall()).state).toBe('measured'), { timeout: 60_000, interval: 50 });
  return recall();
}

const asked = Array.from({ length: 99 }, (_, i) => `own ${i * 23}`);

/** Of what is distinct, asked for by its own embedding: how often it is first; how many of the ten nearest are found, by a comparison of the test's own. */
async function ownAndNearest(embeddings: Map<string, Float32Array>): Promise<[own: number, nearest: number]> {
  let own = 0;
  let found = 0;
  for (const id of asked) {
    const embedding = embeddings.get(id)!;
    const [leaf] = await store.nearest('c', { embedding, leaves: [{ modality: 'text', limit: 10 }] });
    own += Number(leaf!.neighbors[0]?.id === id);
    const scores = Float64Array.from([...embeddings.values()], (other) => dot(other, embedding)).sort();
    found += leaf!.neighbors.filter(({ score }) => score >= scores.at(-10)! - 1e-6).length;
  }
  return [own, found];
}

describe('Items with equal embeddings', () => {
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(arrangements.flatMap((each) => [each, { ...each, name: `${each.name}, through cells`, cellsFrom: 1_000 }]))('do not hide what is distinct: $name', { timeout: 120_000 }, async ({ copies, apart, order, churn, cellsFrom }) => {
    const random = new Random(11);
    const common = direction(random);
    const embeddings = new Map<string, Float32Array>();
    for (let i = 0; i < copies; i++) embeddings.set(`copy ${i}`, apart === 0 ? common : unit(Array.from(common, (value) => value + apart * random.normal())));
    for (let i = 0; i < distinct; i++) embeddings.set(`own ${i}`, direction(random));
    const embeddingOf = (id: string): Float32Array => embeddings.get(id)!;
    const inOrder = [...embeddings.keys()];
    const ids = { 'copies first': inOrder, 'copies last': inOrder.toReversed(), mixed: new Random(17).shuffle(inOrder) }[order];

    await begin(cellsFrom === undefined ? {} : { cellsFrom });
    await write(ids, embeddingOf);
    if (cellsFrom !== undefined) await measured();
    if (churn) {
      const gone = Array.from({ length: copies / 2 }, (_, i) => `copy ${2 * i}`);
      await Promise.all(gone.map((id) => store.deleteItem('c', id)));
      for (const id of gone) embeddings.delete(id);
      const again = Array.from({ length: 500 }, (_, i) => `own ${i * 4}`);
      for (const id of again) embeddings.set(id, direction(random));
      await write(again, embeddingOf);
    }
    const [own, nearest] = await ownAndNearest(embeddings);
    expect(own).toBeGreaterThanOrEqual((cellsFrom === undefined ? 1 : 0.99) * asked.length);
    expect(nearest).toBeGreaterThanOrEqual((cellsFrom === undefined ? 1 : 0.99) * 10 * asked.length);
    const [copy] = await store.nearest('c', { embedding: common, leaves: [{ modality: 'text', limit: 10 }] });
    expect(copy!.neighbors[0]!.id).toMatch(/^copy/);
  });

  it('of which there are none leave a search the nearest cells, with a recall that is told', { timeout: 120_000 }, async () => {
    const random = new Random(13);
    // Around some centers: of what lies nowhere in particular all would be looked at.
    const centers = Array.from({ length: 60 }, () => direction(random));
    const embeddings = new Map<string, Float32Array>(Array.from({ length: distinct }, (_, i) => [`own ${i}`, unit(Array.from(centers[i % 60]!, (value) => value + 0.05 * random.normal()))]));
    await begin({ cellsFrom: 1_000 });
    await write([...embeddings.keys()], (id) => embeddings.get(id)!);
    const { state, bands, share } = await measured();
    expect([state, bands.length, bands[0]!.query, bands[0]!.queries > 48 && bands[0]!.queries <= 64]).toEqual(['measured', 1, 'item', true]);
    expect(bands[0]!.recall).toBeGreaterThanOrEqual(0.98);
    expect(bands[0]!.low).toBeLessThan(bands[0]!.recall);
    expect(bands[0]!.high).toBeGreaterThan(bands[0]!.recall - 1e-9);
    expect(share).toBeGreaterThan(0);
    const [own, nearest] = await ownAndNearest(embeddings);
    expect(own).toBeGreaterThanOrEqual(98);
    expect(nearest).toBeGreaterThanOrEqual(0.98 * 10 * asked.length);
  });
});

describe('Recall, measured when it is asked for,', () => {
  it('is that of searches as they are, in all or under a filter, by modality', { timeout: 120_000 }, async () => {
    const server = await startServer({ store: { cellsFrom: 800 } });
    try {
      const { dimensions } = (await call(server.url, 'GET', '/v1/models')).body.data[0];
      const random = new Random(14);
      const embedding = (): number[] => Array.from({ length: dimensions }, () => random.normal());
      const centers = Array.from({ length: 30 }, embedding);
      const clustered = (i: number): number[] => centers[i % 30]!.map((value) => value + 0.3 * random.normal());
      const entries = [
        ...Array.from({ length: 1_200 }, (_, i) => ({ id: `text ${i}`, embedding: clustered(i), modality: 'text', metadata: { i } })),
        ...Array.from({ length: 50 }, (_, i) => ({ id: `picture ${i}`, embedding: embedding(), modality: 'image', metadata: { i } })),
      ];
      await call(server.url, 'POST', items(), { items: entries.slice(0, 900) });
      await call(server.url, 'POST', items(), { items: entries.slice(900) });
      const measured = async (body: object = {}): Promise<any[]> => (await call(server.url, 'POST', '/v1/collections/default/recall', body)).body.bands;
      const settled = async (): Promise<any> => (await call(server.url, 'GET', '/v1/collections/default')).body;
      await vi.waitFor(async () => expect((await settled()).recall.find(({ modality }: any) => modality === 'text').bands).toHaveLength(1), { timeout: 60_000, interval: 250 });

      const bands = await measured({ queries: 20 });
      // Drawn by chance, one may come twice, and counts once.
      expect(bands.map(({ modality, query, selectivity, queries }) => [modality, query, selectivity, queries > 10 && queries <= 20])).toEqual([['image', 'item', 1, true], ['text', 'item', 1, true]]);
      // Pictures are few, texts lie in cells.
      const [pictures, texts] = bands;
      expect([pictures.exact, pictures.recall, pictures.high, pictures.low > 0.95 && pictures.low < 1]).toEqual([true, 1, expect.closeTo(1, 6), true]);
      expect([texts.exact, texts.recall > 0.95, texts.low < texts.recall, texts.high > texts.recall - 1e-9]).toEqual([false, true, true, true]);
      const [image, text] = await measured({ filter: { i: { $lt: 25 } } });
      expect([image.selectivity, image.recall, text.selectivity, text.recall, text.exact]).toEqual([0.5, 1, 25 / 1200, 1, true]);
      expect(await measured({ filter: { i: -1 } })).toEqual([]);
      for (const [body, param] of [[{ queries: 0 }, 'queries'], [{ queries: 1_001 }, 'queries'], [{ filter: { a: { $b: 1 } } }, 'filter.a.$b'], [{ k: 1 }, 'k']] as const) {
        const refused = await call(server.url, 'POST', '/v1/collections/default/recall', body);
        expect([refused.status, refused.body.error.param]).toEqual([400, param]);
      }
      expect((await call(server.url, 'POST', '/v1/collections/none/recall', {})).status).toBe(404);
    } finally {
      await server.remove();
    }
  });
});

/** Exact search, however much of the embeddings the memory holds: its answers are those of a plain comparison. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Filter } from '../src/domain/filter.js';
import type { Store } from '../src/store/store.js';
import { Random } from './crash/random.js';

// The store runs in a thread of its own, which starts from compiled code.
const compiled = fileURLToPath(new URL('../dist/store/embedded/open.js', import.meta.url));
const { openEmbeddedStore } = (await import(pathToFileURL(compiled).href)) as typeof import('../src/store/embedded/open.js');

/** No multiple of what a processor takes at a time. */
const dimension = 37;
const count = 5_000;
/** Bytes of memory for embeddings, and what they hold: 2,048 packed embeddings take 128 KiB, and as float32 320 KiB. */
const memories = [
  [0, 'nothing'],
  [200_000, 'a part of them, packed'],
  [450_000, 'all of them, packed'],
  [800_000, 'all of them packed, and a part as they are'],
  [16_000_000, 'all of them'],
] as const;

interface Held {
  id: string;
  embedding: Float32Array;
  group: number;
}

let directory: string;
let store: Store;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mixspace-exact-'));
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(vectorCacheBytes: number): Promise<void> {
  store = await openEmbeddedStore({ directory, settings: { vectorCacheBytes, cellsFrom: 1_000_000 }, log: () => undefined });
}

async function add(collection: string, items: Held[]): Promise<void> {
  for (let from = 0; from < items.length; from += 200) {
    await store.catalog.write(
      collection,
      items.slice(from, from + 200).map(({ id, embedding, group }) => ({ id, metadata: { group }, content: { modality: 'text', contentHash: Buffer.from(id).toString('hex').padEnd(64, '0'), text: id, embeddings: [embedding] } })),
    );
  }
}

/** Around a few centres and all to one side, as embeddings of one kind are, so that packing tells them apart badly; some equal, some a millionth apart, some along one axis alone. */
function drawn(random: Random): Held[] {
  const centres = Array.from({ length: 12 }, () => direction(random));
  const items: Held[] = [];
  for (let n = 0; n < count; n++) {
    const like = items[n - 1 - (n % 7)];
    let embedding: Float32Array;
    if (n % 10 === 3 && like) embedding = like.embedding;
    else if (n % 10 === 7 && like) embedding = normalized(like.embedding.map((value, i) => value + (i === 5 ? 1e-6 : 0)));
    else if (n % 100 === 50) embedding = normalized(new Float32Array(dimension).map((_, i) => (i === n % dimension ? 1 : 1e-4)));
    else embedding = normalized(centres[n % 12]!.map((value, i) => value + 0.3 * gaussian(random) + (i === 0 ? 4 : 0)));
    items.push({ id: `item ${random.between(0, 999_999)} ${n}`, embedding, group: n % 10 });
  }
  return items;
}

const gaussian = (random: Random): number => random.normal() / Math.sqrt(dimension);
const direction = (random: Random): Float32Array => normalized(new Float32Array(dimension).map(() => gaussian(random)));
function normalized(values: Float32Array): Float32Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

function compared(items: Iterable<Held>, query: Float32Array, limit: number): { id: string; score: number }[] {
  return [...items]
    .map(({ id, embedding }) => ({ id, score: Math.max(-1, Math.min(1, embedding.reduce((sum, value, i) => sum + value * query[i]!, 0))) }))
    .sort((a, b) => (Math.abs(b.score - a.score) > 1e-12 ? b.score - a.score : a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

async function expectExact(collection: string, items: Held[], query: Float32Array, { filter, limit = 12 }: { filter?: Filter; limit?: number } = {}): Promise<void> {
  const [list] = await store.index.nearest(collection, { embedding: query, exact: true, leaves: [{ modality: 'text', limit }], ...(filter ? { filter } : {}) });
  const right = compared(items, query, limit);
  expect(list!.exact).toBe(true);
  expect(list!.neighbors.map(({ id }) => id)).toEqual(right.map(({ id }) => id));
  list!.neighbors.forEach(({ score }, i) => expect(score).toBeCloseTo(right[i]!.score, 9));
}

describe('Exact search', () => {
  it.each(memories)('gives what a plain comparison gives with %i bytes of memory, which hold %s', { timeout: 120_000 }, async (bytes) => {
    const random = Random.named(`exact ${bytes}`);
    await open(bytes);
    await store.catalog.createCollection({ name: 'texts', model: 'm', fingerprint: 'f', dimension, originals: 'keep' });
    let items = drawn(random);
    await add('texts', items.slice(0, 3_000));
    for (let n = 0; n < 5; n++) await expectExact('texts', items.slice(0, 3_000), direction(random));
    await add('texts', items.slice(3_000));
    const queries = (): Float32Array[] => [direction(random), random.pick(items).embedding, normalized(random.pick(items).embedding.map((value) => value + 0.1 * gaussian(random)))];
    for (let n = 0; n < 4; n++) {
      for (const query of queries()) {
        await expectExact('texts', items, query);
        await expectExact('texts', items.filter(({ group }) => group < 3), query, { filter: { group: { $lt: 3 } } });
        await expectExact('texts', items.filter(({ group }) => group === 3), query, { filter: { group: 3 }, limit: 40 });
      }
      const goes = items.filter(() => random.next() < 0.04);
      for (const { id } of goes) await store.catalog.deleteItem('texts', id);
      items = items.filter((item) => !goes.includes(item));
    }
    // Deep in the list scores lie closer together than packing tells apart.
    for (let n = 0; n < 20; n++) await expectExact('texts', items, normalized(direction(random).map((value, i) => value + (i === 0 ? 4 : 0))), { limit: 300 });
  });

  it('compares embeddings of very many dimensions', { timeout: 120_000 }, async () => {
    const random = Random.named('many dimensions');
    await open(64_000_000);
    const wide = 20_000;
    await store.catalog.createCollection({ name: 'texts', model: 'm', fingerprint: 'f', dimension: wide, originals: 'keep' });
    const vector = (): Float32Array => normalized(new Float32Array(wide).map(() => random.next() - 0.3));
    const items = Array.from({ length: 600 }, (_, n): Held => ({ id: `item ${n}`, embedding: vector(), group: 0 }));
    await add('texts', items);
    for (let n = 0; n < 5; n++) await expectExact('texts', items, vector());
  });

  it('answers for many collections at once out of a memory that holds one', { timeout: 120_000 }, async () => {
    const random = Random.named('many collections');
    await open(1_500_000);
    const names = ['one', 'two', 'three'];
    const held = names.map(() => drawn(random));
    for (const [n, name] of names.entries()) {
      await store.catalog.createCollection({ name, model: 'm', fingerprint: 'f', dimension, originals: 'keep' });
      await add(name, held[n]!);
    }
    for (let round = 0; round < 4; round++) {
      await Promise.all([...names, ...names].map((name, n) => expectExact(name, held[n % 3]!, direction(random), round % 2 ? { limit: 30 } : {})));
    }
  });
});

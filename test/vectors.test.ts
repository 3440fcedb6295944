/** What exact search keeps in memory, what it reads, and in which order it ranks. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EmbeddingRow, EmbeddingTable } from '../src/store/embedded/embedding-table.js';
import type { KeySet } from '../src/store/embedded/key-set.js';
import type { Chunk } from '../src/store/embedded/vectors/chunk-pool.js';
import type { ScanScope } from '../src/store/embedded/vectors/vectors.js';
import { Random } from './crash/random.js';
import { direction } from './port-contracts/oracle.js';
import { repository } from './server.js';

const compiled = (file: string): Promise<unknown> => import(pathToFileURL(path.join(repository, 'dist/store/embedded', file)).href);
const { VectorMemory } = (await compiled('vectors/vector-memory.js')) as typeof import('../src/store/embedded/vectors/vector-memory.js');
const { PackedRows } = (await compiled('vectors/packed-rows.js')) as typeof import('../src/store/embedded/vectors/packed-rows.js');
const { Comparison } = (await compiled('vectors/comparison.js')) as typeof import('../src/store/embedded/vectors/comparison.js');
const { packedLength } = (await compiled('vectors/packing.js')) as typeof import('../src/store/embedded/vectors/packing.js');
const { Vectors } = (await compiled('vectors/vectors.js')) as typeof import('../src/store/embedded/vectors/vectors.js');
const { Ranking } = (await compiled('ranking.js')) as typeof import('../src/store/embedded/ranking.js');
const keySets = (await compiled('key-set.js')) as typeof import('../src/store/embedded/key-set.js');

const idOf = (item: number): string => `item ${item}`;
const smallScan = 512;
/** Rows whose memory is taken and given back together. */
const slabRows = 2_048;
const chunkRows = 64;
const pageBytes = 65_536;
const slabBytes = (dimension: number): number => Math.ceil((slabRows * (packedLength(dimension) + 8)) / pageBytes) * pageBytes;
const chunksOf = (rows: InstanceType<typeof PackedRows>, query: Float32Array): Chunk[] => [...rows.nearestCells(new Comparison(query, new Ranking({ size: 1, idOf }), rows.pool, { stored: () => undefined }).query)].flatMap(({ chunks }) => chunks);

/** As many rows, with the keys 1, 2, ..., as a table that counts what is read from it. */
class Table {
  /** Rows read. */
  inOrder = 0;
  byKeys = 0;
  readonly rows: EmbeddingRow[];

  constructor(random: Random, count: number, dimension: number) {
    this.rows = Array.from({ length: count }, (_, n) => ({ key: n + 1, item: n + 1, embedding: direction(random, dimension) }));
  }

  get table(): EmbeddingTable {
    const after = (_space: number, _modality: string, key: number, limit: number): EmbeddingRow[] => {
      const rows = this.rows.slice(key, key + limit);
      this.inOrder += rows.length;
      return rows;
    };
    const byKey = (key: number): EmbeddingRow | undefined => {
      this.byKeys++;
      return this.rows[key - 1];
    };
    return { after, byKey } as unknown as EmbeddingTable;
  }

  scope(keys?: KeySet): ScanScope {
    return { total: this.rows.length, newestKey: () => this.rows.length, keys };
  }

  best(query: Float32Array, size: number, keys?: KeySet): number[] {
    return this.rows
      .filter(({ key }) => !keys || keys.has(key))
      .map(({ key, embedding }) => ({ key, score: embedding.reduce((sum, value, i) => sum + value * query[i]!, 0) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, size)
      .map(({ key }) => key);
  }
}

function keysOf(wanted: Iterable<number>): KeySet {
  const keys = new keySets.KeySet();
  for (const key of wanted) keys.add(key);
  return keys;
}

describe('Packed embeddings', () => {
  it('are read to the last of a full memory, all of them or from any on, and not beyond', () => {
    for (const dimension of [1, 16, 37, 1_000, 10_928]) {
      // Without room for them as they are stored: the packed ones end where the memory does.
      const memory = new VectorMemory(slabBytes(dimension));
      const rows = new PackedRows(dimension, memory);
      const embedding = direction(Random.named('row'), dimension);
      for (let key = 1; key <= slabRows; key++) expect(rows.append({ key, item: key, embedding }, true)).toBe(true);
      expect(rows.append({ key: slabRows + 1, item: slabRows + 1, embedding }, true)).toBe(false);
      const offered = (compare: (comparison: InstanceType<typeof Comparison>) => void): number[] => {
        const ranking = new Ranking({ size: slabRows, idOf });
        compare(new Comparison(embedding, ranking, rows.pool, { stored: () => embedding }));
        return ranking.best.map(({ key }) => key).sort((one, other) => one - other);
      };
      const all = Array.from({ length: slabRows }, (_, n) => n + 1);
      expect(offered((comparison) => (chunksOf(rows, embedding).forEach((chunk) => comparison.add(chunk)), comparison.finish()))).toEqual(all);
      for (const from of [1, 2, 3, 4, slabRows - 3, slabRows - 2, slabRows - 1, slabRows]) {
        const wanted = all.slice(from - 1).slice(0, 512);
        expect(offered((comparison) => comparison.places(rows.placesOf(keysOf(wanted))))).toEqual(wanted);
      }
    }
  });

  it('give way as they are stored before any is given up packed, and those used longest ago first', () => {
    const dimension = 512;
    const slabs = 4;
    const memory = new VectorMemory(9 * slabBytes(dimension));
    const embedding = direction(Random.named('row'), dimension);
    const full = (): InstanceType<typeof PackedRows> => {
      const rows = new PackedRows(dimension, memory);
      for (let key = 1; key <= slabs * slabRows; key++) expect(rows.append({ key, item: key, embedding }, true)).toBe(true);
      return rows;
    };
    const asStored = (rows: InstanceType<typeof PackedRows>): number => new Set(chunksOf(rows, embedding).map(({ slab }) => slab).filter(({ exact }) => exact !== undefined)).size;
    const one = full();
    expect([one.alive, asStored(one)]).toEqual([slabs * slabRows, 1]);
    const two = full();
    expect([one.alive, asStored(one), two.alive, asStored(two)]).toEqual([slabs * slabRows, 0, slabs * slabRows, 0]);
    const three = full();
    expect([one.alive, two.alive, three.alive]).toEqual([slabRows, slabs * slabRows, slabs * slabRows]);
    const fits = (rows: InstanceType<typeof PackedRows>, count: number): object => rows.fits(count * slabRows - chunkRows);
    expect([fits(three, slabs), fits(two, 5), fits(one, slabs), fits(one, 10)]).toEqual([
      { atAll: true, beside: true },
      { atAll: true, beside: false },
      { atAll: true, beside: false },
      { atAll: false, beside: false },
    ]);
    // What may not push others out is given what is free alone.
    expect(new PackedRows(dimension, memory).append({ key: 1, item: 1, embedding }, false)).toBe(false);
    expect([one.alive, two.alive, three.alive]).toEqual([slabRows, slabs * slabRows, slabs * slabRows]);
  });
});

describe('An exact search', () => {
  const dimension = 32;

  it('reads by their keys those of a filter that no memory holds, and no others', async () => {
    const random = Random.named('filter');
    const table = new Table(random, 20_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(300_000), smallScan);
    const keys = keysOf(Array.from({ length: 1_000 }, (_, n) => 20 * n + 7));
    const query = direction(random, dimension);
    const ranking = new Ranking({ size: 10, idOf });
    await vectors.scan(query, ranking, table.scope(keys));
    expect(ranking.best.map(({ key }) => key)).toEqual(table.best(query, 10, keys));
    expect([table.inOrder, table.byKeys]).toEqual([0, 1_000]);
  });

  it('under a filter leaves to others what they hold', async () => {
    const random = Random.named('beside');
    const memory = new VectorMemory(900_000);
    const [one, two] = [new Table(random, 12_000, dimension), new Table(random, 12_000, dimension)].map((table) => ({ table, vectors: new Vectors(table.table, { space: 1, modality: 'text', dimension }, memory, smallScan) }));
    const keys = keysOf(Array.from({ length: 6_000 }, (_, n) => 2 * n + 1));
    const search = async ({ table, vectors }: { table: Table; vectors: InstanceType<typeof Vectors> }, among?: KeySet): Promise<number> => {
      const query = direction(random, dimension);
      const ranking = new Ranking({ size: 10, idOf });
      await vectors.scan(query, ranking, table.scope(among));
      expect(ranking.best.map(({ key }) => key)).toEqual(table.best(query, 10, among));
      const read = table.inOrder;
      table.inOrder = 0;
      return read;
    };
    expect(await search(one!)).toBe(12_000);
    expect(await search(two!, keys)).toBe(12_000);
    expect(await search(one!)).toBe(0);
    // Without a filter all is wanted, and what was searched longest ago gives way.
    expect(await search(two!)).toBe(12_000);
    expect(await search(two!, keys)).toBe(0);
    expect(await search(one!)).toBeGreaterThan(0);
  });

  it('reads nothing once the memory holds everything, but what was added since', async () => {
    const random = Random.named('again');
    const table = new Table(random, 9_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(16e6), smallScan);
    const search = async (): Promise<number[]> => {
      const query = direction(random, dimension);
      const ranking = new Ranking({ size: 10, idOf });
      await vectors.scan(query, ranking, table.scope());
      expect(ranking.best.map(({ key }) => key)).toEqual(table.best(query, 10));
      const read = [table.inOrder, table.byKeys];
      table.inOrder = table.byKeys = 0;
      return read;
    };
    expect(await search()).toEqual([9_000, 0]);
    expect(await search()).toEqual([0, 0]);
    table.rows.push({ key: 9_001, item: 9_001, embedding: direction(random, dimension) });
    expect(await search()).toEqual([1, 0]);
  });

  it('has read everything although the last of it are damaged or gone, and reads them no second time', async () => {
    const random = Random.named('unreadable');
    const table = new Table(random, 3_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(16e6), smallScan);
    const newest = 3_004;
    const newestKey = (): number => newest;
    while (vectors.warm({ total: 3_000, newestKey }));
    expect([vectors.held, vectors.through]).toEqual([3_000, newest]);
    table.inOrder = 0;
    const query = direction(random, dimension);
    const ranking = new Ranking({ size: 10, idOf });
    await vectors.scan(query, ranking, { total: 3_000, newestKey });
    expect([ranking.best.map(({ key }) => key), table.inOrder]).toEqual([table.best(query, 10), 0]);
  });

  it('for few does not wait until another has read everything', async () => {
    const random = Random.named('few');
    const table = new Table(random, 60_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(64e6), smallScan);
    const query = direction(random, dimension);
    let done = false;
    const everything = vectors.scan(query, new Ranking({ size: 10, idOf }), table.scope()).then(() => (done = true));
    const ranking = new Ranking({ size: 10, idOf });
    await vectors.scan(query, ranking, table.scope(keysOf([3, 59_000, 59_999])));
    expect(done).toBe(false);
    expect(ranking.best.map(({ key }) => key)).toEqual(table.best(query, 3, keysOf([3, 59_000, 59_999])));
    await everything;
  });
});

describe('A ranking', () => {
  it('keeps its order when an item goes while others of the same score are still compared', () => {
    const ids = new Map([[1, 'a'], [2, 'b'], [3, 'c'], [4, 'aa'], [5, 'A'], [6, 'X']]);
    const ranking = new Ranking({ size: 3, idOf: (item) => ids.get(item) ?? '' });
    for (const item of [1, 2, 3]) ranking.offer({ key: item, item, score: 0.5 });
    ids.delete(2);
    for (const item of [4, 5]) ranking.offer({ key: item, item, score: 0.5 });
    ranking.offer({ key: 6, item: 6, score: 0.75 });
    expect(ranking.best.map(({ item }) => item)).toEqual([6, 5, 1]);
  });

  it('offered the same score many times looks at each id once', () => {
    let looked = 0;
    const ranking = new Ranking({ size: 11, idOf: (item) => (looked++, String(item).padStart(6, '0')) });
    for (let item = 1; item <= 5_000; item++) ranking.offer({ key: item, item, score: 0.5 });
    expect(ranking.best.map(({ item }) => item)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    expect(looked).toBeLessThanOrEqual(5_000);
  });
});

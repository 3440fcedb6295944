/** What exact search keeps in memory, what it reads, and in which order it ranks. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EmbeddingRow, EmbeddingTable } from '../src/store/embedded/embedding-table.js';
import type { KeySet } from '../src/store/embedded/key-set.js';
import { Random } from './crash/random.js';
import { direction } from './port-contracts/oracle.js';
import { repository } from './server.js';

const compiled = (file: string): Promise<unknown> => import(pathToFileURL(path.join(repository, 'dist/store/embedded', file)).href);
const { VectorMemory } = (await compiled('vector-memory.js')) as typeof import('../src/store/embedded/vector-memory.js');
const { PackedRows, chunkRows } = (await compiled('packed-rows.js')) as typeof import('../src/store/embedded/packed-rows.js');
const { packQuery } = (await compiled('packing.js')) as typeof import('../src/store/embedded/packing.js');
const { Vectors } = (await compiled('vectors.js')) as typeof import('../src/store/embedded/vectors.js');
const { Ranking } = (await compiled('ranking.js')) as typeof import('../src/store/embedded/ranking.js');
const keySets = (await compiled('key-set.js')) as typeof import('../src/store/embedded/key-set.js');

const idOf = (item: number): string => `item ${item}`;
const noBounds = { floor: -Infinity, ceiling: Infinity };

/** As many rows, with the keys 1, 2, ..., as a table that counts what is read from it. */
class Table {
  /** Rows read. */
  inOrder = 0;
  byKeys = 0;
  readonly rows: EmbeddingRow[];

  constructor(random: Random, count: number, dimension: number) {
    this.rows = Array.from({ length: count }, (_, n) => ({ key: n + 1, item: n + 1, id: idOf(n + 1), embedding: direction(random, dimension) }));
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

  scope(keys?: KeySet): { after: number; total: number; expected: number; keys?: KeySet } {
    return { after: 0, total: this.rows.length, expected: this.rows.length, ...(keys ? { keys } : {}) };
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
  it('are read to the last of a full memory, from any of them on, and not beyond', () => {
    for (const dimension of [1, 16, 37, 5_000, 10_928]) {
      // Without room for them as they are stored: the packed ones end where the memory does.
      const memory = new VectorMemory(Math.max(200_000, chunkRows * dimension * 4));
      const rows = new PackedRows(dimension, memory);
      const embedding = direction(Random.named('row'), dimension);
      expect(rows.room(true)).toBe(chunkRows);
      for (let key = 1; key <= chunkRows; key++) rows.append({ key, item: key, id: '', embedding });
      const chunk = rows.chunkBehind(0)!;
      for (const from of [0, 1, 2, 3, chunkRows - 3, chunkRows - 2, chunkRows - 1]) {
        const { found } = rows.between(noBounds, packQuery(embedding), chunk, { from, to: Math.min(from + 512, chunkRows) });
        expect([...found]).toEqual(Array.from({ length: Math.min(512, chunkRows - from) }, (_, i) => from + i));
        const listed = rows.between(noBounds, packQuery(embedding), chunk, { from, keys: keysOf(new Set([from + 1, chunkRows])), place: 0, most: 512 });
        expect([...listed.found]).toEqual(from === chunkRows - 1 ? [from] : [from, chunkRows - 1]);
      }
    }
  });

  it('give way as they are stored before any is given up packed, and those used longest ago first', () => {
    const dimension = 512;
    const packedBytes = 1_114_112;
    const memory = new VectorMemory(9 * packedBytes);
    const embedding = direction(Random.named('row'), dimension);
    const chunks = 4;
    const full = (): InstanceType<typeof PackedRows> => {
      const rows = new PackedRows(dimension, memory);
      for (let key = 1; key <= chunks * chunkRows; key++) {
        expect(rows.room(true)).toBeGreaterThan(0);
        rows.append({ key, item: key, id: '', embedding });
      }
      return rows;
    };
    const asStored = (rows: InstanceType<typeof PackedRows>): number => Array.from({ length: chunks }, (_, n) => rows.chunkBehind(n * chunkRows)!).filter((chunk) => rows.embeddingsOf(chunk)).length;
    const one = full();
    expect([one.held, asStored(one)]).toEqual([chunks * chunkRows, 1]);
    const two = full();
    expect([one.held, asStored(one), two.held, asStored(two)]).toEqual([chunks * chunkRows, 0, chunks * chunkRows, 0]);
    const three = full();
    expect([one.held, two.held, three.held]).toEqual([chunkRows, chunks * chunkRows, chunks * chunkRows]);
    expect([three.fits(chunks * chunkRows), two.fits(5 * chunkRows), one.fits(chunks * chunkRows), one.fits(10 * chunkRows)]).toEqual([
      { atAll: true, beside: true },
      { atAll: true, beside: false },
      { atAll: true, beside: false },
      { atAll: false, beside: false },
    ]);
    // What may not push others out is given what is free alone.
    expect(new PackedRows(dimension, memory).room(false)).toBe(0);
    expect([one.held, two.held, three.held]).toEqual([chunkRows, chunks * chunkRows, chunks * chunkRows]);
  });
});

describe('An exact search', () => {
  const dimension = 32;

  it('reads by their keys those of a filter that no memory holds, and no others', async () => {
    const random = Random.named('filter');
    const table = new Table(random, 20_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(300_000));
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
    const [one, two] = [new Table(random, 12_000, dimension), new Table(random, 12_000, dimension)].map((table) => ({ table, vectors: new Vectors(table.table, { space: 1, modality: 'text', dimension }, memory) }));
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
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(16e6));
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
    table.rows.push({ key: 9_001, item: 9_001, id: idOf(9_001), embedding: direction(random, dimension) });
    expect(await search()).toEqual([1, 0]);
  });

  it('for few does not wait until another has read everything', async () => {
    const random = Random.named('few');
    const table = new Table(random, 60_000, dimension);
    const vectors = new Vectors(table.table, { space: 1, modality: 'text', dimension }, new VectorMemory(64e6));
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

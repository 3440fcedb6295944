import type { Build, Contents, Effort } from './engine.js';
import { countOf, hnsw, limit, searchList } from './engine.js';

interface Query {
  distanceType(type: 'dot'): Query;
  ef(length: number): Query;
  nprobes(count: number): Query;
  refineFactor(factor: number): Query;
  select(columns: string[]): Query;
  where(condition: string): Query;
  limit(count: number): Query;
  toArray(): Promise<{ row: number }[]>;
}

interface Table {
  createIndex(column: string, options: { config: object }): Promise<void>;
  query(): { nearestTo(vector: Float32Array): Query };
}

interface Library {
  connect(folder: string): Promise<{ createTable(name: string, table: object): Promise<Table> }>;
  Index: { bitmap(): object; hnswSq(options: object): object; ivfPq(options: object): object };
}

interface Arrow {
  Field: new (name: string, type: object, nullable: boolean) => object;
  FixedSizeList: new (length: number, field: object) => object;
  Float32: new () => object;
  Table: new (columns: Record<string, object>) => object;
  Vector: new (data: object[]) => object;
  makeData(data: { type: object; length?: number; nullCount?: number; data?: Float32Array; child?: object }): object;
  vectorFromArray(values: Int32Array): object;
}

interface Kind {
  settings: string;
  index(library: Library, dimension: number): object;
  effort: Effort;
  searching(query: Query, effort: number): Query;
}

const name: string = '@lancedb/lancedb';
const arrowName: string = 'apache-arrow';

/** What its documentation names for the best recall at a latency, in one partition, as it recommends for most tables. */
const hnswSq: Kind = {
  settings: `IVF_HNSW_SQ, one partition, M ${hnsw.m}, efConstruction ${hnsw.efConstruction}, refineFactor 3`,
  index: ({ Index }) => Index.hnswSq({ distanceType: 'dot', numPartitions: 1, ...hnsw }),
  effort: searchList,
  searching: (query, ef) => query.ef(ef).refineFactor(3),
};

/** What it takes by itself, and what its documentation names for searches with filters; with its own 16 numbers in each sub-vector it found .86 of what is nearest, whatever the effort. */
const ivfPq: Kind = {
  settings: 'IVF_PQ, 8 numbers in a sub-vector, its own number of partitions, nprobes 20',
  index: ({ Index }, dimension) => Index.ivfPq({ distanceType: 'dot', numSubVectors: dimension / 8 }),
  effort: { name: 'refineFactor', usual: 10, tried: [10, 20, 30, 50, 100] },
  searching: (query, factor) => query.nprobes(20).refineFactor(factor),
};

const builder =
  (kind: Kind): Build =>
  async (contents) => {
    const library = (await import(name)) as Library;
    const database = await library.connect(contents.directory);
    const table = await database.createTable('items', await arrowTable(contents));
    await table.createIndex('group_number', { config: library.Index.bitmap() });
    await table.createIndex('embedding', { config: kind.index(library, contents.dimension) });
    return {
      settings: `${kind.settings}; a bitmap index on the group; its own number of threads`,
      effort: kind.effort,
      hasFilters: true,
      isConcurrent: true,
      find: async (vector, effort, group) => {
        const query = kind.searching(table.query().nearestTo(vector).distanceType('dot'), effort).select(['row', '_distance']).limit(limit);
        const found = await (group === undefined ? query : query.where(`group_number = ${group}`)).toArray();
        return found.map(({ row }) => row);
      },
    };
  };

async function arrowTable(contents: Contents): Promise<object> {
  const arrow = (await import(arrowName)) as Arrow;
  const list = new arrow.FixedSizeList(contents.dimension, new arrow.Field('item', new arrow.Float32(), true));
  const numbers = arrow.makeData({ type: new arrow.Float32(), data: contents.vectors });
  return new arrow.Table({
    row: arrow.vectorFromArray(Int32Array.from({ length: countOf(contents) }, (_, row) => row)),
    group_number: arrow.vectorFromArray(Int32Array.from(contents.groups)),
    embedding: new arrow.Vector([arrow.makeData({ type: list, length: countOf(contents), nullCount: 0, child: numbers })]),
  });
}

export const buildHnswSq = builder(hnswSq);
export const buildIvfPq = builder(ivfPq);

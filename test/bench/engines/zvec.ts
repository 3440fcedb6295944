import path from 'node:path';
import { countOf, hnsw, limit, searchList, vectorAt, type Build } from './engine.js';

interface Collection {
  insertSync(documents: { id: string; vectors: { embedding: Float32Array }; fields: { group: number } }[]): { ok: boolean; message: string }[];
  optimize(): Promise<void>;
  query(query: { fieldName: string; vector: Float32Array; topk: number; outputFields: string[]; filter?: string; params: object }): Promise<{ id: string }[]>;
}

interface Library {
  ZVecDataType: { VECTOR_FP32: number; INT32: number };
  ZVecIndexType: { HNSW: number; INVERT: number };
  ZVecMetricType: { IP: number };
  ZVecLogLevel: { ERROR: number };
  ZVecCollectionSchema: new (schema: object) => object;
  ZVecInitialize(options: { logLevel: number; bruteForceByKeysRatio: number }): void;
  ZVecCreateAndOpen(folder: string, schema: object): Collection;
}

const name: string = '@zvec/zvec';
const perInsert = 1_000;
/** Up to this share of all, a filter's vectors are each compared with. Above its own, a tenth, a filter that goes with the content found half of what is nearest. */
const bruteForceByKeysRatio = 0.3;

export const build: Build = async (contents) => {
  const { default: zvec } = (await import(name)) as { default: Library };
  const { ZVecDataType: data, ZVecIndexType: indexes } = zvec;
  zvec.ZVecInitialize({ logLevel: zvec.ZVecLogLevel.ERROR, bruteForceByKeysRatio });
  const schema = new zvec.ZVecCollectionSchema({
    name: 'items',
    vectors: [{ name: 'embedding', dataType: data.VECTOR_FP32, dimension: contents.dimension, indexParams: { indexType: indexes.HNSW, metricType: zvec.ZVecMetricType.IP, ...hnsw } }],
    fields: [{ name: 'group', dataType: data.INT32, indexParams: { indexType: indexes.INVERT } }],
  });
  const collection = zvec.ZVecCreateAndOpen(path.join(contents.directory, 'items'), schema);
  const count = countOf(contents);
  for (let first = 0; first < count; first += perInsert) {
    const rows = Array.from({ length: Math.min(perInsert, count - first) }, (_, i) => first + i);
    const statuses = collection.insertSync(rows.map((row) => ({ id: String(row), vectors: { embedding: vectorAt(contents, row) }, fields: { group: contents.groups[row]! } })));
    const refused = statuses.find(({ ok }) => !ok);
    if (refused) throw new Error(refused.message);
  }
  await collection.optimize();
  return {
    settings: `HNSW, M ${hnsw.m}, efConstruction ${hnsw.efConstruction}, float32, optimized; an inverted index on the group, bruteForceByKeysRatio ${bruteForceByKeysRatio}; its own number of threads`,
    effort: searchList,
    hasFilters: true,
    isConcurrent: true,
    find: async (vector, ef, group) => {
      const found = await collection.query({ fieldName: 'embedding', vector, topk: limit, outputFields: [], ...(group !== undefined && { filter: `group = ${group}` }), params: { indexType: indexes.HNSW, ef } });
      return found.map(({ id }) => Number(id));
    },
  };
};

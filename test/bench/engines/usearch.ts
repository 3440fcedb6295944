import path from 'node:path';
import { countOf, hnsw, limit, searchList, type Build } from './engine.js';

interface Index {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(query: Float32Array, count: number, threads: number): { keys: BigUint64Array };
  save(file: string): void;
  load(file: string): void;
}

interface Settings {
  dimensions: number;
  metric: 'ip';
  quantization: 'f32';
  connectivity: number;
  expansion_add: number;
  expansion_search: number;
  multi: boolean;
}

interface Library {
  Index: new (settings: Settings) => Index;
}

const name: string = 'usearch';
const allCores = 0;

export const build: Build = async (contents) => {
  const { Index } = (await import(name)) as Library;
  const open = (effort: number): Index =>
    new Index({ dimensions: contents.dimension, metric: 'ip', quantization: 'f32', connectivity: hnsw.m, expansion_add: hnsw.efConstruction, expansion_search: effort, multi: false });
  let index = open(searchList.usual);
  index.add(BigUint64Array.from({ length: countOf(contents) }, (_, row) => BigInt(row)), contents.vectors, allCores);
  const file = path.join(contents.directory, 'index.usearch');
  let saved = false;
  let present = searchList.usual;
  return {
    settings: `HNSW, connectivity ${hnsw.m}, expansion_add ${hnsw.efConstruction}, float32, built on all cores, searched on one`,
    effort: { ...searchList, name: 'expansion_search' },
    hasFilters: false,
    isConcurrent: false,
    // An index has one for good, but takes that of whoever loads it.
    prepare: (effort) => {
      if (effort === present) return;
      if (!saved) index.save(file);
      saved = true;
      index = open(effort);
      index.load(file);
      present = effort;
    },
    find: (query) => Array.from(index.search(query, limit, 1).keys, Number),
  };
};

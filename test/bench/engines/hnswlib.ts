import hnswlib from 'hnswlib-node';
import { countOf, hnsw, limit, searchList, vectorAt, type Build } from './engine.js';

export const build: Build = async (contents) => {
  const { dimension, groups } = contents;
  const count = countOf(contents);
  const index = new hnswlib.HierarchicalNSW('ip', dimension);
  index.initIndex({ maxElements: count, ...hnsw, randomSeed: 42 });
  for (let row = 0; row < count; row++) index.addPoint(Array.from(vectorAt(contents, row)), row);
  return {
    settings: `HNSW, M ${hnsw.m}, efConstruction ${hnsw.efConstruction}, float32, one thread; filters by a callback`,
    effort: searchList,
    hasFilters: true,
    isConcurrent: false,
    prepare: (effort) => index.setEf(effort),
    find: (query, _effort, group) => index.searchKnn(Array.from(query), limit, group === undefined ? undefined : (row) => groups[row] === group).neighbors,
  };
};

/** What an engine is filled with. */
export interface Contents {
  /** One after the other, of length 1. */
  vectors: Float32Array;
  dimension: number;
  /** Of each vector, the group that filters name. */
  groups: Uint8Array;
  /** Its own, and empty. */
  directory: string;
}

/** How far a search goes: what the engine calls it, what its users take, and what is tried until enough is found. */
export interface Effort {
  name: string;
  usual: number;
  tried: number[];
}

export interface Engine {
  /** As it is built and searched. */
  settings: string;
  /** Left out: it compares with every vector. */
  effort?: Effort;
  hasFilters: boolean;
  /** Its searches leave the thread that asks for them. */
  isConcurrent: boolean;
  /** What the searches of an effort need first. */
  prepare?(effort: number): void;
  /** The places of the nearest vectors. */
  find(query: Float32Array, effort: number, group: number | undefined): number[] | Promise<number[]>;
}

export type Build = (contents: Contents) => Promise<Engine>;

export const limit = 10;
export const hnsw = { m: 16, efConstruction: 200 };
export const searchList: Effort = { name: 'ef', usual: 128, tried: [128, 192, 256, 384, 512, 768, 1024] };

export const countOf = ({ vectors, dimension }: Contents): number => vectors.length / dimension;
export const vectorAt = ({ vectors, dimension }: Contents, row: number): Float32Array => vectors.subarray(row * dimension, (row + 1) * dimension);

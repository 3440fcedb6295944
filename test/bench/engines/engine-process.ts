/** An engine in a process of its own, filled and asked through messages: its searches are timed here, where no message is among them. */
import { readFile } from 'node:fs/promises';
import { CpuMeter, inFlight, seconds } from '../timing.js';
import type { Build, Effort, Engine } from './engine.js';

const builds: Record<string, () => Promise<Build>> = {
  'hnswlib-node': async () => (await import('./hnswlib.js')).build,
  '@zvec/zvec': async () => (await import('./zvec.js')).build,
  usearch: async () => (await import('./usearch.js')).build,
  'sqlite-vec': async () => (await import('./sqlite-vec.js')).build,
  'lancedb, HNSW_SQ': async () => (await import('./lancedb.js')).buildHnswSq,
  'lancedb, IVF_PQ': async () => (await import('./lancedb.js')).buildIvfPq,
};

export interface BuildRequest {
  kind: 'build';
  name: string;
  /** Of float32. */
  file: string;
  dimension: number;
  groups: Uint8Array;
  directory: string;
}

export interface Built {
  settings: string;
  effort: Effort | undefined;
  hasFilters: boolean;
  isConcurrent: boolean;
  /** Until all could be searched. */
  seconds: number;
  /** Seconds of all threads. */
  cpu: number;
}

export interface SearchRequest {
  kind: 'search';
  /** One after the other. */
  queries: Float32Array;
  dimension: number;
  effort: number;
  group: number | undefined;
  atOnce: number;
}

export interface Searched {
  rows: number[][];
  /** Milliseconds of each. */
  times: number[];
  seconds: number;
  /** Seconds of all threads. */
  cpu: number;
}

let engine: Engine;

async function build({ name, file, dimension, groups, directory }: BuildRequest): Promise<Built> {
  const bytes = await readFile(file);
  const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const build = await builds[name]!();
  const cpu = new CpuMeter();
  const took = await seconds(() => cpu.during(async () => (engine = await build({ vectors, dimension, groups, directory }))));
  const { settings, effort, hasFilters, isConcurrent } = engine;
  return { settings, effort, hasFilters, isConcurrent, seconds: took, cpu: cpu.seconds };
}

async function search({ queries, dimension, effort, group, atOnce }: SearchRequest): Promise<Searched> {
  engine.prepare?.(effort);
  const each = Array.from({ length: queries.length / dimension }, (_, turn) => queries.slice(turn * dimension, (turn + 1) * dimension));
  const searched: Searched = { rows: [], times: [], seconds: 0, cpu: 0 };
  const cpu = new CpuMeter();
  searched.seconds = await seconds(() =>
    cpu.during(() =>
      inFlight(each.entries(), atOnce, async ([turn, query]) => {
        searched.times[turn] = 1_000 * (await seconds(async () => (searched.rows[turn] = await engine.find(query, effort, group))));
      }),
    ),
  );
  searched.cpu = cpu.seconds;
  return searched;
}

process.on('message', (request: BuildRequest | SearchRequest) => {
  const answer: Promise<Built | Searched> = request.kind === 'build' ? build(request) : search(request);
  answer.then(
    (value) => process.send!({ value }),
    (error: unknown) => process.send!({ error: String((error as Error).stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit());

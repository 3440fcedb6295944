import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import hnswlib from 'hnswlib-node';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { inFlight, milliseconds, percentile, seconds } from './timing.js';
import { VectorCloud } from './vector-cloud.js';

const perRequest = 1_000;
const limit = 10;
const width = 8;
const clusters = 500;
/** The search list's length that the service uses for a page of ten (src/store/embedded/graph.ts). */
const ef = 128;
const rounding = 1e-6;

/** Searches among many embeddings through HTTP, against hnswlib-node alone in one process, on the very graph that the service saved. */
export async function search(quick: boolean, asked?: BenchModel): Promise<void> {
  const model = asked ?? (await defaultModel());
  const count = quick ? 10_000 : 100_000;
  const queryCount = quick ? 200 : 1_000;
  const server = await startServer({ env: { LOG_LEVEL: 'error', ...settingsFor(model) }, patience: 120_000 });
  try {
    const client = new MixspaceClient({ url: server.url });
    const dimension = (await client.models())[0]!.dimensions!;
    const cloud = new VectorCloud({ dimension, clusters, spread: 0.8, seed: 1 });
    await fill(client, cloud, count);

    const queries = Array.from({ length: queryCount }, () => cloud.next());
    const told = queries.slice(0, queryCount / 5);
    const exactLast: number[] = [];
    const exactTimes: number[] = [];
    for (const query of told) {
      const began = performance.now();
      exactLast.push((await ask(client, query, true)).at(-1)!);
      exactTimes.push(performance.now() - began);
    }
    const one = await askAll(client, queries, 1);
    const eight = await askAll(client, queries, width);
    const ourRecall = recall(one.scores.slice(0, told.length), exactLast);

    const graph = await savedGraph(server.indexDir, client);
    const bare = bareSearches(graph.file, dimension, queries);
    const bareRecall = recall(bare.scores.slice(0, told.length), exactLast);

    const half = ({ times }: Searches): number => percentile(times, 0.5);
    const spread = (searches: Searches): string => `p50 ${milliseconds(half(searches))} p99 ${milliseconds(percentile(searches.times, 0.99))}`;
    console.log(`search, one at a time: ours ${spread(one)}, bare ${spread(bare)}, ratio of p50 ${(half(bare) / half(one)).toFixed(3)}`);
    console.log(`search, ${width} in flight: ours ${eight.perSecond.toFixed(0)}/s (${spread(eight)}), bare ${bare.perSecond.toFixed(0)}/s on one thread, ratio ${(eight.perSecond / bare.perSecond).toFixed(3)}`);
    console.log(`search, exact, one at a time: p50 ${milliseconds(percentile(exactTimes, 0.5))} p99 ${milliseconds(percentile(exactTimes, 0.99))}, the first, which reads them, ${milliseconds(exactTimes[0]!)}`);
    console.log(`search, recall@${limit}: ours ${ourRecall.toFixed(4)}, bare ${bareRecall.toFixed(4)} (${told.length} queries, against exact: true)`);
    console.log(`search: ${count} embeddings of ${dimension} numbers in ${clusters} clusters, limit ${limit}; bare is hnswlib-node on the service's saved graph of ${graph.nodes} nodes, ef ${ef}`);
  } finally {
    await server.remove();
  }
}

async function fill(client: MixspaceClient, cloud: VectorCloud, count: number): Promise<void> {
  const began = performance.now();
  const sent = await seconds(() =>
    inFlight(Array.from({ length: count / perRequest }, (_, batch) => batch), 2, async (batch) => {
      const items = Array.from({ length: perRequest }, (_, i) => ({ id: `${batch}-${i}`, embedding: Array.from(cloud.next()), modality: 'image' as const }));
      const outcomes = await client.addItems('default', items);
      if (outcomes.some(({ status }) => status !== 'created')) throw new Error('The service did not take every embedding.');
    }),
  );
  while ((await client.collection('default')).graph.state !== 'ready') await delay(250);
  const ready = (performance.now() - began) / 1000;
  console.log(`search, ingest: ${(count / sent).toFixed(0)} embeddings/s taken, ${(count / ready).toFixed(0)}/s until the graph has them all (${ready.toFixed(0)} s)`);
}

interface Searches {
  /** Milliseconds of each. */
  times: number[];
  perSecond: number;
  /** Of each query's answers. */
  scores: number[][];
}

async function ask(client: MixspaceClient, query: Float32Array, exact: boolean): Promise<number[]> {
  const { matches } = await client.search('default', { embedding: Array.from(query) }, { limit, exact });
  return matches.map(({ score }) => score);
}

async function askAll(client: MixspaceClient, queries: Float32Array[], atOnce: number): Promise<Searches> {
  await inFlight(queries.slice(0, 50), atOnce, async (query) => void (await ask(client, query, false)));
  const times = new Array<number>(queries.length);
  const scores = new Array<number[]>(queries.length);
  const total = await seconds(() =>
    inFlight(queries.entries(), atOnce, async ([index, query]) => {
      times[index] = 1_000 * (await seconds(async () => (scores[index] = await ask(client, query, false))));
    }),
  );
  return { times, scores, perSecond: queries.length / total };
}

function bareSearches(file: string, dimension: number, queries: Float32Array[]): Searches {
  const index = new hnswlib.HierarchicalNSW('ip', dimension);
  index.readIndexSync(file);
  index.setEf(ef);
  for (const query of queries.slice(0, 50)) index.searchKnn(Array.from(query), limit);
  const times: number[] = [];
  const scores: number[][] = [];
  for (const query of queries) {
    const began = performance.now();
    const { distances } = index.searchKnn(Array.from(query), limit);
    times.push(performance.now() - began);
    scores.push(distances.map((distance) => 1 - distance));
  }
  return { times, scores, perSecond: (1_000 * queries.length) / times.reduce((a, b) => a + b) };
}

/** The share of answers that are as near as the last exact one: no need to know which is which. */
function recall(answers: number[][], exactLast: number[]): number {
  const hits = answers.map((scores, index) => scores.filter((score) => score >= exactLast[index]! - rounding).length);
  return hits.reduce((a, b) => a + b) / (limit * answers.length);
}

/** The newest saved graph, once it holds every item: the service saves some time after the last change. */
async function savedGraph(indexDir: string, client: MixspaceClient): Promise<{ file: string; nodes: number }> {
  const { counts } = await client.collection('default');
  for (let waited = 0; ; waited++) {
    const names = (await readdir(indexDir, { recursive: true })).filter((name) => name.endsWith('.hnsw'));
    for (const name of names) {
      const file = path.join(indexDir, name);
      const nodes = Number(/-(\d+)\.hnsw$/.exec(name)?.[1]);
      if (nodes === counts.total && (await stat(file)).size > 0) return { file, nodes };
    }
    if (waited > 120) throw new Error(`No saved graph of ${counts.total} nodes under ${indexDir}; there are ${names.join(', ') || 'none'}.`);
    await delay(1_000);
  }
}

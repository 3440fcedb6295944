import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { BareGraph, goodRecall, inTurns, Series, service, type Searcher } from './searchers.js';
import { limit, SearchOracle, type ItemFilter } from './search-oracle.js';
import { ShiftedCloud, type CloudItem } from './shifted-cloud.js';
import { inFlight, milliseconds, seconds } from './timing.js';

const perRequest = 1_000;
const width = 8;
const warmUps = 200;
/** Queries whose true answers are made. */
const told = 200;
/** The bare library's search list: what the service's graph has while it is small. */
const shortEf = 128;
const shares = [0.3, 0.1, 0.01, 0.001];

const everything: ItemFilter = { name: 'unfiltered', accepts: () => true };

/** Searches by embeddings of texts among those of pictures through HTTP, against hnswlib-node alone in this process on the same ones. */
export async function search(quick: boolean, asked?: BenchModel, count = quick ? 10_000 : 100_000): Promise<void> {
  const model = asked ?? (await defaultModel());
  const queryCount = quick ? 200 : 1_000;
  const server = await startServer({ env: { LOG_LEVEL: 'error', ...settingsFor(model) }, patience: 120_000 });
  try {
    const client = new MixspaceClient({ url: server.url });
    const dimension = (await client.models())[0]!.dimensions!;
    const cloud = new ShiftedCloud({ dimension, seed: 1 });
    const items = Array.from({ length: count }, () => cloud.item());
    const texts = Array.from({ length: queryCount }, () => Array.from(cloud.textQuery()));
    const pictures = Array.from({ length: told }, () => Array.from(cloud.pictureQuery()));
    await fill(client, items);

    const ours = service(client, server.process.pid!);
    const ofGroup = groupFilter(items);
    const filters = [everything, ...shares.map((share) => belowFilter(share)), ofGroup];
    const oracle = await SearchOracle.of(items, texts.slice(0, told), filters);
    const pictureOracle = await SearchOracle.of(items, pictures, [everything]);
    let bare!: BareGraph;
    const built = await seconds(async () => (bare = await BareGraph.of(items, dimension)));
    console.log(`search, building the bare graph: ${(count / built).toFixed(0)} embeddings/s on one thread`);

    for (const filter of filters) {
      await warmUp(ours, texts, filter);
      const isContest = filter === everything || filter === ofGroup;
      const efs = isContest ? [...new Set([shortEf, await bare.leastEf(texts.slice(0, told), filter, oracle)])] : [];
      const [one, ...theirs] = await inTurns([ours, ...efs.map((ef) => bare.searcher(ef))], texts, filter, quick ? 2 : 5);
      const eight = filter === everything ? await new Series(ours).run(texts, filter, width) : undefined;
      console.log(`search, ${filter.name}: ours ${figures(one!, oracle.recall(filter, one!.rows))}, exact ${one!.exact} of ${one!.answers.length}`);
      if (eight) console.log(`search, ${filter.name}, ${width} in flight: ours ${eight.perSecond.toFixed(0)}/s, p50 ${milliseconds(eight.p(0.5))} p99 ${milliseconds(eight.p(0.99))}, CPU ${milliseconds(eight.cpu)}`);
      for (const [i, their] of theirs.entries()) {
        const recall = oracle.recall(filter, their.rows);
        const reaches = i === theirs.length - 1 ? ` (${recall < goodRecall ? 'the longest tried' : `the least with recall ${goodRecall}`})` : '';
        console.log(`search, ${filter.name}: bare at ef ${efs[i]!}${reaches} ${figures(their, recall)}, ${their.perSecond.toFixed(0)}/s on one thread; ours/bare ${ratios(one!, their, eight)}`);
      }
    }
    const newFilters = await new Series(ours).run(texts.slice(0, quick ? 20 : 100), (turn) => belowFilter(0.1 + turn * 1e-6));
    console.log(`search, a filter of 10 % never seen before: ours p50 ${milliseconds(newFilters.p(0.5))} p99 ${milliseconds(newFilters.p(0.99))}, CPU ${milliseconds(newFilters.cpu)}`);

    await warmUp(ours, pictures, everything);
    const [own, their] = await inTurns([ours, bare.searcher(shortEf)], pictures, everything, 2);
    console.log(`search, by pictures: ours ${figures(own!, pictureOracle.recall(everything, own!.rows))}; bare at ef ${shortEf} ${figures(their!, pictureOracle.recall(everything, their!.rows))}; ours/bare ${ratios(own!, their!)}`);
    console.log(`search: ${count} embeddings of ${dimension} numbers, ${texts.length} queries, limit ${limit}, recall of ${told} of them against comparing with each; CPU and times of one search`);
  } finally {
    await server.remove();
  }
}

async function fill(client: MixspaceClient, items: CloudItem[]): Promise<void> {
  const firsts = Array.from({ length: Math.ceil(items.length / perRequest) }, (_, batch) => batch * perRequest);
  const sent = await seconds(() =>
    inFlight(firsts, 2, async (first) => {
      const batch = items.slice(first, first + perRequest).map(({ embedding, group, draw }, i) => ({ id: String(first + i), embedding: Array.from(embedding), modality: 'image' as const, metadata: { group, draw } }));
      const outcomes = await client.addItems('default', batch);
      if (outcomes.some(({ status }) => status !== 'created')) throw new Error('The service did not take every embedding.');
    }),
  );
  const built = await seconds(async () => {
    while ((await client.collection('default')).graph.state === 'building') await delay(250);
  });
  const { graph } = await client.collection('default');
  console.log(`search, ingest: ${(items.length / sent).toFixed(0)} embeddings/s taken; the graph: ${graph.state}${graph.state === 'ready' ? `, ${built.toFixed(0)} s later` : ''}`);
}

function belowFilter(bound: number): ItemFilter {
  return { name: `a filter of ${Number((100 * bound).toPrecision(1))} %`, body: { draw: { $lt: bound } }, accepts: ({ draw }) => draw < bound };
}

/** The group that is nearest to a tenth of all. */
function groupFilter(items: CloudItem[]): ItemFilter {
  const counts = new Map<number, number>();
  for (const { group } of items) counts.set(group, (counts.get(group) ?? 0) + 1);
  const off = (count: number): number => Math.abs(count / items.length - 0.1);
  const [wanted, count] = [...counts].sort(([, a], [, b]) => off(a) - off(b))[0]!;
  return { name: `a filter of one group, ${((100 * count) / items.length).toFixed(1)} %`, body: { group: wanted }, accepts: ({ group }) => group === wanted };
}

/** The first search with a filter looks at every item's metadata; the next know. */
async function warmUp(searcher: Searcher, queries: number[][], filter: ItemFilter): Promise<void> {
  for (const query of queries.slice(0, warmUps)) await searcher.find(query, filter);
}

function figures(series: Series, recall: number): string {
  return `recall@${limit} ${recall.toFixed(4)}, p50 ${milliseconds(series.p(0.5))} p99 ${milliseconds(series.p(0.99))}, CPU ${milliseconds(series.cpu)}`;
}

function ratios(ours: Series, bare: Series, eight?: Series): string {
  const inFlightToo = eight ? `, ${width} in flight ${(eight.perSecond / bare.perSecond).toFixed(2)}` : '';
  return `p50 ${(ours.p(0.5) / bare.p(0.5)).toFixed(2)}, CPU ${(ours.cpu / bare.cpu).toFixed(2)}, searches/s ${(ours.perSecond / bare.perSecond).toFixed(2)}${inFlightToo}`;
}

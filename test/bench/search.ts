import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceClient } from '../../src/client/index.js';
import { startServer } from '../server.js';
import { defaultModel, settingsFor, type BenchModel } from './bench-model.js';
import { contest, settings } from './search-contest.js';
import { run, Series, service, type Searcher } from './searchers.js';
import { limit, SearchOracle, type ItemFilter } from './search-oracle.js';
import { ShiftedCloud, type CloudItem } from './shifted-cloud.js';
import { inFlight, milliseconds, seconds } from './timing.js';

const perRequest = 1_000;
const width = 8;
const warmUps = 200;
/** Queries whose true answers are made. */
const told = 200;
const shares = [0.3, 0.1, 0.01, 0.001];

const everything: ItemFilter = { name: 'unfiltered', accepts: () => true };

/** Searches by embeddings of texts among those of pictures through HTTP, and beside it embedded engines, each in a process of its own, on the same ones. */
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
    const ours = service(client, server.process.pid!);
    const before = ours.cpu();
    const filled = await fill(client, items);
    const build = { seconds: filled, cpu: ours.cpu() - before };

    const ofGroup = groupFilter(items);
    const filters = [everything, ...shares.map((share) => belowFilter(share)), ofGroup];
    const oracle = await SearchOracle.of(items, texts.slice(0, told), filters);
    const pictureOracle = await SearchOracle.of(items, pictures, [everything]);
    console.log(`search: ${count} embeddings of ${dimension} numbers, ${texts.length} queries, limit ${limit}, recall of ${told} of them against comparing with each; CPU of all threads, and times, of one search`);

    for (const filter of filters) {
      await warmUp(ours, texts, filter);
      const series = new Series([await run(ours, texts, filter)]);
      console.log(`search, ${filter.name}: ours ${figures(series, oracle.recall(filter, series.rows))}, exact ${series.exact} of ${series.answers.length}`);
    }
    const eight = new Series([await run(ours, texts, everything, width)]);
    console.log(`search, ${everything.name}, ${width} in flight: ours ${eight.perSecond.toFixed(0)}/s, p50 ${milliseconds(eight.p(0.5))} p99 ${milliseconds(eight.p(0.99))}, CPU ${milliseconds(eight.cpu)}`);
    const newFilters = new Series([await run(ours, texts.slice(0, quick ? 20 : 100), (turn) => belowFilter(0.1 + turn * 1e-6))]);
    console.log(`search, a filter of 10 % never seen before: ours p50 ${milliseconds(newFilters.p(0.5))} p99 ${milliseconds(newFilters.p(0.99))}, CPU ${milliseconds(newFilters.cpu)}`);

    await warmUp(ours, pictures, everything);
    const disciplines = [
      { name: `by texts, ${everything.name}`, queries: texts, filter: everything, oracle, told },
      { name: `by texts, ${ofGroup.name}`, queries: texts, filter: ofGroup, oracle, told },
      { name: `by pictures, ${everything.name}`, queries: pictures, filter: everything, oracle: pictureOracle, told },
    ];
    console.log(`search, beside embedded engines: ${settings}`);
    await contest({ searcher: ours, build }, items, disciplines, quick ? 2 : 5);
  } finally {
    await server.remove();
  }
}

/** Seconds until it had all of them. */
async function fill(client: MixspaceClient, items: CloudItem[]): Promise<number> {
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
  return sent + built;
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
  return { name: `a filter of one group, ${((100 * count) / items.length).toFixed(1)} %`, body: { group: wanted }, group: wanted, accepts: ({ group }) => group === wanted };
}

/** The first search with a filter looks at every item's metadata; the next know. */
async function warmUp(searcher: Searcher, queries: number[][], filter: ItemFilter): Promise<void> {
  for (const query of queries.slice(0, warmUps)) await searcher.find(query, filter);
}

function figures(series: Series, recall: number): string {
  return `recall@${limit} ${recall.toFixed(4)}, p50 ${milliseconds(series.p(0.5))} p99 ${milliseconds(series.p(0.99))}, CPU ${milliseconds(series.cpu)}`;
}

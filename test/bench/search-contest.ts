import { EnginePeer, installedEngines, VectorFile } from './engine-peers.js';
import { hnsw } from './engines/engine.js';
import { limit, type ItemFilter, type SearchOracle } from './search-oracle.js';
import { inTurns, run, Series, type Searcher } from './searchers.js';
import type { CloudItem } from './shifted-cloud.js';

const goodRecall = 0.99;
const width = 8;

/** Queries that all engines are asked in the same way. */
export interface Discipline {
  name: string;
  filter: ItemFilter;
  queries: number[][];
  /** Knows the first of them. */
  oracle: SearchOracle;
  told: number;
}

interface Entry {
  name: string;
  series: Series;
  recall: number;
  /** With some in flight. */
  perSecond: number;
  build: Building;
}

/** Seconds until all could be searched, and of CPU. */
export interface Building {
  seconds: number;
  cpu: number;
}

/** Of an engine at one effort, and of the service, asked by turns with it. */
interface Pair {
  ours: Entry;
  theirs: Entry;
}

const columns: { title: string; value: (entry: Entry) => number; digits: number; highest?: boolean }[] = [
  { title: `recall@${limit}`, value: ({ recall }) => recall, digits: 4, highest: true },
  { title: 'CPU ms', value: ({ series }) => series.cpu, digits: 2 },
  { title: 'p50 ms', value: ({ series }) => series.p(0.5), digits: 2 },
  { title: 'p99 ms', value: ({ series }) => series.p(0.99), digits: 2 },
  { title: 'searches/s', value: ({ series }) => series.perSecond, digits: 0, highest: true },
  { title: `${width} in flight`, value: ({ perSecond }) => perSecond, digits: 0, highest: true },
  { title: 'build s', value: ({ build }) => build.seconds, digits: 1 },
  { title: 'build CPU s', value: ({ build }) => build.cpu, digits: 1 },
];

/** The service beside embedded engines on the same vectors. */
export async function contest(ours: { searcher: Searcher; build: Building }, items: CloudItem[], disciplines: Discipline[], rounds: number): Promise<void> {
  const engines = await installedEngines();
  const dimension = items[0]!.embedding.length;
  const pairs = new Map(disciplines.map((discipline) => [discipline, [] as Pair[]]));
  const ourWidth = new Map<Discipline, number>();
  for (const discipline of disciplines) {
    const { queries, filter } = discipline;
    ourWidth.set(discipline, new Series([await run(ours.searcher, queries, filter, width)]).perSecond);
  }
  const file = await VectorFile.of(items, dimension);
  try {
    for (const { name, version } of engines) {
      let peer: EnginePeer | undefined;
      try {
        peer = await EnginePeer.build(await file.request(name));
        console.log(`search, ${name} ${version}: ${peer.built.settings}; built in ${peer.built.seconds.toFixed(1)} s`);
        for (const discipline of disciplines) {
          if (discipline.filter.group !== undefined && !peer.built.hasFilters) continue;
          pairs.get(discipline)!.push(...(await compare(peer, { ...ours, perSecond: ourWidth.get(discipline)! }, discipline, rounds)));
        }
      } catch (error) {
        console.log(`search, ${name} ${version}: FAILED, and is left out from here on: ${(error as Error).message}`);
      } finally {
        peer?.end();
      }
    }
  } finally {
    await file.remove();
  }
  for (const [{ name }, all] of pairs) if (all.length > 0) report(name, all);
}

async function compare(peer: EnginePeer, ours: { searcher: Searcher; build: Building; perSecond: number }, { queries, filter, oracle, told }: Discipline, rounds: number): Promise<Pair[]> {
  const { effort, isConcurrent, seconds, cpu } = peer.built;
  const first = queries.slice(0, told);
  const efforts = [effort?.usual ?? 0];
  let least = 0;
  if (effort) {
    for (const tried of effort.tried) {
      least = tried;
      const { answers } = await peer.run(tried, first, filter);
      if (oracle.recall(filter, answers.map(({ rows }) => rows)) >= goodRecall) break;
    }
    if (least !== effort.usual) efforts.push(least);
  }
  const pairs: Pair[] = [];
  for (const each of efforts) {
    const ask = peer.run.bind(peer, each);
    await ask(first, filter);
    const [own, their] = await inTurns([run.bind(undefined, ours.searcher), ask], queries, filter, rounds);
    const perSecond = isConcurrent ? new Series([await ask(queries, filter, width)]).perSecond : their!.perSecond;
    pairs.push({
      ours: { name: 'ours', series: own!, recall: oracle.recall(filter, own!.rows), perSecond: ours.perSecond, build: ours.build },
      theirs: { name: effort ? `${peer.name}, ${effort.name} ${each}` : peer.name, series: their!, recall: oracle.recall(filter, their!.rows), perSecond, build: { seconds, cpu } },
    });
  }
  return pairs;
}

function report(name: string, pairs: Pair[]): void {
  const ours = pairs.map((pair) => pair.ours);
  const middle: Entry = { ...ours[0]!, series: Series.of(ours.map(({ series }) => series)) };
  const rows = [middle, ...pairs.map(({ theirs }) => theirs)].map((entry) => [entry.name, ...columns.map(({ value, digits }) => value(entry).toFixed(digits))]);
  const table = [['', ...columns.map(({ title }) => title)], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  console.log(`search, ${name}:`);
  for (const row of table) console.log(`  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`);
  for (const { title, value, highest } of columns) {
    const better = pairs.filter(({ ours, theirs }) => (highest ? value(theirs) > value(ours) : value(theirs) < value(ours)));
    const named = better.map(({ ours, theirs }) => `${theirs.name}: ${(value(theirs) / value(ours)).toPrecision(3)}${theirs.recall < goodRecall ? ' (less is found)' : ''}`);
    console.log(`  better than ours, ${title}, as a share of ours: ${named.length > 0 ? named.join('; ') : 'none'}`);
  }
}

export const settings = `HNSW engines with M ${hnsw.m} and efConstruction ${hnsw.efConstruction}, at their usual effort and at the least that finds ${goodRecall} of the ${limit} nearest (or the most that was tried); an engine that blocks the thread that asks has the same searches/s whatever is in flight`;

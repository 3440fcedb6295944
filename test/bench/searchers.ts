import { setImmediate as nextTurn } from 'node:timers/promises';
import hnswlib from 'hnswlib-node';
import type { MixspaceClient } from '../../src/client/index.js';
import { limit, type ItemFilter, type SearchOracle } from './search-oracle.js';
import type { CloudItem } from './shifted-cloud.js';
import { cpuSecondsOf, inFlight, percentile, seconds } from './timing.js';

/** As src/store/embedded/graph.ts has them. */
const graphSettings = { m: 16, efConstruction: 200, randomSeed: 42 };
const breatheEveryMs = 500;
const efs = [128, 192, 256, 384, 512, 768, 1024];
export const goodRecall = 0.99;

export interface Answer {
  /** Of the items found. */
  rows: number[];
  exact: boolean;
}

export interface Searcher {
  find(query: number[], filter: ItemFilter): Promise<Answer>;
  /** Seconds of CPU spent so far. */
  cpu(): number;
}

/** The service, whose ids are the items' rows. */
export function service(client: MixspaceClient, pid: number): Searcher {
  return {
    find: async (query, { body }) => {
      const { matches, exact } = await client.search('default', { embedding: query }, { limit, ...(body && { filter: body }) });
      return { rows: matches.map(({ id }) => Number(id)), exact };
    },
    cpu: () => cpuSecondsOf(pid),
  };
}

/** hnswlib-node alone in this process, on one thread. */
export class BareGraph {
  readonly #index: hnswlib.HierarchicalNSW;
  readonly #items: CloudItem[];
  #lastTurn = 0;

  private constructor(index: hnswlib.HierarchicalNSW, items: CloudItem[]) {
    this.#index = index;
    this.#items = items;
  }

  static async of(items: CloudItem[], dimension: number): Promise<BareGraph> {
    const index = new hnswlib.HierarchicalNSW('ip', dimension);
    index.initIndex({ maxElements: items.length, ...graphSettings });
    const graph = new BareGraph(index, items);
    for (const [row, { embedding }] of items.entries()) {
      index.addPoint(Array.from(embedding), row);
      await graph.#breathe();
    }
    return graph;
  }

  searcher(ef: number): Searcher {
    return {
      find: async (query, { body, accepts }) => {
        await this.#breathe();
        this.#index.setEf(ef);
        const { neighbors } = this.#index.searchKnn(query, limit, body && ((row) => accepts(this.#items[row]!)));
        return { rows: neighbors, exact: false };
      },
      cpu: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    };
  }

  /** The length of its search list from which it finds enough, or the longest there is. */
  async leastEf(queries: number[][], filter: ItemFilter, oracle: SearchOracle): Promise<number> {
    for (const ef of efs) {
      const searcher = this.searcher(ef);
      const answers: number[][] = [];
      for (const query of queries) answers.push((await searcher.find(query, filter)).rows);
      if (oracle.recall(filter, answers) >= goodRecall) return ef;
    }
    return efs.at(-1)!;
  }

  /** Else a client in this process would not see in time which connections the service closes. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#lastTurn < breatheEveryMs) return;
    await nextTurn();
    this.#lastTurn = performance.now();
  }
}

/** What a row of searches took. */
export class Series {
  /** In the queries' order. */
  readonly answers: Answer[] = [];
  readonly #searcher: Searcher;
  readonly #times: number[] = [];
  #seconds = 0;
  #cpu = 0;

  constructor(searcher: Searcher) {
    this.#searcher = searcher;
  }

  /** `filter`: of all, or of each. */
  async run(queries: number[][], filter: ItemFilter | ((turn: number) => ItemFilter), atOnce = 1): Promise<this> {
    const first = this.answers.length;
    const before = this.#searcher.cpu();
    this.#seconds += await seconds(() =>
      inFlight(queries.entries(), atOnce, async ([turn, query]) => {
        const one = typeof filter === 'function' ? filter(turn) : filter;
        this.#times.push(1_000 * (await seconds(async () => (this.answers[first + turn] = await this.#searcher.find(query, one)))));
      }),
    );
    this.#cpu += this.#searcher.cpu() - before;
    return this;
  }

  get rows(): number[][] {
    return this.answers.map(({ rows }) => rows);
  }

  get exact(): number {
    return this.answers.filter(({ exact }) => exact).length;
  }

  /** Milliseconds. */
  p(share: number): number {
    return percentile(this.#times, share);
  }

  get perSecond(): number {
    return this.#times.length / this.#seconds;
  }

  /** Milliseconds of CPU of one. */
  get cpu(): number {
    return (1_000 * this.#cpu) / this.#times.length;
  }
}

/** Part of the queries goes to one, then to the next, and so on, first this way round and then that: what else the machine does falls on all. */
export async function inTurns(searchers: Searcher[], queries: number[][], filter: ItemFilter, rounds: number): Promise<Series[]> {
  const all = searchers.map((searcher) => new Series(searcher));
  const size = Math.ceil(queries.length / rounds);
  for (let round = 0; round < rounds; round++) {
    const part = queries.slice(round * size, (round + 1) * size);
    for (const series of round % 2 === 0 ? all : [...all].reverse()) await series.run(part, filter);
  }
  return all;
}

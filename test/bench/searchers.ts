import type { MixspaceClient } from '../../src/client/index.js';
import { limit, type ItemFilter } from './search-oracle.js';
import { cpuSecondsOf, inFlight, percentile, seconds } from './timing.js';

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

/** What some searches took. */
export interface Sample {
  /** In the queries' order. */
  answers: Answer[];
  /** Milliseconds of each. */
  times: number[];
  seconds: number;
  /** Seconds of CPU. */
  cpu: number;
}

export type Run = (queries: number[][], filter: ItemFilter, atOnce?: number) => Promise<Sample>;

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

/** `filter`: of all, or of each. */
export async function run(searcher: Searcher, queries: number[][], filter: ItemFilter | ((turn: number) => ItemFilter), atOnce = 1): Promise<Sample> {
  const sample: Sample = { answers: [], times: [], seconds: 0, cpu: 0 };
  const before = searcher.cpu();
  sample.seconds = await seconds(() =>
    inFlight(queries.entries(), atOnce, async ([turn, query]) => {
      const one = typeof filter === 'function' ? filter(turn) : filter;
      sample.times[turn] = 1_000 * (await seconds(async () => (sample.answers[turn] = await searcher.find(query, one))));
    }),
  );
  sample.cpu = searcher.cpu() - before;
  return sample;
}

/** Samples as one. */
export class Series {
  readonly #samples: Sample[];

  constructor(samples: Sample[]) {
    this.#samples = samples;
  }

  static of(all: Series[]): Series {
    return new Series(all.flatMap((each) => each.#samples));
  }

  get answers(): Answer[] {
    return this.#samples.flatMap(({ answers }) => answers);
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
    return this.#times.length / this.#sum('seconds');
  }

  /** Milliseconds of CPU of one. */
  get cpu(): number {
    return (1_000 * this.#sum('cpu')) / this.#times.length;
  }

  get #times(): number[] {
    return this.#samples.flatMap(({ times }) => times);
  }

  #sum(key: 'seconds' | 'cpu'): number {
    return this.#samples.reduce((sum, sample) => sum + sample[key], 0);
  }
}

/** Part of the queries goes to one, then to the next, and so on, first this way round and then that: what else the machine does falls on all. */
export async function inTurns(runs: Run[], queries: number[][], filter: ItemFilter, rounds: number): Promise<Series[]> {
  const samples = runs.map((): Sample[] => []);
  const size = Math.ceil(queries.length / rounds);
  for (let first = 0; first < queries.length; first += size) {
    const part = queries.slice(first, first + size);
    const turns = runs.map((run, i) => async () => samples[i]!.push(await run(part, filter)));
    for (const turn of (first / size) % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return samples.map((each) => new Series(each));
}

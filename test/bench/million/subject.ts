import type { MixspaceClient, SearchOptions } from '../../../src/client/index.js';
import type { RunningServer } from '../../server.js';
import { cpuOfTree, memoryOfTree, total } from '../process-tree.js';
import { milliseconds, percentile, seconds } from '../timing.js';

export const collection = 'default';

/** The service that is measured. It is another one after each start. */
export interface Subject {
  server: RunningServer;
  client: MixspaceClient;
}

export interface Found {
  id: string;
  score?: number | undefined;
}

export interface SearchAnswer {
  matches: Found[];
  exact: boolean;
  next_cursor?: string | undefined;
}

export function find({ client }: Subject, query: number[], options: SearchOptions = {}): Promise<SearchAnswer> {
  return client.search(collection, { embedding: query }, options);
}

export function residentMegabytes({ server }: Subject): number {
  return total(memoryOfTree(server.process.pid!), 'resident');
}

/** Times of calls, one after the other. */
export class Timed {
  /** Milliseconds of each. */
  readonly times: number[] = [];
  cpu = 0;

  async one<T>(work: () => Promise<T>): Promise<T> {
    let result!: T;
    this.times.push(1_000 * (await seconds(async () => (result = await work()))));
    return result;
  }

  /** Beside the times, the CPU that the service spends while `work` makes its calls. */
  async spending({ server }: Subject, work: () => Promise<void>): Promise<this> {
    const before = cpuOfTree(server.process.pid!);
    await work();
    this.cpu += cpuOfTree(server.process.pid!) - before;
    return this;
  }

  toString(): string {
    return `p50 ${milliseconds(percentile(this.times, 0.5))} p99 ${milliseconds(percentile(this.times, 0.99))}, CPU ${milliseconds((1_000 * this.cpu) / this.times.length)}`;
  }
}

/** What a comparison with every item must find, and whether it was found. */
const rounding = 1e-6;
export function hitsOf(found: Found[], exact: Found[]): number {
  const floor = (exact.at(-1)?.score ?? Infinity) - rounding;
  const ids = new Set(found.filter(({ score }) => score! >= floor).map(({ id }) => id));
  return Math.min(ids.size, exact.length);
}

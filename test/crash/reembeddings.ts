/** One collection that goes over from one model to the other and back, and what may be seen of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MixspaceApiError, MixspaceClient } from '../../src/client/index.js';
import type { Collection } from '../../src/contract/collections.js';
import { count, type Counts } from './counts.js';
import type { Random } from './random.js';

export const models = ['first', 'second'] as const;

/** In which model's space it is, and where it is on the way to. */
interface Situation {
  at: string;
  to?: string;
  isRunning?: boolean;
}

const situationOf = ({ model, reembedding }: Collection): Situation => ({ at: model, ...(reembedding ? { to: reembedding.model, isRunning: reembedding.state === 'running' } : {}) });

export class Reembeddings {
  readonly #collection: string;
  #possible: Situation[] = [{ at: models[0] }];

  constructor(collection: string) {
    this.#collection = collection;
  }

  /** As far as is known. */
  get isRunning(): boolean {
    return this.#possible.some(({ isRunning }) => isRunning === true);
  }

  /** What is told of it, as one sentence where that cannot be; it is settled by it. */
  observe(seen: Collection, counts: Counts): string | undefined {
    const before = this.#possible;
    const situation = situationOf(seen);
    this.#possible = [situation];
    const isOver = before.some(({ to, isRunning }) => isRunning && isDeepStrictEqual(situation, { at: to }));
    if (isOver) count(counts, 'gone over');
    if (!isOver && !before.some((each) => isDeepStrictEqual(each, situation))) return `${this.#collection} is ${JSON.stringify(situation)}, though it should be ${before.map((each) => JSON.stringify(each)).join(' or ')} (${seen.reembedding?.problem ?? 'no problem told'}).`;
    if (!seen.reembedding && seen.not_embedded > 0) return `${seen.not_embedded} items of ${this.#collection} have no embedding.`;
    return undefined;
  }

  /** Steps until `isStopped`. */
  async run(plan: { url: string; random: Random; counts: Counts; fault: (sentence: string) => void; isStopped: () => boolean }): Promise<void> {
    const { random, counts, fault, isStopped } = plan;
    const client = new MixspaceClient({ url: plan.url, retries: 0 });
    while (!isStopped()) {
      try {
        const problem = this.observe(await client.collection(this.#collection), counts);
        if (problem !== undefined && !isStopped()) fault(problem);
        await this.#step(client, random, counts);
      } catch (error) {
        if (isStopped()) return;
        if (!(error instanceof MixspaceApiError)) throw error;
        fault(`Reembedding ${this.#collection} was answered ${error.status}: ${error.message}`);
      }
      await sleep(random.between(5, 60));
    }
  }

  async #step(client: MixspaceClient, random: Random, counts: Counts): Promise<void> {
    const [now] = this.#possible as [Situation];
    const choice = random.next();
    if (now.to === undefined) {
      if (choice < 0.6) await this.#begin(client, { at: now.at, to: now.at === models[0] ? models[1] : models[0], isRunning: true }, counts);
    } else if (!now.isRunning) {
      if (choice < 0.7) await this.#begin(client, { ...now, isRunning: true }, counts);
      else await this.#end(client, { discard: true }, counts);
    } else if (choice < 0.06) await this.#end(client, { discard: choice < 0.02 }, counts);
  }

  async #begin(client: MixspaceClient, next: Situation, counts: Counts): Promise<void> {
    this.#possible = [...this.#possible, next];
    await client.reembed(this.#collection, { model: next.to! });
    this.#possible = [next];
    count(counts, 'reembeddings begun');
  }

  async #end(client: MixspaceClient, { discard }: { discard: boolean }, counts: Counts): Promise<void> {
    const [now] = this.#possible as [Situation];
    const ended = discard ? { at: now.at } : { ...now, isRunning: false };
    const isOver = { at: now.to! };
    this.#possible = [now, ended, ...(now.isRunning ? [isOver] : [])];
    await client.stopReembedding(this.#collection, { discard }).catch((error: unknown) => {
      // It was done before.
      if (!(error instanceof MixspaceApiError && error.status === 404)) throw error;
    });
    this.#possible = [ended, ...(now.isRunning ? [isOver] : [])];
    count(counts, discard ? 'reembeddings discarded' : 'reembeddings stopped');
  }
}

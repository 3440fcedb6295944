/** The way to whichever replica lives, as a client behind a load balancer has it: what is refused for now, or broken off, is sent again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer } from '../api.js';
import type { Random } from '../crash/random.js';
import type { Fleet, Replica } from './fleet.js';

/** Answers by status, and `broken` connections. */
export type Statuses = Record<string, number>;

export interface Sent extends Answer {
  /** How often it was sent; after the first time nobody knows what an earlier one did. */
  times: number;
  /** When the last time left, and the answer came: of `performance.now()`. */
  left: number;
  came: number;
}

/** Milliseconds in which a request must have its answer, however often it is sent. */
const patienceMs = 90_000;
const pauseMs = 200;

export class Door {
  readonly #fleet: Fleet;
  readonly #fault: (sentence: string) => void;
  readonly statuses: Statuses = {};
  /** Of the answers 503, the sentences. */
  readonly refusals: Statuses = {};

  constructor(fleet: Fleet, fault: (sentence: string) => void) {
    this.#fleet = fleet;
    this.#fault = fault;
  }

  /** `may`: statuses that are right, beside 2xx. */
  async send(random: Random, request: { method: string; path: string; body?: unknown; may?: number[] }): Promise<Sent> {
    const { method, path, body, may = [] } = request;
    const deadline = performance.now() + patienceMs;
    for (let times = 1; ; times++) {
      const replica = await this.#any(random);
      const left = performance.now();
      const answer = await this.#once(replica, method, path, body);
      const came = performance.now();
      if (answer && (answer.status < 300 || may.includes(answer.status))) return { ...answer, times, left, came };
      if (answer && answer.status !== 429 && answer.status !== 503) this.#fault(`${method} ${path} at ${replica.name} was answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 400)}`);
      if (answer?.status === 503 && !answer.headers.has('retry-after')) this.#fault(`${method} ${path} at ${replica.name} was answered 503 without Retry-After: ${JSON.stringify(answer.body).slice(0, 400)}`);
      if (came > deadline) throw new Error(`${method} ${path} was sent ${times} times in vain, at last with ${answer ? `${answer.status} ${JSON.stringify(answer.body).slice(0, 400)}` : 'a broken connection'}.`);
      await sleep(pauseMs);
    }
  }

  /** Undefined: the connection broke. */
  async #once(replica: Replica, method: string, path: string, body: unknown): Promise<Answer | undefined> {
    try {
      const answer = await call(replica.server.url, method, path, body);
      count(this.statuses, String(answer.status));
      if (answer.status === 503) count(this.refusals, String(answer.body?.error?.message ?? answer.body));
      return answer;
    } catch (error) {
      count(this.statuses, 'broken');
      const cause = (error as Error).cause ?? error;
      if (!replica.isDoomed) this.#fault(`${method} ${path} at ${replica.name}, which nobody killed, broke off: ${String(cause)}`);
      return undefined;
    }
  }

  async #any(random: Random): Promise<Replica> {
    for (;;) {
      const { living } = this.#fleet;
      if (living.length > 0) return random.pick(living);
      await sleep(50);
    }
  }
}

export function count(counts: Record<string, number>, what: string, by = 1): void {
  counts[what] = (counts[what] ?? 0) + by;
}

export const told = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, n]) => `${n.toLocaleString('en')} ${what}`)
    .join(', ');

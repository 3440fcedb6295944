import { MixspaceError } from '../../errors.js';
import type { ImageEmbedding, Outcome, TextEmbedding } from '../encoder.js';
import { versionOf, type ModelPackage } from '../package/model-package.js';

export type Priority = 'interactive' | 'bulk';
export type Modality = 'text' | 'image';

/** One input that waits or is being encoded. */
export interface Job {
  model: ModelPackage;
  modality: Modality;
  priority: Priority;
  text: string;
  bytes: Uint8Array;
  thumbnail: boolean;
  /** Workers that died while they had it. */
  deaths: number;
  /** Milliseconds of `performance.now()`. */
  queuedAt: number;
  done(outcome: Outcome<TextEmbedding | ImageEmbedding>): void;
}

interface Lane {
  priority: Priority;
  model: ModelPackage;
  jobs: Job[];
}

/** So many interactive batches go before a bulk one that waits, so that bulk work comes to its end however much is asked meanwhile. */
const interactiveInARow = 8;

/** All callers' inputs, in lanes of one model, modality and priority; a lane's jobs may share a batch. */
export class JobQueue {
  readonly #lanes = new Map<string, Lane>();
  readonly #limit: number;
  #waiting = 0;
  /** Interactive batches since the last bulk one, while bulk work waits. */
  #inARow = 0;
  /** Inputs a second, a moving average over batches done. */
  #rate = 20;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** All of a request or nothing: `overloaded` where it would pass the limit. A larger request gets in when nothing waits. */
  add(jobs: Job[]): void {
    if (this.#waiting > 0 && this.#waiting + jobs.length > this.#limit) {
      throw new MixspaceError('overloaded', `${this.#waiting} inputs wait already and at most ${this.#limit} may; try again later.`, {
        retryAfter: Math.min(60, Math.max(1, Math.ceil(this.#waiting / this.#rate))),
      });
    }
    for (const job of jobs) this.#lane(job).jobs.push(job);
    this.#waiting += jobs.length;
  }

  /** Of a batch that was taken and not begun: it waits on where it stood. */
  putBack(jobs: Job[]): void {
    for (const job of jobs.toReversed()) this.#lane(job).jobs.unshift(job);
    this.#waiting += jobs.length;
  }

  waitsFor(model: ModelPackage): boolean {
    const version = versionOf(model);
    return [...this.#lanes.values()].some((lane) => lane.jobs.length > 0 && versionOf(lane.model) === version);
  }

  /** Forgets those that still wait. */
  drop(jobs: Job[]): void {
    const dropped = new Set(jobs);
    for (const lane of this.#lanes.values()) {
      const kept = lane.jobs.filter((job) => !dropped.has(job));
      this.#waiting -= lane.jobs.length - kept.length;
      lane.jobs = kept;
    }
  }

  /** The next batch of a model that `accepts` names: interactive lanes first, but for every ninth, then the lane whose head has waited longest. */
  take(priorities: Priority[], batchSize: Record<Modality, number>, accepts: (model: ModelPackage, priority: Priority) => boolean): Job[] {
    for (const priority of this.#inARow < interactiveInARow ? priorities : priorities.toReversed()) {
      const lane = this.#oldest(priority, accepts);
      const head = lane?.jobs[0];
      if (!lane || !head) continue;
      this.#inARow = priority === 'interactive' && this.#bulkWaits() ? this.#inARow + 1 : 0;
      const jobs = lane.jobs.splice(0, batchSize[head.modality]);
      this.#waiting -= jobs.length;
      return jobs;
    }
    return [];
  }

  #bulkWaits(): boolean {
    return [...this.#lanes.values()].some(({ priority, jobs }) => priority === 'bulk' && jobs.length > 0);
  }

  /** Everything that waits, taken out. */
  clear(): Job[] {
    const jobs = [...this.#lanes.values()].flatMap((lane) => lane.jobs);
    this.#lanes.clear();
    this.#waiting = 0;
    return jobs;
  }

  /** Told after each batch, for Retry-After. */
  finished(count: number, seconds: number, workers: number): void {
    if (seconds > 0) this.#rate = 0.9 * this.#rate + 0.1 * ((count * workers) / seconds);
  }

  #lane({ model, modality, priority }: Job): Lane {
    const name = `${priority} ${modality} ${versionOf(model)}`;
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { priority, model, jobs: [] };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #oldest(priority: Priority, accepts: (model: ModelPackage, priority: Priority) => boolean): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      const head = lane.jobs[0];
      if (lane.priority !== priority || !head || (oldest && head.queuedAt >= oldest.jobs[0]!.queuedAt)) continue;
      if (accepts(lane.model, priority)) oldest = lane;
    }
    return oldest;
  }
}

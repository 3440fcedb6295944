import type { Modality } from '../../domain/modality.js';
import type { Box, Tiles } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { ImageEmbedding, Outcome, TextEmbedding } from '../encoder.js';
import { takeBatch, type BatchLimits } from './batch.js';
import { ranks, type Rank } from './rank.js';
import type { Version } from './version.js';

/** What waits for a tower. */
export interface Waiting {
  version: Version;
  modality: Modality;
  rank: Rank;
  waitedMs: number;
}

/** Whether a worker may take it. */
export type Accepts = (waiting: Waiting) => boolean;

/** One input that waits or is being encoded. */
export interface Job {
  version: Version;
  modality: Modality;
  rank: Rank;
  text: string;
  bytes: Uint8Array;
  thumbnail: boolean;
  /** Of a picture that is cut: into what. */
  tiles?: Tiles | readonly Box[];
  /** Embeddings that come of it at most. */
  parts: number;
  /** Estimated tokens of a text, pixels of a picture. */
  cost: number;
  /** Workers that died while they had it. */
  deaths: number;
  /** A worker could not load its model. */
  loadFailed: boolean;
  /** Its `done` was called. */
  settled: boolean;
  /** Its caller left: nobody hears of it any more. */
  dropped: boolean;
  /** Milliseconds of `performance.now()`. */
  queuedAt: number;
  done(outcome: Outcome<TextEmbedding | ImageEmbedding>): void;
}

interface Lane {
  rank: Rank;
  version: Version;
  modality: Modality;
  jobs: Job[];
}

/** After so many batches that went before what waited and could have been taken, that goes first: every rank comes to its end however much is asked meanwhile. */
const passedInARow = 8;

/** All callers' inputs, in lanes of one version, modality and rank; a lane's jobs may share a batch. */
export class JobQueue {
  readonly #lanes = new Map<string, Lane>();
  readonly #limit: number;
  readonly #passed = new Map<Rank, number>();
  /** Inputs a second, a moving average over batches done. */
  readonly #rates = new Map<Rank, number>();

  /** `limit`: of the inputs of one rank that wait. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get waiting(): number {
    return [...this.#lanes.values()].reduce((sum, { jobs }) => sum + jobs.length, 0);
  }

  /** All of a request, of one rank, or nothing: `overloaded` where it would pass the limit. A larger request gets in when nothing of its rank waits, a probe always. */
  add(jobs: Job[]): void {
    const [first] = jobs;
    if (!first) return;
    const { rank } = first;
    const waiting = this.#waitingOf(rank);
    if (rank !== 'probe' && waiting > 0 && waiting + jobs.length > this.#limit) {
      const seconds = Math.ceil(waiting / (this.#rates.get(rank) ?? 20));
      throw new MixspaceError('overloaded', `${waiting} inputs of requests like this one wait already and at most ${this.#limit} may; try again later.`, { retryAfter: Math.min(60, Math.max(1, seconds)) });
    }
    for (const job of jobs) this.#lane(job).jobs.push(job);
  }

  /** Of a batch that was taken and not begun: it waits on where it stood. */
  putBack(jobs: Job[]): void {
    for (const job of jobs.toReversed()) if (!job.dropped) this.#lane(job).jobs.unshift(job);
  }

  /** Forgets those that were dropped. */
  forgetDropped(): void {
    for (const lane of this.#lanes.values()) lane.jobs = lane.jobs.filter(({ dropped }) => !dropped);
  }

  /**
   * The next batch of a rank for which there is room and that `accepts`: the first rank that waits, unless
   * another one was passed over too often, then the lane whose head has waited longest.
   */
  take(hasRoom: (rank: Rank) => boolean, limits: BatchLimits, accepts: Accepts): Job[] {
    const able = ranks.flatMap((rank) => (hasRoom(rank) ? (this.#oldest(rank, accepts) ?? []) : []));
    const lane = able.findLast(({ rank }) => (this.#passed.get(rank) ?? 0) >= passedInARow) ?? able[0];
    if (!lane) return [];
    for (const { rank } of able) this.#passed.set(rank, rank === lane.rank ? 0 : (this.#passed.get(rank) ?? 0) + 1);
    return takeBatch(lane.jobs, limits);
  }

  /** Everything that waits, taken out. */
  clear(): Job[] {
    const jobs = [...this.#lanes.values()].flatMap((lane) => lane.jobs);
    this.#lanes.clear();
    return jobs;
  }

  /** Told after each batch, for Retry-After. */
  finished(rank: Rank, count: number, seconds: number, workers: number): void {
    const rate = (count * workers) / seconds;
    if (seconds > 0) this.#rates.set(rank, 0.9 * (this.#rates.get(rank) ?? rate) + 0.1 * rate);
  }

  #waitingOf(rank: Rank): number {
    return [...this.#lanes.values()].reduce((sum, lane) => (lane.rank === rank ? sum + lane.jobs.length : sum), 0);
  }

  #lane({ version, modality, rank }: Job): Lane {
    const name = `${rank} ${modality} ${version.key}`;
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { rank, version, modality, jobs: [] };
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #oldest(rank: Rank, accepts: Accepts): Lane | undefined {
    let oldest: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      const head = lane.jobs[0];
      if (lane.rank !== rank || !head || (oldest && head.queuedAt >= oldest.jobs[0]!.queuedAt)) continue;
      if (accepts({ version: lane.version, modality: lane.modality, rank, waitedMs: performance.now() - head.queuedAt })) oldest = lane;
    }
    return oldest;
  }
}

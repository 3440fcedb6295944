/**
 * The port by which several services (replicas) share the jobs of one store: each job is one replica's at a time, which
 * alone writes of it. A lease ends when it is given back, or is not renewed in time. A store that one process at a time
 * uses has no such port.
 */
import { MixspaceError } from '../errors.js';
import type { Job, JobFailure, StoredFailure, StoredJob } from './job-catalog.js';

/** A job that the caller has from now on. */
export interface LeasedJob {
  job: StoredJob;
  /** Rises with each lease of the job. */
  token: number;
}

export type Wish = 'pause' | 'cancel';

export interface Renewed {
  id: string;
  token: number;
  /** What another replica asks of who has it. */
  wish?: Wish;
}

export interface NewLeasedJob {
  /** The replica that has it from then on. */
  holder: string;
  /** Of those of one lock, one runs at a time. */
  lock: string;
  /** Where alone it may run; left out: anywhere. */
  place?: string;
  /** Not beside another of its kind and lock that waits or runs. */
  isSingle: boolean;
  /** Jobs that may wait or run. */
  most: number;
}

/** The job is another replica's by now, or nobody's: nothing was written. */
export class LeaseLost extends MixspaceError {
  constructor(id: string) {
    super('not_ready', `Job "${id}" is with another replica of the service by now. Try again in a moment.`, { retryAfter: 1 });
  }
}

export interface JobLeases {
  /** Milliseconds for which a lease lasts from when it was taken or renewed. */
  readonly leaseMs: number;
  /** Written anew. Or the one that is there, where it may not stand beside that. Errors: `overloaded`. */
  addJob(job: Job, how: NewLeasedJob): Promise<LeasedJob | { other: StoredJob }>;
  /** A job in whatever state, without its lock. `held`: somebody has it; undefined: there is none. */
  leaseJob(id: string, holder: string): Promise<LeasedJob | 'held' | undefined>;
  /** Jobs of these kinds that wait or should run, that nobody has, and that may run in one of these places; with their locks. Of each lock one: what ran before what waits, then the oldest. */
  claimJobs(holder: string, choice: { kinds: string[]; places: string[]; limit: number }): Promise<LeasedJob[]>;
  /** Whether it may run from now on, in one of these places: nothing else of its lock does, or waits already and could run anywhere. Errors: `LeaseLost`. */
  lockJob(id: string, token: number, places: string[]): Promise<boolean>;
  /** As the catalog's `putJob`. `release`: in the same transaction, it is nobody's from then on. Errors: `LeaseLost`. */
  putJob(job: Job, token: number, changes?: { forget?: boolean; failures?: JobFailure[]; release?: boolean }): Promise<StoredFailure[]>;
  /** It is nobody's from now on, if it is the caller's still. */
  releaseJob(id: string, token: number): Promise<void>;
  /** It goes, as if it had never been, if it is the caller's still. */
  removeJob(id: string, token: number): Promise<void>;
  /** All that the replica has, for as long as a lease lasts. */
  renewLeases(holder: string): Promise<Renewed[]>;
  /** Asked of whoever has the job, if somebody has; to cancel it goes over to pause it. */
  wishJob(id: string, wish: Wish): Promise<void>;
}

/** The part of the catalog's port that keeps the table of jobs. What a job does and when it may is not its affair. */
import type { JobState } from '../domain/job.js';

export interface Job {
  id: string;
  kind: string;
  /** The name of the one that it works on, when it was started. */
  collection?: string;
  state: JobState;
  /** JSON: what it was started with. */
  parameters: unknown;
  /** JSON: where it goes on. */
  checkpoint?: unknown;
  done: number;
  /** Left out: not known. */
  total?: number;
  failed: number;
  /** Why it failed or was cancelled, a sentence, where nobody asked for it. */
  problem?: string;
  result?: Record<string, unknown>;
  /** ISO 8601, UTC. */
  createdAt: string;
  endedAt?: string;
}

export interface StoredJob extends Job {
  /** Rises with every job. */
  number: number;
  /** The number of its last failure; 0 when it has none. */
  lastFailure: number;
  /** Its row is not what was written: it is `failed`, and what else it says cannot be relied on. */
  isDamaged?: true;
}

export interface JobFailure {
  what: 'item' | 'file';
  /** The item's id, or the file's path. */
  name: string;
  /** A sentence. */
  reason: string;
}

export interface StoredFailure extends JobFailure {
  /** Rises with every failure of any job, and is never used again. */
  number: number;
}

export interface JobQuery {
  kind?: string;
  /** Of one of these. */
  collections?: string[];
  states?: JobState[];
  limit: number;
  /** Only those of a lower number. */
  before?: number;
}

/** Failures of one job that are kept; what else failed is counted only. */
export const keptFailures = 10_000;

export interface JobCatalog {
  /**
   * One transaction: the job is written anew, or in the place of the one of this id; `forget` takes its failures away,
   * `failures` adds to them. Answers those of `failures` that are kept and were not there: one of the same thing keeps its
   * number, and beyond `keptFailures` none is kept.
   */
  putJob(job: Job, changes?: { forget?: boolean; failures?: JobFailure[] }): Promise<StoredFailure[]>;
  /** Undefined when there is none. */
  getJob(id: string): Promise<StoredJob | undefined>;
  /** The newest first. */
  listJobs(query: JobQuery): Promise<{ jobs: StoredJob[]; more: boolean }>;
  /** By number, behind `after`; none of a job that is not there. */
  listJobFailures(id: string, request: { limit: number; after?: number }): Promise<{ failures: StoredFailure[]; more: boolean }>;
  /** Of those that have ended, keeps the newest: at most so many, with at most so many failures together. */
  pruneJobs(keep: { jobs: number; failures: number }): Promise<void>;
}

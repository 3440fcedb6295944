import type { Job, JobFailure } from '../store/job-catalog.js';

/** What a kind of job does. Whoever knows how registers it; the runner knows when. */
export interface JobKind<Parameters = unknown> {
  readonly name: string;
  /** Whether it can be paused; if not, it can only be cancelled. */
  readonly isPausable: boolean;
  /** What else of the same lock runs is waited for. Left out: one of the kind at a time in a collection. */
  lock?(job: JobOf<Parameters>): string;
  /** Where alone it may run, where that matters: what it reads or writes lies on a disk of that name. Left out, or undefined: anywhere. */
  place?(job: JobOf<Parameters>): Promise<string | undefined>;
  /** One that is started while another of its lock waits or runs is that one. */
  readonly isSingle: boolean;
  /** When somebody resumes it, what failed is tried again: its failures are forgotten. */
  readonly retriesFailures: boolean;
  /** When somebody starts or resumes it, before it waits for its turn: what this throws, they are told, and nothing begins. */
  begin?(job: JobOf<Parameters>): Promise<void>;
  /**
   * Works until it is done, in slices: what it `save`s is where the next run goes on, after a kill as well. What it throws
   * once `signal` is aborted is not looked at; else the job has failed, and can be resumed.
   */
  run(work: JobWork<Parameters>): Promise<JobEnd>;
  /** When somebody cancels it, and nothing of it runs: throws away what was kept to go on. */
  discard?(job: JobOf<Parameters>): Promise<void>;
}

/** `cancelled`: a sentence that says why nothing is left to be done. */
export type JobEnd = { result: Record<string, unknown> } | { cancelled: string };

export type JobOf<Parameters> = Readonly<Job> & { readonly parameters: Parameters };

export interface JobProgress {
  done: number;
  /** Left out: as it was. */
  total?: number;
  /** Left out: as it was. */
  failed?: number;
}

/** What a run works with. */
export interface JobWork<Parameters> {
  readonly job: JobOf<Parameters>;
  /** It ran when the service ended, and goes on by itself. */
  readonly isRestarted: boolean;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  /** Costs nothing: it is written and told to whoever follows now and then. */
  at(progress: JobProgress): void;
  /** Lists what could not be done, each thing once; `at` counts it. Waits only where more come than are written. */
  failed(failure: JobFailure): Promise<void>;
  /** On disk when it resolves, with the progress and the failures so far. */
  save(checkpoint: unknown): Promise<void>;
}

import { hasEnded } from '../domain/job.js';
import type { JobCatalog, JobFailure, StoredFailure, StoredJob } from '../store/job-catalog.js';
import type { JobEnd, JobKind, JobProgress, JobWork } from './kind.js';
import { Throughput } from './throughput.js';

/** Milliseconds between two writes of what has merely come further. */
const writeEveryMs = 1_000;
/** Milliseconds after which a write that failed, of how a job has ended, is tried again. */
const tryAgainMs = 5_000;
/** Runs in a row that come no further because the store is away. */
const mostTries = 30;
/** Failures that wait to be written, beyond which the run waits. */
const failuresAhead = 500;
/** Failures of the latest past that those who follow need not look up. */
const failuresAtHand = 200;

/** A job in memory, as long as it waits, runs, is followed, or is not on disk as it is. */
export class LiveJob {
  readonly kind: JobKind | undefined;
  /** Tells one time in memory from another, and all from those of earlier services. */
  readonly generation = Date.now().toString(36);
  readonly #catalog: Pick<JobCatalog, 'putJob' | 'listJobFailures'>;
  readonly #job: StoredJob;
  readonly #throughput = new Throughput();
  readonly #waiting = new Set<() => void>();
  readonly #recent: StoredFailure[] = [];
  #unwritten: JobFailure[] = [];
  #control: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #version = 0;
  #isUnsaved = false;
  #isSettling = false;
  #isAbandoned = false;
  #tries = { settled: 0, count: 0 };
  /** Those who need it in memory. */
  holders = 0;

  constructor(catalog: Pick<JobCatalog, 'putJob' | 'listJobFailures'>, job: StoredJob, kind: JobKind | undefined) {
    this.#catalog = catalog;
    this.#job = { ...job };
    this.kind = kind;
  }

  get job(): Readonly<StoredJob> {
    return this.#job;
  }

  /** Grows with whatever changes. */
  get version(): number {
    return this.#version;
  }

  get lastFailure(): number {
    return this.#job.lastFailure;
  }

  get isUnsaved(): boolean {
    return this.#isUnsaved;
  }

  /** It is another replica's: nothing that comes of it here matters. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** How it has ended is still being written. */
  get isSettling(): boolean {
    return this.#isSettling;
  }

  get isRunning(): boolean {
    return this.#control !== undefined;
  }

  /** What is seen of it from outside, at this moment. */
  told(): StoredJob & { secondsLeft?: number } {
    const { done, failed, total, state } = this.#job;
    const secondsLeft = state === 'running' && total !== undefined ? this.#throughput.secondsFor(total - done - failed) : undefined;
    return { ...this.#job, ...(secondsLeft === undefined ? {} : { secondsLeft }) };
  }

  /** One after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** In memory alone: `write` puts it on disk. A field that is undefined goes. */
  change(changes: { [F in keyof StoredJob]?: StoredJob[F] | undefined }): void {
    for (const [field, value] of Object.entries(changes)) {
      if (value === undefined) delete this.#job[field as keyof StoredJob];
      else Object.assign(this.#job, { [field]: value });
    }
    this.tell();
  }

  /** Those who follow look again. */
  tell(): void {
    this.#version++;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when something has changed, or the caller has gone. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Runs it until it has come to an end, or was stopped: then `onEnd` is not called. */
  launch(isRestarted: boolean, onEnd: (end: JobEnd | { error: unknown }) => Promise<void>): void {
    const control = new AbortController();
    this.#control = control;
    this.#ended = this.#run(control, isRestarted, onEnd);
  }

  async #run(control: AbortController, isRestarted: boolean, onEnd: (end: JobEnd | { error: unknown }) => Promise<void>): Promise<void> {
    const end = await this.#endOf(this.#work(control.signal, isRestarted));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#control = undefined;
    if (!('error' in end && control.signal.aborted)) await onEnd(end);
  }

  async #endOf(work: JobWork<unknown>): Promise<JobEnd | { error: unknown }> {
    try {
      return await this.kind!.run(work);
    } catch (error) {
      return { error };
    }
  }

  /** Resolves when it has come to an end or was stopped, however long that takes. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Whether a run that could not go on may begin again; as long as it comes further in between, always. */
  mayTryAgain(): boolean {
    const settled = this.#job.done + this.#job.failed;
    this.#tries = { settled, count: settled === this.#tries.settled ? this.#tries.count + 1 : 1 };
    return this.#tries.count <= mostTries;
  }

  /** It is another replica's from now on: what runs stops, and nothing of it is written. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#isUnsaved = false;
    this.#control?.abort();
    this.tell();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#control?.abort();
    await this.#ended;
  }

  /** The same, of what waited and may have begun meanwhile, too. */
  async standStill(): Promise<void> {
    do await this.stop();
    while (this.isRunning);
  }

  #work(signal: AbortSignal, isRestarted: boolean): JobWork<unknown> {
    return {
      job: this.#job,
      isRestarted,
      signal,
      at: (progress) => this.#at(progress),
      failed: async (failure) => {
        this.#unwritten.push(failure);
        if (this.#unwritten.length >= failuresAhead) await this.write();
        else this.#writeSoon();
      },
      save: async (checkpoint) => {
        this.#job.checkpoint = checkpoint;
        await this.write();
      },
    };
  }

  #at(progress: JobProgress): void {
    const { done, failed, total } = Object.assign(this.#job, progress);
    if (total !== undefined) this.#throughput.note(done + failed);
    this.tell();
    this.#writeSoon();
  }

  #writeSoon(): void {
    if (this.#control === undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // What could not be written is written with what follows.
      this.write().catch(() => undefined);
    }, writeEveryMs).unref();
  }

  /** On disk when it resolves. */
  async write(changes: { forget?: boolean } = {}): Promise<void> {
    const failures = this.#unwritten;
    this.#unwritten = [];
    const { number: _number, lastFailure: _last, ...job } = this.#job;
    try {
      const kept = await this.#catalog.putJob(job, { ...changes, failures });
      this.#isUnsaved = false;
      if (changes.forget) this.#recent.length = 0;
      const last = kept.at(-1);
      if (!last) return;
      this.#recent.push(...kept);
      this.#recent.splice(0, Math.max(0, this.#recent.length - failuresAtHand));
      this.#job.lastFailure = last.number;
      this.tell();
    } catch (error) {
      this.#unwritten = [...failures, ...this.#unwritten];
      throw error;
    }
  }

  /** As `write`. Where that is not possible it stands as it does all the same, and is written as soon as it is. */
  async settle(onSaved: () => void): Promise<void> {
    this.#isSettling = true;
    try {
      await this.write();
    } catch (error) {
      if (this.#isAbandoned) throw error;
      this.#isUnsaved = true;
      setTimeout(() => void this.#settleAgain(onSaved).catch(() => undefined), tryAgainMs).unref();
      throw error;
    } finally {
      this.#isSettling = false;
      this.tell();
    }
  }

  async #settleAgain(onSaved: () => void): Promise<void> {
    // By now another write may have said how it stands.
    if (this.#isUnsaved) await this.settle(onSaved);
    onSaved();
  }

  get hasEnded(): boolean {
    return hasEnded(this.#job.state);
  }

  /** Behind a number, in order, as many as are at hand or one look brings. */
  async failuresBehind(number: number, limit: number): Promise<StoredFailure[]> {
    if (number >= this.lastFailure) return [];
    const first = this.#recent[0];
    // What lies before the first at hand may be this job's or another's: then the table knows.
    if (first && first.number <= number + 1) return this.#recent.filter((each) => each.number > number).slice(0, limit);
    return (await this.#catalog.listJobFailures(this.#job.id, { limit, after: number })).failures;
  }
}

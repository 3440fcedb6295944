/** The runner of long work: what waits, runs, is paused and goes on after a restart. The work itself is its kinds' affair. */
import { randomBytes } from 'node:crypto';
import { hasEnded, isUnderWay, type JobState } from '../domain/job.js';
import { MixspaceError, toMixspaceError, traceOf } from '../errors.js';
import type { Job, JobCatalog, JobQuery, StoredFailure, StoredJob } from '../store/job-catalog.js';
import type { Log } from '../telemetry.js';
import { endId, follow, type JobEvent } from './events.js';
import type { JobEnd, JobKind } from './kind.js';
import { LiveJob } from './live-job.js';
import { isMove, type Move } from './transitions.js';

/** Jobs that may wait or run at once. */
const mostUnderWay = 1_000;
/** Of those that have ended, the newest are kept, with so many failures together. */
const keptJobs = { jobs: 1_000, failures: 100_000 };
const retryAfterSeconds = 30;
const pageJobs = 200;

export type ToldJob = StoredJob & { secondsLeft?: number };

export interface JobsParts {
  catalog: JobCatalog;
  kinds: JobKind[];
  /** Whether a collection is there: a job of one that has gone is cancelled. */
  hasCollection: (name: string) => Promise<boolean>;
  log: Log;
}

export class Jobs {
  readonly #parts: JobsParts;
  readonly #kinds: Map<string, JobKind>;
  /** By id; what is still looked up, too, so that none is in memory twice. */
  readonly #live = new Map<string, LiveJob | Promise<LiveJob>>();
  /** The id of the job that holds it. */
  readonly #locks = new Map<string, string>();
  readonly #leaving = new AbortController();

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#kinds = new Map(parts.kinds.map((kind) => [kind.name, kind]));
  }

  /** At start, once: what waited or ran when the service ended goes on. */
  async open(): Promise<void> {
    const found: StoredJob[] = [];
    for (let before: number | undefined; ; ) {
      const { jobs, more } = await this.#parts.catalog.listJobs({ states: ['waiting', 'running'], limit: pageJobs, ...(before === undefined ? {} : { before }) });
      found.unshift(...jobs.reverse());
      if (!more) break;
      before = found[0]!.number;
    }
    for (const job of found) {
      if (!isUnderWay(job.state)) continue;
      const live = this.#adopt(job);
      if (live.kind === undefined) await this.#end(live, { state: 'failed', problem: `This service knows no jobs of kind "${job.kind}".` });
      else if (job.collection !== undefined && !(await this.#parts.hasCollection(job.collection))) await this.#end(live, { state: 'cancelled', problem: deletedSentence(job.collection) });
      else if (this.#take(live)) this.#launch(live, job.state === 'running');
    }
  }

  /**
   * Resolves when it is on disk, and runs or waits. Where its kind allows one at a time, it may be one that was there.
   * @throws MixspaceError what the kind's `begin` throws; `overloaded`, `not_ready`, `disk_full`.
   */
  async start(kindName: string, { collection, parameters }: { collection?: string; parameters: unknown }): Promise<{ job: ToldJob; isNew: boolean }> {
    const kind = this.#kinds.get(kindName)!;
    const job = newJob(kindName, collection, parameters);
    if (kind.isSingle) {
      const other = this.#underWay().find((each) => each.kind === kind && lockOf(each) === lockOf({ kind, job }));
      if (other) {
        const told = await other.inTurn(async () => other.told());
        return isUnderWay(told.state) ? { job: told, isNew: false } : this.start(kindName, { ...(collection === undefined ? {} : { collection }), parameters });
      }
    }
    if (this.#leaving.signal.aborted) throw new MixspaceError('not_ready', 'The service is stopping.');
    if (this.#underWay().length >= mostUnderWay) throw new MixspaceError('overloaded', `At most ${mostUnderWay} jobs may wait or run; try again when some have ended.`, { retryAfter: retryAfterSeconds });
    const live = this.#adopt({ ...job, number: 0, lastFailure: 0 });
    return live.inTurn(async () => {
      const runs = this.#take(live);
      try {
        await kind.begin?.(live.job);
        await live.write();
      } catch (error) {
        live.change({ state: 'cancelled' });
        this.#release(live);
        throw error;
      }
      if (runs) this.#launch(live, false);
      return { job: live.told(), isNew: true };
    });
  }

  /** For work that was begun before there were jobs. Before `open`. */
  async import(kind: string, job: Partial<Job> & { collection: string; state: JobState; parameters: unknown }): Promise<void> {
    await this.#parts.catalog.putJob({ ...newJob(kind, job.collection, job.parameters), ...job });
  }

  /** @throws MixspaceError `not_found`. */
  async get(id: string): Promise<ToldJob> {
    const live = await this.#live.get(id);
    return live?.told() ?? (await this.#stored(id));
  }

  /** Resolves when nothing of it runs any more, however long that takes. */
  async ended(id: string): Promise<void> {
    await this.#inMemory(id)?.ended;
  }

  /** The newest of its kind in a collection, one that is under way before all others. */
  async find(kind: string, collection: string): Promise<ToldJob | undefined> {
    const isIt = ({ job }: LiveJob): boolean => job.kind === kind && job.collection === collection;
    const live = this.#underWay().find(isIt);
    return live?.told() ?? (await this.list({ kind, collections: [collection], limit: 1 })).jobs[0];
  }

  /** The newest first. */
  async list(query: JobQuery): Promise<{ jobs: ToldJob[]; more: boolean }> {
    const { jobs, more } = await this.#parts.catalog.listJobs(query);
    return { jobs: jobs.map((job) => ({ ...(this.#inMemory(job.id)?.told() ?? job), number: job.number })), more };
  }

  /** @throws MixspaceError `not_found`. */
  async failures(id: string, request: { limit: number; after?: number }): Promise<{ failures: StoredFailure[]; more: boolean }> {
    await this.get(id);
    return this.#parts.catalog.listJobFailures(id, request);
  }

  /** Resolves when nothing of it runs any more. @throws MixspaceError `not_found`, `conflict`. */
  pause(id: string): Promise<ToldJob> {
    return this.#move('pause', id, async (live) => {
      if (await this.#standStill('pause', live)) live.change({ state: 'paused' });
    });
  }

  /** Resolves when nothing of it runs any more, and what was kept to go on is thrown away. @throws MixspaceError `not_found`, `conflict`. */
  cancel(id: string): Promise<ToldJob> {
    return this.#move('cancel', id, async (live) => {
      if (!(await this.#standStill('cancel', live))) return;
      const { state } = live.job;
      live.change({ state: 'paused' });
      await live.kind?.discard?.(live.job).catch(async (error: unknown) => {
        if (isUnderWay(state)) await this.#end(live, { state: 'failed', problem: toMixspaceError(error).message });
        else live.change({ state });
        throw error;
      });
      live.change({ state: 'cancelled', endedAt: new Date().toISOString(), problem: undefined });
    });
  }

  /** It waits or runs again. `parameters`: others than it was started with. @throws MixspaceError `not_found`, `conflict`, and as `start`. */
  resume(id: string, parameters?: unknown): Promise<ToldJob> {
    return this.#move('resume', id, async (live) => {
      if (this.#leaving.signal.aborted) throw new MixspaceError('not_ready', 'The service is stopping.');
      const { state, problem, endedAt, failed, parameters: before } = live.job;
      const forget = live.kind!.retriesFailures;
      if (parameters !== undefined) live.change({ parameters });
      try {
        await live.kind!.begin?.(live.job);
        live.change({ state: 'waiting', problem: undefined, endedAt: undefined, result: undefined, ...(forget ? { failed: 0 } : {}) });
        const runs = this.#take(live);
        await live.write({ forget });
        if (runs) this.#launch(live, false);
      } catch (error) {
        live.change({ state, problem, endedAt, failed, parameters: before });
        this.#release(live);
        throw error;
      }
    });
  }

  /** The collection has been deleted: its jobs are cancelled. Resolves when nothing of them runs any more. */
  async endOf(collection: string): Promise<void> {
    const paused = await this.#parts.catalog.listJobs({ collections: [collection], states: ['paused'], limit: mostUnderWay }).catch(() => ({ jobs: [] }));
    const ids = new Set([...this.#underWay().filter(({ job }) => job.collection === collection).map(({ job }) => job.id), ...paused.jobs.map(({ id }) => id)]);
    await Promise.all([...ids].map((id) => this.#hold(id, (live) => live.inTurn(() => this.#endForWantOf(collection, live))).catch(() => undefined)));
  }

  async #endForWantOf(collection: string, live: LiveJob): Promise<void> {
    await stopped(live);
    if (!live.hasEnded) await this.#end(live, { state: 'cancelled', problem: deletedSentence(collection) });
  }

  /**
   * What happens to a job from now on, or from behind the event `seen`: see `follow`. Undefined where `seen` was the last.
   * @throws MixspaceError `not_found`.
   */
  async events(id: string, seen: string | undefined, signal: AbortSignal): Promise<AsyncIterable<JobEvent> | undefined> {
    const job = await this.get(id);
    if (hasEnded(job.state) && seen === endId(job)) return undefined;
    return this.#events(id, seen, AbortSignal.any([signal, this.#leaving.signal]));
  }

  async *#events(id: string, seen: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
    const live = await this.#held(id);
    try {
      yield* follow(live, seen, signal);
    } finally {
      live.holders--;
      this.#drop(live);
    }
  }

  /** What runs stops, and goes on at the next start. Nothing begins any more. */
  async close(): Promise<void> {
    this.#leaving.abort();
    const all = [...this.#live.values()].filter((live) => live instanceof LiveJob);
    await Promise.all(
      all.map(async (live) => {
        const wasRunning = live.isRunning;
        await live.stop();
        if (wasRunning || live.isUnsaved) await live.write().catch(() => undefined);
      }),
    );
  }

  #move(move: Move, id: string, work: (live: LiveJob) => Promise<void>): Promise<ToldJob> {
    return this.#hold(id, (live) =>
      live.inTurn(async () => {
        if (!isMove(move, live.job, live.kind)) return live.told();
        await work(live);
        if (move !== 'resume') {
          this.#release(live);
          await live.settle(() => this.#drop(live));
        }
        if (hasEnded(live.job.state)) this.#prune();
        return live.told();
      }),
    );
  }

  /** What runs of it is stopped; whether there is still something to do then. @throws MixspaceError `conflict` when it has come to an end meanwhile. */
  async #standStill(move: Move, live: LiveJob): Promise<boolean> {
    await stopped(live);
    return isMove(move, live.job, live.kind);
  }

  /** Whether it may run now; if not, it waits. */
  #take(live: LiveJob): boolean {
    const lock = lockOf(live);
    const holder = this.#locks.get(lock);
    if (holder === undefined) this.#locks.set(lock, live.job.id);
    const runs = holder === undefined || holder === live.job.id;
    // At start it matters still that it ran.
    live.change({ state: runs ? 'running' : 'waiting' });
    return runs;
  }

  /** Whoever waits for its lock gets it. */
  #release(live: LiveJob): void {
    const lock = lockOf(live);
    if (this.#locks.get(lock) === live.job.id) this.#locks.delete(lock);
    this.#drop(live);
    if (this.#leaving.signal.aborted) return;
    const next = this.#underWay().find((each) => each.job.state === 'waiting' && lockOf(each) === lock && !this.#locks.has(lock));
    if (!next || !this.#take(next)) return;
    this.#launch(next, false);
    next.write().catch(() => undefined);
  }

  #launch(live: LiveJob, isRestarted: boolean): void {
    if (this.#leaving.signal.aborted) return;
    live.launch(isRestarted, (end) => this.#ended(live, end));
  }

  async #ended(live: LiveJob, end: JobEnd | { error: unknown }): Promise<void> {
    const { collection } = live.job;
    if ('result' in end) return this.#end(live, { state: 'done', result: end.result });
    if ('cancelled' in end) return this.#end(live, { state: 'cancelled', problem: end.cancelled });
    if (collection !== undefined && !(await this.#parts.hasCollection(collection).catch(() => true))) return this.#end(live, { state: 'cancelled', problem: deletedSentence(collection) });
    const { code, message } = toMixspaceError(end.error);
    const cause = end.error instanceof MixspaceError ? end.error.cause : end.error;
    const { id, kind } = live.job;
    this.#parts.log(code === 'internal' || code === 'disk_full' ? 'error' : 'warn', `Job "${id}" has failed; resumed, it goes on. ${message}`, { job: id, kind, ...(collection === undefined ? {} : { collection }), code, ...(cause === undefined ? {} : { cause: traceOf(cause) }) });
    return this.#end(live, { state: 'failed', problem: message });
  }

  /** Never rejects. */
  async #end(live: LiveJob, end: Pick<Job, 'state' | 'problem' | 'result'>): Promise<void> {
    live.change({ ...end, endedAt: new Date().toISOString() });
    const settled = live.settle(() => this.#drop(live)).catch(() => undefined);
    this.#release(live);
    await settled;
    this.#drop(live);
    this.#prune();
  }

  #prune(): void {
    this.#parts.catalog.pruneJobs(keptJobs).catch(() => undefined);
  }

  /** Those that wait or run, the oldest first. */
  #underWay(): LiveJob[] {
    return [...this.#live.values()].filter((live): live is LiveJob => live instanceof LiveJob && isUnderWay(live.job.state));
  }

  async #stored(id: string): Promise<StoredJob> {
    const job = await this.#parts.catalog.getJob(id);
    if (!job) throw new MixspaceError('not_found', `There is no job "${id}".`);
    return job;
  }

  #inMemory(id: string): LiveJob | undefined {
    const live = this.#live.get(id);
    return live instanceof LiveJob ? live : undefined;
  }

  #adopt(job: StoredJob): LiveJob {
    const live = new LiveJob(this.#parts.catalog, job, this.#kinds.get(job.kind));
    this.#live.set(job.id, live);
    return live;
  }

  async #hold<T>(id: string, work: (live: LiveJob) => Promise<T>): Promise<T> {
    const live = await this.#held(id);
    try {
      return await work(live);
    } finally {
      live.holders--;
      this.#drop(live);
    }
  }

  /** In memory until it is let go of. @throws MixspaceError `not_found`. */
  async #held(id: string): Promise<LiveJob> {
    for (;;) {
      const live = await this.#open(id);
      if (this.#live.get(id) !== live) continue;
      live.holders++;
      return live;
    }
  }

  #open(id: string): LiveJob | Promise<LiveJob> {
    const there = this.#live.get(id);
    if (there) return there;
    const opening = this.#stored(id).then(
      (job) => this.#adopt(job),
      (error: unknown) => {
        this.#live.delete(id);
        throw error;
      },
    );
    this.#live.set(id, opening);
    return opening;
  }

  /** Out of memory, when nobody needs it there. */
  #drop(live: LiveJob): void {
    if (live.holders > 0 || live.isRunning || live.isSettling || live.isUnsaved || isUnderWay(live.job.state)) return;
    if (this.#live.get(live.job.id) === live) this.#live.delete(live.job.id);
  }
}

function newJob(kind: string, collection: string | undefined, parameters: unknown): Job {
  return { id: `${kind}-${randomBytes(6).toString('hex')}`, kind, ...(collection === undefined ? {} : { collection }), state: 'waiting', parameters, done: 0, failed: 0, createdAt: new Date().toISOString() };
}

function lockOf({ kind, job }: { kind: JobKind | undefined; job: Job }): string {
  return kind?.lock?.(job) ?? `${job.kind} ${job.collection ?? ''}`;
}

/** What waited may have begun meanwhile. */
async function stopped(live: LiveJob): Promise<void> {
  do await live.stop();
  while (live.isRunning);
}

const deletedSentence = (collection: string): string => `Collection "${collection}" was deleted.`;

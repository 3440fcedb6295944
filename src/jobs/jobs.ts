/** The runner of long work: what waits, runs, is paused and goes on after a restart. The work itself is its kinds' affair. */
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, isUnderWay, type JobState } from '../domain/job.js';
import { MixspaceError, toMixspaceError, traceOf } from '../errors.js';
import type { Job, JobCatalog, JobQuery, StoredFailure, StoredJob } from '../store/job-catalog.js';
import type { Wish } from '../store/job-leases.js';
import type { Log } from '../telemetry.js';
import { keptJobs, lookEveryMs, mostUnderWay, retryAfterSeconds, tryAgainMs } from './bounds.js';
import { endId, follow, type JobEvent } from './events.js';
import { followStored } from './follow-stored.js';
import { Heart } from './heart.js';
import type { JobEnd, JobKind } from './kind.js';
import type { LiveJob } from './live-job.js';
import { LiveJobs, stopping } from './live-jobs.js';
import { jobsUnderWay, lockOf, newJob } from './new-job.js';
import { Replica, type Beat, type SharedJobs } from './replica.js';
import { isMove, type Move } from './transitions.js';

const underWayFirst: (JobState[] | undefined)[] = [['running'], ['waiting'], undefined];

export type ToldJob = StoredJob & { secondsLeft?: number };

export interface JobsParts {
  catalog: JobCatalog;
  kinds: JobKind[];
  /** Whether a collection is there: a job of one that has gone is cancelled. */
  hasCollection: (name: string) => Promise<boolean>;
  /** Left out: this process alone uses the store. */
  shared?: SharedJobs;
  log: Log;
}

export class Jobs {
  readonly #parts: JobsParts;
  readonly #kinds: Map<string, JobKind>;
  readonly #replica: Replica | undefined;
  readonly #heart: Heart | undefined;
  readonly #live: LiveJobs;
  /** The id of the job that holds it. Where replicas share the store, the store knows. */
  readonly #locks = new Map<string, string>();
  /** Ids of jobs of which what another replica wishes is being done. */
  readonly #obeying = new Set<string>();
  readonly #leaving = new AbortController();

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#kinds = new Map(parts.kinds.map((kind) => [kind.name, kind]));
    this.#replica = parts.shared && new Replica(parts.shared);
    // Who is leaving takes nothing any more, and holds what still runs.
    this.#heart = this.#replica && new Heart(this.#replica, { kinds: () => (this.#leaving.signal.aborted ? [] : [...this.#kinds.keys()]), on: (beat) => this.#heed(beat) }, parts.log);
    this.#live = new LiveJobs(parts.catalog, this.#kinds, this.#replica);
  }

  /** At start, once: what waited or ran when the service ended goes on. */
  async open(): Promise<void> {
    if (this.#heart) return this.#heart.start();
    for (const job of await jobsUnderWay(this.#parts.catalog)) {
      if (!isUnderWay(job.state)) continue;
      const live = this.#live.adopt(job);
      if (live.kind === undefined) await this.#end(live, { state: 'failed', problem: `This service knows no jobs of kind "${job.kind}".` });
      else if (job.collection !== undefined && !(await this.#parts.hasCollection(job.collection))) await this.#end(live, { state: 'cancelled', problem: deletedSentence(job.collection) });
      else if (this.#takeHere(live)) this.#launch(live, job.state === 'running');
    }
  }

  /**
   * Resolves when it is on disk, and runs or waits. Where its kind allows one at a time, it may be one that was there.
   * @throws MixspaceError what the kind's `begin` throws; `overloaded`, `not_ready`, `disk_full`.
   */
  async start(kindName: string, { collection, parameters }: { collection?: string; parameters: unknown }): Promise<{ job: ToldJob; isNew: boolean }> {
    const kind = this.#kinds.get(kindName)!;
    const job = newJob(kindName, collection, parameters);
    if (this.#leaving.signal.aborted && this.#replica) throw stopping();
    if (kind.isSingle && !this.#replica) {
      const other = this.#live.underWay().find((each) => each.kind === kind && lockOf(each) === lockOf({ kind, job }));
      if (other) {
        const told = await other.inTurn(async () => other.told());
        return isUnderWay(told.state) ? { job: told, isNew: false } : this.start(kindName, { ...(collection === undefined ? {} : { collection }), parameters });
      }
    }
    const added = this.#replica ? await this.#addShared(this.#replica, kind, job) : this.#add(job);
    if ('other' in added) return { job: added.other, isNew: false };
    const { live } = added;
    live.holders++;
    return live
      .inTurn(async () => {
        const runs = await this.#take(live);
        try {
          await kind.begin?.(live.job);
          await live.write();
        } catch (error) {
          await this.#replica?.remove(job.id).catch(() => undefined);
          live.change({ state: 'cancelled' });
          this.#release(live);
          throw error;
        }
        if (runs) this.#launch(live, false);
        else this.#replica?.wake();
        return { job: live.told(), isNew: true };
      })
      .finally(() => this.#live.letGo(live));
  }

  #add(job: Job): { live: LiveJob } {
    if (this.#leaving.signal.aborted) throw stopping();
    if (this.#live.underWay().length >= mostUnderWay) throw new MixspaceError('overloaded', `At most ${mostUnderWay} jobs may wait or run; try again when some have ended.`, { retryAfter: retryAfterSeconds });
    return { live: this.#live.adopt({ ...job, number: 0, lastFailure: 0 }) };
  }

  async #addShared(replica: Replica, kind: JobKind, job: Job): Promise<{ live: LiveJob } | { other: StoredJob }> {
    const place = await kind.place?.(job);
    const added = await replica.add(job, { lock: lockOf({ kind, job }), ...(place === undefined ? {} : { place }), isSingle: kind.isSingle, most: mostUnderWay });
    return added.isNew ? { live: this.#live.adopt(added.job) } : { other: added.job };
  }

  /** For work that was begun before there were jobs. Before `open`. */
  async import(kind: string, job: Partial<Job> & { collection: string; state: JobState; parameters: unknown }): Promise<void> {
    await this.#parts.catalog.putJob({ ...newJob(kind, job.collection, job.parameters), ...job });
  }

  /** @throws MixspaceError `not_found`. */
  async get(id: string): Promise<ToldJob> {
    const live = await this.#live.awaited(id);
    return live?.told() ?? (await this.#live.stored(id));
  }

  /** Resolves when nothing of it runs any more, however long that takes. */
  async ended(id: string): Promise<void> {
    const live = this.#live.get(id);
    if (live || !this.#replica) return live?.ended;
    while (!this.#leaving.signal.aborted && (await this.#parts.catalog.getJob(id))?.state === 'running') await this.#pauseFor(lookEveryMs);
  }

  /** The newest of its kind in a collection, one that is under way before all others. */
  async find(kind: string, collection: string): Promise<ToldJob | undefined> {
    const isIt = ({ job }: LiveJob): boolean => job.kind === kind && job.collection === collection;
    const live = this.#live.underWay().find(isIt);
    if (live) return live.told();
    for (const states of this.#replica ? underWayFirst : [undefined]) {
      const { jobs: [job] } = await this.list({ kind, collections: [collection], limit: 1, ...(states && { states }) });
      if (job) return job;
    }
    return undefined;
  }

  /** The newest first. */
  async list(query: JobQuery): Promise<{ jobs: ToldJob[]; more: boolean }> {
    const { jobs, more } = await this.#parts.catalog.listJobs(query);
    return { jobs: jobs.map((job) => ({ ...(this.#live.get(job.id)?.told() ?? job), number: job.number })), more };
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
      if (this.#leaving.signal.aborted) throw stopping();
      const { state, problem, endedAt, failed, parameters: before } = live.job;
      const forget = live.kind!.retriesFailures;
      if (parameters !== undefined) live.change({ parameters });
      try {
        await live.kind!.begin?.(live.job);
        live.change({ state: 'waiting', problem: undefined, endedAt: undefined, result: undefined, ...(forget ? { failed: 0 } : {}) });
        const runs = await this.#take(live);
        await live.write({ forget });
        if (runs) this.#launch(live, false);
        else this.#replica?.wake();
      } catch (error) {
        live.change({ state, problem, endedAt, failed, parameters: before });
        this.#release(live);
        throw error;
      }
    });
  }

  /** The collection has been deleted: its jobs are cancelled. Resolves when nothing of them runs any more. */
  async endOf(collection: string): Promise<void> {
    const states: JobState[] = this.#replica ? ['waiting', 'running', 'paused'] : ['paused'];
    const found = await this.#parts.catalog.listJobs({ collections: [collection], states, limit: mostUnderWay }).catch(() => ({ jobs: [] }));
    const ids = new Set([...this.#live.underWay().filter(({ job }) => job.collection === collection).map(({ job }) => job.id), ...found.jobs.map(({ id }) => id)]);
    const end = (live: LiveJob): Promise<void> => live.inTurn(() => this.#endForWantOf(collection, live));
    await Promise.all([...ids].map((id) => this.#live.hereOrThere(id, end, (job) => (hasEnded(job.state) ? { outcome: undefined } : { wish: 'cancel' }), this.#leaving.signal).catch(() => undefined)));
  }

  async #endForWantOf(collection: string, live: LiveJob): Promise<void> {
    await live.standStill();
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
    if (this.#replica) {
      const { catalog } = this.#parts;
      return yield* followStored({ get: () => this.get(id), failures: (request) => catalog.listJobFailures(id, request), isHere: () => this.#live.get(id) !== undefined }, seen, signal);
    }
    const live = await this.#live.held(id);
    try {
      yield* follow(live, seen, signal);
    } finally {
      this.#live.letGo(live);
    }
  }

  /** What runs stops, and goes on at the next start. Nothing begins any more. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await Promise.all(
      this.#live.all().map(async (live) => {
        const wasRunning = live.isRunning;
        await live.stop();
        if (wasRunning || live.isUnsaved) await live.write().catch(() => undefined);
      }),
    );
    await this.#heart?.stop();
    await this.#replica?.close();
  }

  #move(move: Move, id: string, work: (live: LiveJob) => Promise<void>): Promise<ToldJob> {
    const here = (live: LiveJob): Promise<ToldJob> =>
      live.inTurn(async () => {
        if (!isMove(move, live.job, live.kind)) return live.told();
        await work(live);
        if (move !== 'resume') {
          this.#release(live);
          await live.settle(() => this.#live.drop(live));
        }
        if (hasEnded(live.job.state)) this.#prune();
        return live.told();
      });
    return this.#live.hereOrThere(id, here, (job) => (isMove(move, job, this.#kinds.get(job.kind)) ? { wish: move === 'resume' ? undefined : move } : { outcome: job }), this.#leaving.signal);
  }

  /** What runs of it is stopped; whether there is still something to do then. @throws MixspaceError `conflict` when it has come to an end meanwhile. */
  async #standStill(move: Move, live: LiveJob): Promise<boolean> {
    await live.standStill();
    return isMove(move, live.job, live.kind);
  }

  /** Whether it may run now; if not, it waits. */
  async #take(live: LiveJob): Promise<boolean> {
    if (!this.#replica) return this.#takeHere(live);
    const runs = await this.#replica.lock(live.job.id);
    live.change({ state: runs ? 'running' : 'waiting' });
    return runs;
  }

  #takeHere(live: LiveJob): boolean {
    const lock = lockOf(live);
    const holder = this.#locks.get(lock);
    if (holder === undefined) this.#locks.set(lock, live.job.id);
    const runs = holder === undefined || holder === live.job.id;
    // At start it matters still that it ran.
    live.change({ state: runs ? 'running' : 'waiting' });
    return runs;
  }

  /** Whoever waits for its lock gets it; of a shared store, once it is on disk that it does not run. */
  #release(live: LiveJob): void {
    if (this.#replica) return;
    const lock = lockOf(live);
    if (this.#locks.get(lock) === live.job.id) this.#locks.delete(lock);
    this.#live.drop(live);
    if (this.#leaving.signal.aborted) return;
    const next = this.#live.underWay().find((each) => each.job.state === 'waiting' && lockOf(each) === lock && !this.#locks.has(lock));
    if (!next || !this.#takeHere(next)) return;
    this.#launch(next, false);
    next.write().catch(() => undefined);
  }

  #launch(live: LiveJob, isRestarted: boolean): void {
    if (this.#leaving.signal.aborted) return;
    live.launch(isRestarted, (end) => this.#ended(live, end));
  }

  async #ended(live: LiveJob, end: JobEnd | { error: unknown }): Promise<void> {
    if (live.isAbandoned) return;
    const { collection } = live.job;
    if ('result' in end) return this.#end(live, { state: 'done', result: end.result });
    if ('cancelled' in end) return this.#end(live, { state: 'cancelled', problem: end.cancelled });
    if (collection !== undefined && !(await this.#hasCollection(collection))) return this.#end(live, { state: 'cancelled', problem: deletedSentence(collection) });
    const { code, message } = toMixspaceError(end.error);
    if (code === 'not_ready' && this.#replica && (await this.#triedAgain(live))) return;
    const cause = end.error instanceof MixspaceError ? end.error.cause : end.error;
    const { id, kind } = live.job;
    this.#parts.log(code === 'internal' || code === 'disk_full' ? 'error' : 'warn', `Job "${id}" has failed; resumed, it goes on. ${message}`, { job: id, kind, ...(collection === undefined ? {} : { collection }), code, ...(cause === undefined ? {} : { cause: traceOf(cause) }) });
    return this.#end(live, { state: 'failed', problem: message });
  }

  /** Where a store that replicas share was away for a moment, a run goes on when it is back. */
  async #triedAgain(live: LiveJob): Promise<boolean> {
    if (!live.mayTryAgain()) return false;
    await this.#pauseFor(tryAgainMs);
    // Meanwhile it may have been paused or lost, or the service is stopping: then the next who has it goes on.
    if (this.#live.get(live.job.id) === live && live.job.state === 'running') this.#launch(live, true);
    return true;
  }

  /** Never rejects. */
  async #end(live: LiveJob, end: Pick<Job, 'state' | 'problem' | 'result'>): Promise<void> {
    live.change({ ...end, endedAt: new Date().toISOString() });
    const settled = live.settle(() => this.#live.drop(live)).catch(() => undefined);
    this.#release(live);
    await settled;
    this.#live.drop(live);
    this.#replica?.wake();
    this.#prune();
  }

  #prune(): void {
    this.#parts.catalog.pruneJobs(keptJobs).catch(() => undefined);
  }

  #heed({ lost = [], wished = [], claimed = [] }: Partial<Beat>): void {
    for (const id of lost) {
      this.#live.lose(id);
      this.#parts.log('warn', `Job "${id}" is another replica's by now.`, { job: id });
    }
    for (const wish of wished) void this.#obey(wish);
    for (const job of claimed) void this.#goOn(this.#live.adopt(job));
  }

  /** What waited or ran, and is this replica's now. Never rejects. */
  async #goOn(live: LiveJob): Promise<void> {
    const { id, state, collection } = live.job;
    live.holders++;
    await live.inTurn(async () => {
      await this.#live.left(id);
      if (live.isAbandoned) return;
      if (collection !== undefined && !(await this.#hasCollection(collection))) return this.#end(live, { state: 'cancelled', problem: deletedSentence(collection) });
      live.change({ state: 'running' });
      this.#launch(live, state === 'running');
      if (state !== 'running') await live.write().catch(() => undefined);
    });
    this.#live.letGo(live);
  }

  /** Does what another replica wishes of a job that is held here. Never rejects: who wishes sees how the job stands. */
  async #obey({ id, wish }: { id: string; wish: Wish }): Promise<void> {
    const collection = this.#live.get(id)?.job.collection;
    if (this.#obeying.has(id) || !this.#live.get(id)) return;
    this.#obeying.add(id);
    try {
      if (collection === undefined || (await this.#hasCollection(collection))) await this[wish](id);
      else await this.#live.hold(id, (live) => live.inTurn(() => this.#endForWantOf(collection, live)));
    } catch (error) {
      this.#parts.log('warn', `Job "${id}" could not be stopped as another replica wishes. ${toMixspaceError(error).message}`, { job: id });
    } finally {
      this.#obeying.delete(id);
    }
  }

  /** As long as nobody can say, it is there. */
  #hasCollection(name: string): Promise<boolean> {
    return this.#parts.hasCollection(name).catch(() => true);
  }

  /** Milliseconds, or until the service stops. */
  async #pauseFor(ms: number): Promise<void> {
    await delay(ms, undefined, { ref: false, signal: this.#leaving.signal }).catch(() => undefined);
  }
}

const deletedSentence = (collection: string): string => `Collection "${collection}" was deleted.`;

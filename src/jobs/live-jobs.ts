import { setTimeout as delay } from 'node:timers/promises';
import { isUnderWay } from '../domain/job.js';
import { MixspaceError } from '../errors.js';
import type { JobCatalog, StoredJob } from '../store/job-catalog.js';
import { LeaseLost, type Wish } from '../store/job-leases.js';
import type { JobKind } from './kind.js';
import { LiveJob } from './live-job.js';
import type { Replica } from './replica.js';

/** Milliseconds between two looks at a job that another replica has. */
const lookEveryMs = 250;

/** The jobs that are in memory, each once. Where replicas share the store, they are those that this one holds. */
export class LiveJobs {
  readonly #catalog: JobCatalog;
  readonly #kinds: Map<string, JobKind>;
  readonly #replica: Replica | undefined;
  /** By id; what is still looked up, too, so that none is in memory twice. */
  readonly #live = new Map<string, LiveJob | Promise<LiveJob>>();
  /** Of those that are others' by now: until nothing of them runs here any more. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(catalog: JobCatalog, kinds: Map<string, JobKind>, replica: Replica | undefined) {
    this.#catalog = catalog;
    this.#kinds = kinds;
    this.#replica = replica;
  }

  all(): LiveJob[] {
    return [...this.#live.values()].filter((live) => live instanceof LiveJob);
  }

  /** Those that wait or run, the oldest first. */
  underWay(): LiveJob[] {
    return this.all().filter(({ job }) => isUnderWay(job.state));
  }

  get(id: string): LiveJob | undefined {
    const live = this.#live.get(id);
    return live instanceof LiveJob ? live : undefined;
  }

  /** Once it has been looked up. */
  async awaited(id: string): Promise<LiveJob | undefined> {
    // Another replica may have it: then it is not to be in memory.
    return this.#replica ? this.get(id) : this.#live.get(id);
  }

  adopt(job: StoredJob): LiveJob {
    const catalog = this.#replica?.catalogFor(job.id, this.#catalog, () => this.lose(job.id)) ?? this.#catalog;
    const live = new LiveJob(catalog, job, this.#kinds.get(job.kind));
    this.#live.set(job.id, live);
    return live;
  }

  /** @throws MixspaceError `not_found`; `LeaseLost` where another replica has it. */
  async hold<T>(id: string, work: (live: LiveJob) => Promise<T>): Promise<T> {
    const live = await this.held(id);
    try {
      return await work(live);
    } finally {
      this.letGo(live);
    }
  }

  /** Works on a job here; while another replica has it, that one is asked for what `there` says, until there is an outcome. */
  async hereOrThere<T>(id: string, here: (live: LiveJob) => Promise<T>, there: (job: StoredJob) => { outcome: T } | { wish: Wish | undefined }, leaving: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await this.hold(id, here);
      } catch (error) {
        if (!this.#replica || !(error instanceof LeaseLost)) throw error;
      }
      const next = there(await this.stored(id));
      if ('outcome' in next) return next.outcome;
      if (next.wish) await this.#replica.wish(id, next.wish);
      await delay(lookEveryMs, undefined, { ref: false, signal: leaving }).catch(() => undefined);
      if (leaving.aborted) throw stopping();
    }
  }

  /** In memory until it is let go of. @throws as `hold`. */
  async held(id: string): Promise<LiveJob> {
    for (;;) {
      const live = await this.#open(id);
      if (this.#live.get(id) !== live) continue;
      live.holders++;
      return live;
    }
  }

  letGo(live: LiveJob): void {
    live.holders--;
    this.drop(live);
  }

  /** Out of memory, when nobody needs it there. */
  drop(live: LiveJob): void {
    if (live.holders > 0 || live.isRunning || live.isSettling || live.isUnsaved) return;
    const { id, state } = live.job;
    // What waits is anybody's; who runs it, or has it begin, holds it.
    if (!this.#replica && isUnderWay(state)) return;
    if (this.#live.get(id) !== live) return;
    this.#live.delete(id);
    void this.#replica?.release(id);
  }

  /** It is another replica's. */
  lose(id: string): void {
    const live = this.get(id);
    if (!live) return;
    this.#live.delete(id);
    live.abandon();
    const left = live.ended.finally(() => {
      if (this.#leaving.get(id) === left) this.#leaving.delete(id);
    });
    this.#leaving.set(id, left);
  }

  /** Resolves when nothing runs here any more of a job that was lost. */
  async left(id: string): Promise<void> {
    await this.#leaving.get(id);
  }

  async stored(id: string): Promise<StoredJob> {
    const job = await this.#catalog.getJob(id);
    if (!job) throw missing(id);
    return job;
  }

  #open(id: string): LiveJob | Promise<LiveJob> {
    const there = this.#live.get(id);
    if (there) return there;
    const opening = this.#take(id).then(
      (job) => this.adopt(job),
      (error: unknown) => {
        this.#live.delete(id);
        throw error;
      },
    );
    this.#live.set(id, opening);
    return opening;
  }

  async #take(id: string): Promise<StoredJob> {
    if (!this.#replica) return this.stored(id);
    const job = await this.#replica.take(id);
    if (job === 'held') throw new LeaseLost(id);
    if (!job) throw missing(id);
    return job;
  }
}

export const stopping = (): MixspaceError => new MixspaceError('not_ready', 'The service is stopping.');
const missing = (id: string): MixspaceError => new MixspaceError('not_found', `There is no job "${id}".`);

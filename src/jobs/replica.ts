/** This service among the replicas that share the jobs of one store: what it holds of them, and by which lease. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, JobCatalog, StoredJob } from '../store/job-catalog.js';
import { LeaseLost, type JobLeases, type LeasedJob, type NewLeasedJob, type Wish } from '../store/job-leases.js';

export interface SharedJobs {
  leases: JobLeases;
  /** What jobs may lie at here, as their kinds name it. */
  places: string[];
  /** Milliseconds between two signs of life. */
  beatMs?: number;
}

/** What has come of the time since the last beat. */
export interface Beat {
  /** Ids of jobs that are others' by now. */
  lost: string[];
  wished: { id: string; wish: Wish }[];
  claimed: StoredJob[];
}

const defaultBeatMs = 1_000;
const claimedAtOnce = 50;

export class Replica {
  readonly #shared: SharedJobs;
  readonly #beatMs: number;
  /** Of the present lease of each job that is held here. */
  readonly #tokens = new Map<string, number>();
  /** Leases that the last beat found and nobody here knew: what takes one may not have heard of it yet. */
  #unknown = new Set<string>();
  #name = newName();
  #renewedAt = performance.now();
  #waking = new AbortController();

  constructor(shared: SharedJobs) {
    this.#shared = shared;
    this.#beatMs = shared.beatMs ?? defaultBeatMs;
  }

  get held(): string[] {
    return [...this.#tokens.keys()];
  }

  /** Where a job that is held here is written: by the present lease, whoever holds the next. What is no longer run is nobody's with the same write. */
  catalogFor(id: string, catalog: JobCatalog, onLost: () => void): Pick<JobCatalog, 'putJob' | 'listJobFailures'> {
    const token = this.#tokens.get(id);
    return {
      putJob: async (job, changes) => {
        try {
          if (token === undefined || this.#tokens.get(id) !== token) throw new LeaseLost(id);
          const release = job.state !== 'running';
          const kept = await this.#shared.leases.putJob(job, token, { ...changes, release });
          if (release && this.#tokens.get(id) === token) this.#tokens.delete(id);
          return kept;
        } catch (error) {
          if (error instanceof LeaseLost) onLost();
          throw error;
        }
      },
      listJobFailures: (...request) => catalog.listJobFailures(...request),
    };
  }

  async add(job: Job, how: Omit<NewLeasedJob, 'holder'>): Promise<{ job: StoredJob; isNew: boolean }> {
    const added = await this.#shared.leases.addJob(job, { ...how, holder: this.#name });
    return 'other' in added ? { job: added.other, isNew: false } : { job: this.#took(added), isNew: true };
  }

  /** `held`: by another replica; undefined: there is none. */
  async take(id: string): Promise<StoredJob | 'held' | undefined> {
    const leased = await this.#shared.leases.leaseJob(id, this.#name);
    return typeof leased === 'object' ? this.#took(leased) : leased;
  }

  async lock(id: string): Promise<boolean> {
    const token = this.#tokens.get(id);
    if (token === undefined) throw new LeaseLost(id);
    return this.#shared.leases.lockJob(id, token, this.#shared.places);
  }

  wish(id: string, wish: Wish): Promise<void> {
    return this.#shared.leases.wishJob(id, wish);
  }

  /** Never rejects: what could not be given back is at the next beat but one. */
  async release(id: string): Promise<void> {
    const token = this.#tokens.get(id);
    if (token === undefined) return;
    this.#tokens.delete(id);
    await this.#shared.leases.releaseJob(id, token).catch(() => undefined);
  }

  /** It goes, as if it had never been. */
  async remove(id: string): Promise<void> {
    const token = this.#tokens.get(id);
    if (token === undefined) return;
    this.#tokens.delete(id);
    await this.#shared.leases.removeJob(id, token);
  }

  /** A sign of life; then, what is free is taken. */
  async *beat(kinds: string[]): AsyncGenerator<Partial<Beat>, void, undefined> {
    const at = performance.now();
    if (at - this.#renewedAt > this.#shared.leases.leaseMs) {
      // Whoever did not come in time holds nothing, whether others have taken it by now or not.
      yield { lost: this.#letGo() };
    }
    const before = new Map(this.#tokens);
    const renewed = new Map((await this.#shared.leases.renewLeases(this.#name)).map((each) => [each.id, each]));
    this.#renewedAt = at;
    const lost = [...before].filter(([id, token]) => this.#tokens.get(id) === token && renewed.get(id)?.token !== token).map(([id]) => id);
    for (const id of lost) this.#tokens.delete(id);
    yield { lost, wished: [...renewed.values()].flatMap(({ id, token, wish }) => (wish !== undefined && this.#tokens.get(id) === token ? [{ id, wish }] : [])) };
    await this.#releaseUnknown([...renewed.values()]);
    const claimed = await this.#shared.leases.claimJobs(this.#name, { kinds, places: this.#shared.places, limit: claimedAtOnce });
    yield { claimed: claimed.map((leased) => this.#took(leased)) };
  }

  /** Until the next beat is due, or there may be something to take. */
  async rest(signal: AbortSignal): Promise<void> {
    this.#waking = new AbortController();
    await delay(this.#beatMs, undefined, { ref: false, signal: AbortSignal.any([signal, this.#waking.signal]) }).catch(() => undefined);
  }

  wake(): void {
    this.#waking.abort();
  }

  /** All that is held is others' at once. */
  async close(): Promise<void> {
    for (const id of this.held) await this.release(id);
  }

  #letGo(): string[] {
    const { held } = this;
    this.#tokens.clear();
    this.#unknown.clear();
    this.#name = newName();
    return held;
  }

  #took({ job, token }: LeasedJob): StoredJob {
    this.#tokens.set(job.id, token);
    return job;
  }

  async #releaseUnknown(renewed: { id: string; token: number }[]): Promise<void> {
    const unknown = renewed.filter(({ id, token }) => this.#tokens.get(id) !== token);
    const again = unknown.filter(({ id, token }) => this.#unknown.has(`${id} ${token}`));
    this.#unknown = new Set(unknown.map(({ id, token }) => `${id} ${token}`));
    for (const { id, token } of again) await this.#shared.leases.releaseJob(id, token);
  }
}

const newName = (): string => randomBytes(12).toString('hex');

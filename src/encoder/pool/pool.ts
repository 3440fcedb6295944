import { setTimeout as delay } from 'node:timers/promises';
import type { Modality } from '../../domain/modality.js';
import { MixspaceError, toMixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import { versionOf, type ModelPackage } from '../package/model-package.js';
import type { PicturesReply, TextsReply, Usage, WorkerSettings } from '../protocol/messages.js';
import { outcomesOf } from './outcomes.js';
import { JobQueue, type Job } from './queue.js';
import type { Rank } from './rank.js';
import { Residency } from './residency.js';
import { Seat } from './seat.js';
import { WorkerDied, WorkerProcess, type StartWorker } from './worker-process.js';

export interface PoolOptions {
  /** Of the inputs of one rank that wait. */
  queueLimit: number;
  batchSize: Record<Modality, number>;
  /** Milliseconds a batch may take in a worker, loading of models not counted. */
  batchMs: number;
  settings: WorkerSettings;
  startWorker: StartWorker;
  /** Loaded by every worker as it starts, and kept. */
  preloaded: ModelPackage[];
  /** See `ResidencyOptions`. */
  idleMs: number;
  memoryBytes: number;
  costOf(model: ModelPackage): number;
  /** A worker could not load it: its files have gone, or are others now. */
  onLoadFailed(): void;
  log: Log;
  onStage: (stage: string, seconds: number) => void;
}

/** What a worker could not load is left to those that hold it for so many milliseconds. */
const refusedMs = 30_000;

/** The workers and what waits for them: a free worker pulls the next batch; one that dies is replaced. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #queue: JobQueue;
  readonly #seats: Seat[];
  readonly #residency: Residency;
  #preloaded: ModelPackage[];
  /** Of those, other files that are about to be used instead. */
  #renewed: ModelPackage[] = [];
  /** By version: until when no further worker tries to load it, milliseconds of `performance.now()`. */
  readonly #refused = new Map<string, number>();
  /** What a worker died of, perhaps: each is tried once more, alone in a worker. */
  #suspects: Job[] = [];
  #replaced = 0;
  #pastCpuSeconds = 0;
  #closing = false;

  /** Takes the workers over; they may hold models already. */
  constructor(options: PoolOptions, workers: WorkerProcess[]) {
    this.#options = options;
    this.#queue = new JobQueue(options.queueLimit);
    this.#seats = workers.map((worker) => new Seat(worker));
    this.#preloaded = options.preloaded;
    this.#residency = new Residency(this.#seats, {
      ...options,
      isPinned: (model) => [...this.#preloaded, ...this.#renewed].some((each) => versionOf(each) === versionOf(model)),
      isWanted: (model) => this.#queue.waitsFor(model) || this.#suspects.some((job) => versionOf(job.model) === versionOf(model)),
    });
    for (const seat of this.#seats) this.#watch(seat);
  }

  get waiting(): number {
    return this.#queue.waiting + this.#suspects.length;
  }

  /** Workers that died and were replaced. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Of all workers, each as of its last answer; processor time includes those that died. */
  get usage(): Usage {
    const all = this.#seats.filter(({ worker }) => worker.alive).map(({ worker }) => worker.usage);
    return { residentBytes: all.reduce((sum, { residentBytes }) => sum + residentBytes, 0), cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, this.#pastCpuSeconds) };
  }

  /** Workers that hold a model. */
  loadedIn(model: ModelPackage): number {
    return this.#residency.holders(model).length;
  }

  /** Waits until every worker has the models to start with. */
  async ready(): Promise<void> {
    await Promise.all(this.#seats.map(({ worker }) => this.#preload(worker)));
  }

  /** Of a model that is kept loaded, other files: each worker has them before this ends, one after the other, so that the others answer meanwhile. */
  async renew(model: ModelPackage): Promise<void> {
    this.#residency.reinstate(model);
    if (!this.#preloaded.some(({ id }) => id === model.id)) return;
    this.#renewed.push(model);
    try {
      for (const { worker } of this.#seats) {
        if (!worker.holds(model)) this.#residency.makeRoomFor(model);
        await worker.load(model).catch((error: unknown) => {
          // The one in its place begins with the new files.
          if (!(error instanceof WorkerDied)) throw error;
        });
      }
      this.#preloaded = this.#preloaded.map((each) => (each.id === model.id ? model : each));
    } catch (error) {
      this.#residency.retire(model);
      throw error;
    } finally {
      this.#renewed = this.#renewed.filter((each) => each !== model);
      this.#residency.unloadRetired();
    }
  }

  /** Files that nobody will ask for any more are unloaded as soon as nothing runs on them. */
  retire(model: ModelPackage): void {
    this.#residency.retire(model);
  }

  /** Each job's `done` is called once. Throws `overloaded` or `not_ready` before any is taken. */
  submit(jobs: Job[]): void {
    if (this.#closing) throw stopping();
    this.#queue.add(jobs);
    this.#dispatch();
  }

  /** The jobs of a caller who left: what still waits is forgotten, what is under way ends unheard. */
  drop(jobs: Job[]): void {
    for (const job of jobs) job.dropped = true;
    this.#queue.forgetDropped();
    this.#suspects = this.#suspects.filter(({ dropped }) => !dropped);
    this.#residency.unloadRetired();
    this.#dispatch();
  }

  /** What waits is refused, what is under way ends. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#residency.close();
    for (const job of [...this.#queue.clear(), ...this.#suspects.splice(0)]) job.done({ ok: false, error: stopping() });
    while (this.#seats.some(({ batches }) => batches > 0)) await delay(10);
    await Promise.all(this.#seats.map(({ worker }) => worker.end()));
  }

  #start(): WorkerProcess {
    return new WorkerProcess(this.#options.startWorker, this.#options.settings);
  }

  async #preload(worker: WorkerProcess): Promise<void> {
    for (const model of this.#preloaded) await worker.load(this.#renewed.find(({ id }) => id === model.id) ?? model);
  }

  #watch(seat: Seat): void {
    this.#guard(this.#replace(seat));
  }

  /** When its worker ends, however it ends. */
  async #replace(seat: Seat): Promise<void> {
    let how = await seat.worker.ended;
    this.#pastCpuSeconds += seat.worker.usage.cpuSeconds;
    while (!this.#closing) {
      seat.deaths++;
      this.#replaced++;
      this.#options.log('error', 'An encoder worker died and is replaced.', { worker: seat.worker.pid, how, deaths: seat.deaths });
      await delay(Math.min(10_000, 50 * 2 ** seat.deaths), undefined, { ref: false });
      if (this.#closing) return;
      if (seat.deaths > 2) this.#reserveAnother(seat);
      try {
        seat.worker = this.#start();
        break;
      } catch (error) {
        how = String(error);
      }
    }
    if (this.#closing) return;
    this.#watch(seat);
    this.#preload(seat.worker).catch((error: unknown) => this.#options.log('error', 'An encoder worker cannot load the model.', { error: String(error) }));
    this.#dispatch();
  }

  /** Suspects do not wait for a worker that cannot be started. */
  #reserveAnother(seat: Seat): void {
    const other = this.#seats.find((each) => each !== seat && each.worker.alive && !each.reserved);
    if (!seat.reserved || !other) return;
    seat.reserved = false;
    other.reserved = true;
    this.#dispatch();
  }

  /** Of work that nobody waits for: what it throws is a defect, and ends nothing else. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log('error', 'Something went wrong among the encoder workers.', { error: String((error as Error).stack ?? error) }));
  }

  /** Who counts must not be able to fail what is counted. */
  #stage(name: string, seconds: number): void {
    try {
      this.#options.onStage(name, seconds);
    } catch (error) {
      this.#options.log('error', 'A stage could not be counted.', { stage: name, error: String(error) });
    }
  }

  #dispatch(): void {
    this.#trySuspects();
    while (!this.#closing && this.#seats.toSorted((a, b) => a.batches - b.batches).some((seat) => this.#feed(seat)));
  }

  /** Whether there was something for it. */
  #feed(seat: Seat): boolean {
    const jobs = this.#queue.take((rank) => seat.hasRoom(rank), this.#options.batchSize, (model, rank) => this.#mayTake(seat, model, rank));
    const [first] = jobs;
    if (!first) return false;
    this.#guard(this.#run(seat, first, jobs));
    return true;
  }

  /** A worker that holds the model goes first; another one loads it only where those are busy and memory allows. */
  #mayTake(seat: Seat, model: ModelPackage, rank: Rank): boolean {
    if (seat.worker.holds(model)) return true;
    const holders = this.#residency.holders(model);
    if (holders.length === 0) return true;
    const refused = (this.#refused.get(versionOf(model)) ?? 0) > performance.now();
    return !refused && holders.every((each) => !each.hasRoom(rank)) && this.#residency.hasRoomFor(model);
  }

  /** Where a worker died, in the one that takes its place, so that the others go on with all else. Texts first. */
  #trySuspects(): void {
    if (this.#suspects.length === 0) for (const seat of this.#seats) seat.reserved = false;
    for (const seat of this.#seats) {
      if (this.#closing || !seat.reserved || !seat.worker.alive || seat.batches > 0) continue;
      const next = this.#suspects.findIndex(({ modality }) => modality === 'text');
      const [job] = this.#suspects.splice(Math.max(0, next), 1);
      if (job) this.#guard(this.#run(seat, job, [job]));
    }
  }

  async #run(seat: Seat, first: Job, jobs: Job[]): Promise<void> {
    const { worker } = seat;
    const end = seat.begin(first);
    this.#stage('queue', (performance.now() - first.queuedAt) / 1000);
    let loading = true;
    try {
      this.#residency.used(first.model);
      if (!worker.holds(first.model)) this.#residency.makeRoomFor(first.model);
      await worker.load(first.model);
      loading = false;
      const began = performance.now();
      const reply = await this.#ask(worker, first, jobs);
      const outcomes = outcomesOf(reply);
      if (outcomes.length !== jobs.length) throw new Error(`A worker answered ${outcomes.length} of ${jobs.length} inputs.`);
      seat.deaths = 0;
      outcomes.forEach((outcome, i) => jobs[i]!.done(outcome));
      this.#queue.finished(first.rank, jobs.length, (performance.now() - began) / 1000, this.#seats.length);
      for (const [stage, seconds] of Object.entries(reply.seconds)) this.#stage(stage, seconds);
    } catch (error) {
      if (error instanceof WorkerDied) this.#afterDeath(seat, jobs, error, loading);
      else this.#afterFailure(first.model, jobs, error, loading);
    } finally {
      end();
      this.#residency.used(first.model);
      this.#dispatch();
    }
  }

  #ask(worker: WorkerProcess, { model, modality }: Job, jobs: Job[]): Promise<TextsReply | PicturesReply> {
    const { batchMs } = this.#options;
    if (modality === 'text') return worker.ask({ kind: 'texts', model, texts: jobs.map(({ text }) => text) }, batchMs);
    return worker.ask({ kind: 'pictures', model, pictures: jobs.map(({ bytes, thumbnail }) => ({ bytes, thumbnail })) }, batchMs);
  }

  /** What could not be loaded here, a worker that holds it encodes. Files that were written to under a loaded model make it useless. */
  #afterFailure(model: ModelPackage, jobs: Job[], error: unknown, loading: boolean): void {
    const stale = error instanceof MixspaceError && error.code === 'conflict';
    if (loading || stale) this.#options.onLoadFailed();
    if (loading) this.#refused.set(versionOf(model), performance.now() + refusedMs);
    else if (stale) this.#residency.retire(model);
    if (loading && !this.#closing && this.#residency.holders(model).length > 0) return this.#queue.putBack(jobs);
    const told = loading || stale ? cannotLoad(model, error) : toMixspaceError(error);
    for (const job of jobs) job.done({ ok: false, error: told });
  }

  /** Each is tried once more, alone; after that it is the input that ends workers, or the model. Where others hold the model, a worker that died while it loaded it says nothing. */
  #afterDeath(seat: Seat, jobs: Job[], died: WorkerDied, loading: boolean): void {
    if (loading && !this.#closing && this.#residency.holders(jobs[0]!.model).length > 0) return this.#queue.putBack(jobs);
    for (const job of jobs) {
      job.deaths++;
      if (job.dropped) continue;
      if (this.#closing) job.done({ ok: false, error: stopping() });
      else if (job.deaths > 1) job.done({ ok: false, error: loading ? cannotLoad(job.model, died) : this.#givenUp(job, died) });
      else {
        this.#suspects.push(job);
        seat.reserved = true;
      }
    }
  }

  #givenUp({ modality }: Job, { timedOut }: WorkerDied): MixspaceError {
    const what = modality === 'image' ? 'picture' : 'text';
    const why = timedOut ? `takes longer than ${this.#options.batchMs / 1000} s to encode (MIXSPACE_ENCODE_TIMEOUT)` : 'ended two workers that encoded it';
    return new MixspaceError('unprocessable', `This ${what} ${why}; it is given up.`);
  }
}

function cannotLoad({ id }: ModelPackage, error: unknown): MixspaceError {
  if (error instanceof MixspaceError && error.code === 'conflict') {
    return new MixspaceError('not_ready', `${error.message} They are checked again; try again later.`, { param: 'model', retryAfter: 5, cause: error });
  }
  return new MixspaceError('not_ready', `The model ${id} cannot be loaded; the log says why.`, { cause: error });
}

function stopping(): MixspaceError {
  return new MixspaceError('not_ready', 'The service is stopping.');
}

import { setTimeout as delay } from 'node:timers/promises';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError, toMixspaceError, traceOf } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { WorkerMemory } from '../encoder.js';
import { keyOf, modalitiesOf } from '../package/model-package.js';
import { versionOfFolder } from '../package/files-version.js';
import type { PicturesReply, TextsReply, Usage } from '../protocol/messages.js';
import type { BatchLimits } from './batch.js';
import { cannotLoad, stopping } from './failures.js';
import { outcomesOf } from './outcomes.js';
import { JobQueue, type Job, type Waiting } from './queue.js';
import { Residency } from './residency.js';
import { Slot } from './slot.js';
import type { Version } from './version.js';
import { WorkerDied, type WorkerProcess } from './worker-process.js';

export interface PoolOptions {
  /** Of the inputs of one rank that wait. */
  queueLimit: number;
  batch: BatchLimits;
  /** Milliseconds a batch may take in a worker, loading of models not counted. */
  batchMs: number;
  startWorker: () => WorkerProcess;
  /** Loaded by every worker as it starts, and kept. */
  preloaded: Version[];
  /** Milliseconds after which workers that nobody needs are ended, all but one, which keeps the text towers; Infinity: never. */
  restMs: number;
  /** See `ResidencyOptions`. */
  idleMs: number;
  memoryBytes: number;
  log: Log;
  onStage: (stage: string, seconds: number) => void;
}

/** All but texts: one tokenizer and one text tower serve all, as long as they keep up. */
const othersHold = modalities.filter((modality) => modality !== 'text');

/** Milliseconds that a text waits before a further worker loads what it needs, which takes about as long. */
const patienceMs = 1000;

/** What a worker could not load is left to those that hold it for so many milliseconds. */
const refusedMs = 30_000;

/** The workers and what waits for them: a free worker pulls the next batch; one that dies is replaced. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #queue: JobQueue;
  readonly #slots: Slot[];
  readonly #residency: Residency;
  /** By id: what every worker holds, and what ends that. */
  readonly #kept = new Map<string, { version: Version; release: () => void }>();
  /** By version: until when no further worker tries to load it, milliseconds of `performance.now()`. */
  readonly #refused = new Map<string, number>();
  /** What a worker died of, perhaps: each is tried once more, alone in a worker. */
  #suspects: Job[] = [];
  readonly #resting: NodeJS.Timeout | undefined;
  #replaced = 0;
  #pastCpuSeconds = 0;
  #closing = false;

  /** Takes the workers over; they may hold models already. */
  constructor(options: PoolOptions, workers: WorkerProcess[]) {
    this.#options = options;
    this.#queue = new JobQueue(options.queueLimit);
    this.#slots = workers.map((worker, i) => new Slot(worker, i === 0 ? modalities : othersHold));
    this.#residency = new Residency(this.#slots, options);
    for (const version of options.preloaded) this.#keep(version);
    for (const slot of this.#slots) this.#watch(slot);
    if (options.restMs !== Infinity) this.#resting = setInterval(() => this.#guard(this.#rest()), Math.min(15_000, options.restMs / 4)).unref();
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
    const all = this.#slots.filter(({ worker }) => worker.alive).map(({ worker }) => worker.usage);
    return { residentBytes: all.reduce((sum, { residentBytes }) => sum + residentBytes, 0), cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, this.#pastCpuSeconds) };
  }

  get processes(): WorkerMemory[] {
    return this.#slots.flatMap(({ worker: { alive, usage }, home }, worker) => (alive ? [{ worker, role: home.includes('text') ? 'encoder' : 'picture encoder', residentBytes: usage.residentBytes }] : []));
  }

  /** Workers that hold a tower. */
  holders(version: Version, modality: Modality): readonly Slot[] {
    return this.#residency.holders(version, modality);
  }

  /** Whether every worker holds it, whoever asks. */
  keeps(version: Version): boolean {
    return this.#kept.get(version.files.id)?.version.key === version.key;
  }

  /** Waits until the first worker has the models to start with; the others load theirs meanwhile. */
  async ready(): Promise<void> {
    const [first, ...others] = this.#slots;
    for (const slot of others) this.#preloadQuietly(slot);
    if (first) await this.#preload(first);
  }

  /** Of a model that is kept, other files: each worker has them before this ends, one after the other, so that the others answer meanwhile. */
  async replace(before: Version, version: Version): Promise<void> {
    this.#residency.reinstate(version);
    const kept = this.#kept.get(before.files.id);
    if (!kept) return;
    // Whoever begins meanwhile begins with the new files.
    this.#keep(version);
    try {
      for (const slot of this.#slots) {
        if (slot.resting) continue;
        // The one in its place has them from its start.
        await this.#load(slot, version).catch((error: unknown) => {
          if (!(error instanceof WorkerDied)) throw error;
        });
      }
      kept.release();
    } catch (error) {
      this.#kept.get(version.files.id)!.release();
      this.#kept.set(before.files.id, kept);
      this.#residency.retire(version);
      throw error;
    }
  }

  /** A version that nobody will ask for any more is unloaded as soon as nothing runs on it. */
  retire(version: Version): void {
    this.#residency.retire(version);
  }

  /** Each job's `done` is called once. Throws `overloaded` or `not_ready` before any is taken. */
  submit(jobs: Job[]): void {
    if (this.#closing) throw stopping();
    this.#queue.add(jobs);
    if (jobs[0]) this.#residency.waits(jobs[0].version, jobs.length);
    this.#dispatch();
  }

  /** The jobs of a caller who left: what still waits is forgotten, what is under way ends unheard. */
  drop(jobs: Job[]): void {
    for (const job of jobs) {
      if (job.settled || job.dropped) continue;
      job.dropped = true;
      this.#residency.waits(job.version, -1);
    }
    this.#queue.forgetDropped();
    this.#suspects = this.#suspects.filter(({ dropped }) => !dropped);
    this.#dispatch();
  }

  /** What waits is refused, what is under way ends. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#residency.close();
    clearInterval(this.#resting);
    for (const job of [...this.#queue.clear(), ...this.#suspects.splice(0)]) this.#settle(job, { ok: false, error: stopping() });
    while (this.#slots.some(({ batches }) => batches > 0)) await delay(10);
    await Promise.all(this.#slots.map(({ worker }) => worker.end()));
  }

  #keep(version: Version): void {
    this.#kept.set(version.files.id, { version, release: this.#residency.keep(version) });
  }

  async #preload(slot: Slot): Promise<void> {
    for (const { version } of [...this.#kept.values()]) await this.#load(slot, version);
  }

  #preloadQuietly(slot: Slot): void {
    this.#preload(slot).catch((error: unknown) => {
      // The one in its place loads them, too.
      if (!(error instanceof WorkerDied)) this.#options.log('error', 'An encoder worker cannot load the model.', { error: String(error) });
    });
  }

  async #load({ worker, home }: Slot, version: Version): Promise<void> {
    for (const modality of modalitiesOf(version.files).filter((each) => home.includes(each))) {
      if (!worker.holds(version.files, modality)) this.#residency.makeRoomFor(version, modality);
      await worker.load(version.files, modality);
      this.#residency.used(version, modality);
    }
  }

  /** Once each. */
  #settle(job: Job, outcome: Parameters<Job['done']>[0]): void {
    if (job.settled) return;
    job.settled = true;
    if (!job.dropped) this.#residency.waits(job.version, -1);
    job.done(outcome);
  }

  #watch(slot: Slot): void {
    this.#guard(this.#replace(slot));
  }

  /** When its worker ends, however it ends. */
  async #replace(slot: Slot): Promise<void> {
    const { worker } = slot;
    let how = await worker.ended;
    this.#pastCpuSeconds += worker.usage.cpuSeconds;
    if (slot.resting || slot.worker !== worker) return;
    while (!this.#closing) {
      slot.deaths++;
      this.#replaced++;
      this.#options.log('error', 'An encoder worker died and is replaced.', { worker: slot.worker.pid, how, deaths: slot.deaths });
      await delay(Math.min(10_000, 50 * 2 ** slot.deaths), undefined, { ref: false });
      if (this.#closing) return;
      if (slot.deaths > 2) this.#reserveAnother(slot);
      try {
        slot.worker = this.#options.startWorker();
        break;
      } catch (error) {
        how = String(error);
      }
    }
    if (this.#closing) return;
    this.#watch(slot);
    this.#preloadQuietly(slot);
    this.#dispatch();
  }

  /** Suspects do not wait for a worker that cannot be started. */
  #reserveAnother(slot: Slot): void {
    const other = this.#slots.find((each) => each !== slot && each.worker.alive && !each.reserved);
    if (!slot.reserved || !other) return;
    slot.reserved = false;
    other.reserved = true;
    this.#dispatch();
  }

  /** Of work that nobody waits for: what it throws is a defect, and ends nothing else. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.log('error', 'Something went wrong among the encoder workers.', { error: traceOf(error) }));
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
    while (!this.#closing && this.#byLoad().some((slot) => this.#feed(slot)));
  }

  /** Who has least to do first, who rests last; of the others the first one last, which alone has the text towers. */
  #byLoad(): Slot[] {
    return this.#slots.toReversed().sort((a, b) => Number(a.resting) - Number(b.resting) || a.batches - b.batches);
  }

  /** Ends workers that nobody needed for a while; in the first one, pictures' towers are given back. */
  async #rest(): Promise<void> {
    // What could not be loaded again stays.
    const kept = [...this.#kept.values()].map(({ version }) => version.files);
    for (const { directory, version } of kept) if ((await versionOfFolder(directory)) !== version) return;
    if (this.#closing) return;
    const keys = new Set(kept.map(keyOf));
    const [first, ...others] = this.#slots;
    const { restMs, log } = this.#options;
    for (const slot of others) {
      const isIdle = !slot.resting && slot.worker.alive && !slot.reserved && slot.batches === 0 && performance.now() - slot.usedAt >= restMs;
      // Other models stay as long as they may.
      if (!isIdle || slot.worker.towers.some(({ model }) => !keys.has(keyOf(model)))) continue;
      slot.resting = true;
      log('info', 'An encoder worker ends until it is needed again.', { worker: slot.worker.pid });
      void slot.worker.end();
    }
    if (first) for (const modality of othersHold) this.#residency.rest(first, modality, restMs);
  }

  /** Whether it could be started. */
  #wake(slot: Slot): boolean {
    try {
      slot.worker = this.#options.startWorker();
    } catch {
      return false;
    }
    slot.resting = false;
    this.#watch(slot);
    this.#preloadQuietly(slot);
    return true;
  }

  /** Whether there was something for it. */
  #feed(slot: Slot): boolean {
    const jobs = this.#queue.take((rank) => slot.hasRoom(rank), this.#options.batch, (waiting) => this.#mayTake(slot, waiting));
    const [first] = jobs;
    if (!first) return false;
    if (slot.resting && !this.#wake(slot)) {
      this.#queue.putBack(jobs);
      return false;
    }
    this.#guard(this.#run(slot, first, jobs));
    return true;
  }

  /** A worker that holds the model goes first; another one loads it only where those are busy and memory allows. */
  #mayTake(slot: Slot, { version, modality, rank, waitedMs }: Waiting): boolean {
    if (slot.holds(version, modality)) return true;
    const holders = this.#residency.holders(version, modality);
    if (holders.length === 0) return true;
    if (!slot.home.includes(modality) && waitedMs < patienceMs) return false;
    const refused = (this.#refused.get(version.key) ?? 0) > performance.now();
    return !refused && holders.every((each) => !each.hasRoom(rank)) && this.#residency.hasRoomFor(version, modality);
  }

  /** Where a worker died, in the one that takes its place, so that the others go on with all else. Texts first. */
  #trySuspects(): void {
    if (this.#suspects.length === 0) for (const slot of this.#slots) slot.reserved = false;
    for (const slot of this.#slots) {
      if (this.#closing || !slot.reserved || !slot.worker.alive || slot.batches > 0) continue;
      const next = this.#suspects.findIndex(({ modality }) => modality === 'text');
      const [job] = this.#suspects.splice(Math.max(0, next), 1);
      if (job) this.#guard(this.#run(slot, job, [job]));
    }
  }

  async #run(slot: Slot, first: Job, jobs: Job[]): Promise<void> {
    const { worker } = slot;
    const { version, modality } = first;
    const end = slot.begin(first);
    this.#stage('queue', (performance.now() - first.queuedAt) / 1000);
    let loading = true;
    try {
      this.#residency.used(version, modality);
      if (!worker.holds(version.files, modality)) this.#residency.makeRoomFor(version, modality);
      await worker.load(version.files, modality);
      loading = false;
      const began = performance.now();
      const reply = await this.#ask(worker, first, jobs);
      const outcomes = outcomesOf(reply);
      if (outcomes.length !== jobs.length) throw new Error(`A worker answered ${outcomes.length} of ${jobs.length} inputs.`);
      slot.deaths = 0;
      outcomes.forEach((outcome, i) => this.#settle(jobs[i]!, outcome));
      this.#queue.finished(first.rank, jobs.length, (performance.now() - began) / 1000, this.#slots.length);
      for (const [stage, seconds] of Object.entries(reply.seconds)) this.#stage(stage, seconds);
    } catch (error) {
      if (error instanceof WorkerDied) this.#afterDeath(slot, jobs, error, loading);
      else this.#afterFailure(jobs, error, loading);
    } finally {
      end();
      this.#residency.used(version, modality);
      this.#dispatch();
    }
  }

  #ask(worker: WorkerProcess, { version: { files: model }, modality }: Job, jobs: Job[]): Promise<TextsReply | PicturesReply> {
    const { batchMs } = this.#options;
    if (modality === 'text') return worker.ask({ kind: 'texts', model, texts: jobs.map(({ text }) => text) }, batchMs);
    return worker.ask({ kind: 'pictures', model, pictures: jobs.map(({ bytes, thumbnail, tiles }) => ({ bytes, thumbnail, ...(tiles === undefined ? {} : { tiles }) })) }, batchMs);
  }

  /** What could not be loaded here, a worker that holds it encodes. Files that were written to under a loaded model make it useless. */
  #afterFailure(jobs: Job[], error: unknown, loading: boolean): void {
    const { version, modality } = jobs[0]!;
    const stale = error instanceof MixspaceError && error.code === 'conflict';
    if (loading || stale) for (const job of jobs) job.loadFailed = true;
    if (loading) this.#refused.set(version.key, performance.now() + refusedMs);
    else if (stale) this.#residency.retire(version);
    if (loading && !this.#closing && this.#residency.holders(version, modality).length > 0) return this.#queue.putBack(jobs);
    const told = loading || stale ? cannotLoad(version, error) : toMixspaceError(error);
    for (const job of jobs) this.#settle(job, { ok: false, error: told });
  }

  /** Each is tried once more, alone; after that it is the input that ends workers, or the model. Where others hold the model, a worker that died while it loaded it says nothing. */
  #afterDeath(slot: Slot, jobs: Job[], died: WorkerDied, loading: boolean): void {
    const { version, modality } = jobs[0]!;
    if (loading && !this.#closing && this.#residency.holders(version, modality).length > 0) return this.#queue.putBack(jobs);
    for (const job of jobs) {
      job.deaths++;
      if (job.dropped) continue;
      if (this.#closing) this.#settle(job, { ok: false, error: stopping() });
      else if (job.deaths > 1) this.#settle(job, { ok: false, error: loading ? cannotLoad(version, died) : this.#givenUp(job, died) });
      else {
        this.#suspects.push(job);
        slot.reserved = true;
      }
    }
  }

  #givenUp({ modality }: Job, { timedOut }: WorkerDied): MixspaceError {
    const what = modality === 'image' ? 'picture' : 'text';
    const why = timedOut ? `takes longer than ${this.#options.batchMs / 1000} s to encode (MIXSPACE_ENCODE_TIMEOUT)` : 'ended two workers that encoded it';
    return new MixspaceError('unprocessable', `This ${what} ${why}; it is given up.`);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceError, reviveError, toMixspaceError } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { ImageEmbedding, Outcome, TextEmbedding } from '../encoder.js';
import type { PicturesReply, TextsReply, WorkerSettings } from './messages.js';
import type { ModelPackage } from '../package/model-package.js';
import { JobQueue, type Job, type Modality, type Priority } from './queue.js';
import { WorkerDied, WorkerThread, type StartWorker } from './worker-thread.js';

export interface PoolOptions {
  workers: number;
  queueLimit: number;
  batchSize: Record<Modality, number>;
  settings: WorkerSettings;
  startWorker: StartWorker;
  /** Loaded by every worker as it starts. */
  defaultModel: ModelPackage;
  log: Log;
  onStage: (stage: string, seconds: number) => void;
}

/** One place of the pool; its thread is replaced when it dies. */
interface Seat {
  thread: WorkerThread;
  batches: number;
  bulkBatches: number;
  /** Deaths since the last answer. */
  deaths: number;
}

/** One batch infers while the next one decodes; a third place is kept for interactive work. */
const bulkDepth = 2;
const depth = 3;

/** Pictures above this are moved to the worker, not copied, and so cannot be tried again when it dies. */
const copiedBytes = 4 * 2 ** 20;

export class WorkerPool {
  readonly loadedModels = new Set<string>();
  readonly #options: PoolOptions;
  readonly #queue: JobQueue;
  readonly #seats: Seat[];
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#queue = new JobQueue(options.queueLimit);
    this.#seats = Array.from({ length: options.workers }, () => this.#seat());
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Waits until every worker has the default model. */
  async ready(): Promise<void> {
    const { defaultModel } = this.#options;
    await Promise.all(this.#seats.map(({ thread }) => thread.load(defaultModel)));
    this.loadedModels.add(defaultModel.id);
  }

  /** Each job's `done` is called once. Throws `overloaded` or `not_ready` before any is taken. */
  submit(jobs: Job[]): void {
    if (this.#closing) throw stopping();
    this.#queue.add(jobs);
    this.#dispatch();
  }

  /** The jobs of a caller who left: what still waits is forgotten, what is under way ends unheard. */
  drop(jobs: Job[]): void {
    this.#queue.drop(jobs);
  }

  /** What waits is refused, what is under way ends. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const job of this.#queue.clear()) job.done({ ok: false, error: stopping() });
    while (this.#seats.some(({ batches }) => batches > 0)) await delay(10);
    await Promise.all(this.#seats.map(({ thread }) => thread.end()));
  }

  #seat(): Seat {
    const seat: Seat = { thread: this.#thread(), batches: 0, bulkBatches: 0, deaths: 0 };
    this.#watch(seat);
    return seat;
  }

  #thread(): WorkerThread {
    return new WorkerThread(this.#options.startWorker, this.#options.settings);
  }

  #watch(seat: Seat): void {
    void seat.thread.ended.then(async () => {
      if (this.#closing) return;
      seat.deaths++;
      this.#options.log('error', 'An encoder worker died and is replaced.', { deaths: seat.deaths });
      await delay(Math.min(10_000, 50 * 2 ** seat.deaths), undefined, { ref: false });
      if (this.#closing) return;
      seat.thread = this.#thread();
      this.#watch(seat);
      seat.thread.load(this.#options.defaultModel).catch((error: unknown) => this.#options.log('error', 'An encoder worker cannot load the model.', { error: String(error) }));
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (!this.#closing) {
      const [seat] = this.#seats.filter(({ thread }) => thread.alive).sort((a, b) => a.batches - b.batches);
      if (!seat) return;
      const priorities: Priority[] = seat.bulkBatches < bulkDepth ? ['interactive', 'bulk'] : ['interactive'];
      const jobs = seat.batches < depth ? this.#queue.take(priorities, this.#options.batchSize) : [];
      const [first] = jobs;
      if (!first) return;
      void this.#run(seat, first, jobs);
    }
  }

  async #run(seat: Seat, first: Job, jobs: Job[]): Promise<void> {
    const start = performance.now();
    const bulk = first.priority === 'bulk' ? 1 : 0;
    seat.batches++;
    seat.bulkBatches += bulk;
    this.#options.onStage('queue', (start - first.queuedAt) / 1000);
    try {
      const reply = await this.#ask(seat.thread, first, jobs);
      seat.deaths = 0;
      this.loadedModels.add(first.model.id);
      this.#queue.finished(jobs.length, (performance.now() - start) / 1000, this.#seats.length);
      for (const [stage, seconds] of Object.entries(reply.seconds)) this.#options.onStage(stage, seconds);
      outcomesOf(reply).forEach((outcome, i) => jobs[i]?.done(outcome));
    } catch (error) {
      for (const job of jobs) {
        if (error instanceof WorkerDied) this.#afterDeath(job);
        else job.done({ ok: false, error: toMixspaceError(error) });
      }
    } finally {
      seat.batches--;
      seat.bulkBatches -= bulk;
      this.#dispatch();
    }
  }

  async #ask(thread: WorkerThread, { model, modality }: Job, jobs: Job[]): Promise<TextsReply | PicturesReply> {
    if (modality === 'text') return (await thread.ask({ kind: 'texts', model, texts: jobs.map(({ text }) => text) })) as TextsReply;
    const pictures = jobs.map((job) => ({ bytes: movable(job) ? job.bytes : new Uint8Array(job.bytes), thumbnail: job.thumbnail }));
    return (await thread.ask({ kind: 'pictures', model, pictures }, pictures.map(({ bytes }) => bytes.buffer as ArrayBuffer))) as PicturesReply;
  }

  /** Tried once more, alone, unless its bytes went down with the worker. */
  #afterDeath(job: Job): void {
    job.deaths++;
    const gone = job.modality === 'image' && job.bytes.length === 0;
    if (job.deaths > 1 || gone || this.#closing) {
      job.done({ ok: false, error: new MixspaceError('internal', 'The worker that had this input died.') });
    } else {
      this.#queue.putBack(job);
    }
  }
}

function movable({ bytes, keepBytes }: Job): boolean {
  return !keepBytes && bytes.byteLength > copiedBytes && bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
}

function outcomesOf(reply: TextsReply | PicturesReply): Outcome<TextEmbedding | ImageEmbedding>[] {
  if (reply.kind === 'texts') {
    const dimension = reply.embeddings.length / reply.texts.length;
    return reply.texts.map((text, i) => finite({ ...text, embedding: reply.embeddings.slice(i * dimension, (i + 1) * dimension), norm: reply.norms[i]! }));
  }
  const read = reply.pictures.filter(({ ok }) => ok).length;
  const dimension = reply.embeddings.length / Math.max(read, 1);
  let next = 0;
  return reply.pictures.map((outcome) => {
    if (!outcome.ok) return { ok: false, error: reviveError(outcome.error) };
    const row = next++;
    return finite({ ...outcome.picture, embedding: reply.embeddings.slice(row * dimension, (row + 1) * dimension), norm: reply.norms[row]! });
  });
}

function finite<T extends TextEmbedding | ImageEmbedding>(value: T): Outcome<T> {
  if (value.embedding.every(Number.isFinite)) return { ok: true, value };
  return { ok: false, error: new MixspaceError('internal', 'The model gave no finite embedding for this input.') };
}

function stopping(): MixspaceError {
  return new MixspaceError('not_ready', 'The service is stopping.');
}

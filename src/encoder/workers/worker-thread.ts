import { Worker } from 'node:worker_threads';
import { MixspaceError } from '../../errors.js';
import type { Reply, Request, TowersFacts, WorkerSettings } from './messages.js';
import type { ModelPackage } from '../package/model-package.js';

export type StartWorker = (settings: WorkerSettings) => Worker;

export const startWorker: StartWorker = (settings) => new Worker(new URL('./worker.js', import.meta.url), { workerData: settings, name: 'mixspace-encoder' });

/** A worker that died; what it was asked is not answered. */
export class WorkerDied extends Error {}

type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'ticket'> : never) : never;

/** One worker, and the questions it has not answered yet. */
export class WorkerThread {
  /** Settles when the thread has ended, however it ended. */
  readonly ended: Promise<void>;
  readonly #thread: Worker;
  readonly #pending = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>();
  #lastTicket = 0;
  #dead = false;

  constructor(start: StartWorker, settings: WorkerSettings) {
    this.#thread = start(settings);
    let cause: unknown;
    this.#thread.on('error', (error) => (cause = error));
    this.#thread.on('message', (reply: Reply) => {
      const question = this.#pending.get(reply.ticket);
      this.#pending.delete(reply.ticket);
      question?.resolve(reply);
    });
    this.ended = new Promise((resolve) => {
      this.#thread.once('exit', () => {
        this.#dead = true;
        for (const { reject } of this.#pending.values()) reject(new WorkerDied('an encoder worker died', { cause }));
        this.#pending.clear();
        resolve();
      });
    });
  }

  get alive(): boolean {
    return !this.#dead;
  }

  /** Rejects with `WorkerDied` when the thread ends first, with the worker's own error when it fails. */
  async ask(request: RequestBody, transfer: ArrayBuffer[] = []): Promise<Exclude<Reply, { kind: 'failed' }>> {
    if (this.#dead) throw new WorkerDied('an encoder worker died');
    const ticket = ++this.#lastTicket;
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#thread.postMessage({ ...request, ticket }, transfer);
      this.#pending.set(ticket, { resolve, reject });
    });
    if (reply.kind === 'failed') throw new MixspaceError(reply.error.code, reply.error.message, { cause: reply.cause });
    return reply;
  }

  async load(model: ModelPackage): Promise<TowersFacts> {
    const reply = await this.ask({ kind: 'load', model });
    if (reply.kind !== 'loaded') throw new MixspaceError('internal', 'An encoder worker gave an answer of another kind.');
    return { dimension: reply.dimension, oneAtATime: reply.oneAtATime };
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
    await this.ended;
  }
}

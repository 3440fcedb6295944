/** Long reckoning beside the main thread, which goes on answering. */
import { parentPort, Worker } from 'node:worker_threads';
import { MixspaceError } from '../errors.js';

type Methods = Record<string, (argument: never) => unknown>;
type Argument<M> = M extends (argument: infer A) => unknown ? A : never;
type Answer<M> = M extends (argument: never) => infer R ? Awaited<R> : never;

interface Asked {
  call: number;
  method: string;
  argument: unknown;
}
type Told = { call: number } & ({ answer: unknown } | { problem: string });

/** One that answers by `answerCalls`. Calls are answered in their order; `close` ends whatever it does. */
export class ComputeThread<M extends Methods> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: unknown) => void }>();
  #calls = 0;
  #end: MixspaceError | undefined;

  /** `url`: of the compiled module that it runs. */
  constructor(url: URL) {
    this.#worker = new Worker(url);
    this.#worker.on('message', (told: Told) => {
      const waiting = this.#waiting.get(told.call);
      this.#waiting.delete(told.call);
      if ('answer' in told) waiting?.resolve(told.answer);
      else waiting?.reject(new MixspaceError('internal', told.problem));
    });
    this.#worker.on('messageerror', (error) => this.#fail(`it could not be read: ${error.message}`));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#fail('it ended'));
  }

  call<K extends keyof M & string>(method: K, argument: Argument<M[K]>): Promise<Answer<M[K]>> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end);
      const call = ++this.#calls;
      this.#waiting.set(call, { resolve: resolve as (answer: unknown) => void, reject });
      this.#worker.postMessage({ call, method, argument } satisfies Asked);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(reason: string): void {
    this.#end ??= new MixspaceError('internal', `A thread that reckoned has failed: ${reason}.`);
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}

/** Runs `work` with a thread that is gone afterwards, and at once when `signal` is aborted. */
export async function withThread<M extends Methods, T>(url: URL, signal: AbortSignal, work: (thread: ComputeThread<M>) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const thread = new ComputeThread<M>(url);
  const close = (): void => void thread.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await work(thread);
  } finally {
    signal.removeEventListener('abort', close);
    await thread.close();
  }
}

/** In the thread: one call after the other. */
export async function answerCalls(methods: Methods): Promise<void> {
  const port = parentPort!;
  const asked: Asked[] = [];
  let wake: (() => void) | undefined;
  port.on('message', (message: Asked) => {
    asked.push(message);
    wake?.();
  });
  for (;;) {
    const next = asked.shift();
    if (!next) {
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    const { call, method, argument } = next;
    try {
      port.postMessage({ call, answer: await methods[method]!(argument as never) } satisfies Told);
    } catch (error) {
      port.postMessage({ call, problem: (error as Error).message } satisfies Told);
    }
  }
}

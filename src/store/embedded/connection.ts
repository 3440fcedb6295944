import type { Worker } from 'node:worker_threads';
import { MixspaceError, reviveError, toMixspaceError, traceOf } from '../../errors.js';
import type { Log } from '../../telemetry.js';
import type { Call, Ping, Report, StoreArguments, StoreMethod, StoreResult } from './protocol.js';

const pingEveryMs = 1_000;

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

const outOfOrder = 'The store is out of order; the service must be started again.';

/**
 * The main thread's end of the store's thread. Every call comes to an end: by its answer, by an error when a sign of life
 * shows that call or answer were lost on the way, or with all others when there is no sign of life for `silentForMs`.
 */
export class Connection {
  readonly opened: Promise<void>;
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #silentForMs: number;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #calls = 0;
  #pings = 0;
  /** The last ping without an answer, and the last call before it. */
  #ping: { number: number; calls: number } | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #silentTicks = 0;
  #serving = false;
  #gone: string | undefined;
  #closed: Promise<void> | undefined;

  constructor(worker: Worker, log: Log, { silentForMs }: { silentForMs: number }) {
    this.#worker = worker;
    this.#log = log;
    this.#silentForMs = silentForMs;
    this.opened = new Promise((resolve, reject) => {
      worker.on('message', (report: Report) => {
        this.#silentTicks = 0;
        if (report.kind === 'log') log(report.level, report.message, report.fields);
        else if (report.kind === 'answer') this.#settle(report);
        else if (report.kind === 'alive') this.#rejectLost(report);
        else if (report.error) reject(reviveError(report.error));
        else {
          this.#serving = true;
          this.#ticks = setInterval(() => this.#tick(), Math.min(pingEveryMs, silentForMs / 4)).unref();
          resolve();
        }
      });
      worker.once('exit', () => reject(new MixspaceError('not_ready', 'The store could not be started.')));
    });
    worker.on('error', (error) => log('error', "The store's thread failed.", { cause: traceOf(error) }));
    worker.on('messageerror', (error) => {
      log('error', "An answer of the store's thread was lost on the way.", { cause: error.message });
      this.#tick();
    });
    this.#exited = new Promise((resolve) => {
      worker.once('exit', (code) => {
        if (this.#serving && !this.#closed) log('error', "The store's thread has ended; the service must be started again.", { code });
        this.#giveUp(this.#closed ? 'The store is closed.' : outOfOrder);
        resolve();
      });
    });
  }

  call<M extends StoreMethod>(method: M, parameters: StoreArguments[M]): Promise<StoreResult<M>> {
    if (this.#gone !== undefined) return Promise.reject(new MixspaceError('not_ready', this.#gone));
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve: resolve as Pending['resolve'], reject });
      try {
        this.#worker.postMessage({ call, method, parameters } satisfies Call);
      } catch (error) {
        // What cannot be copied to the other thread: nested too deep, or no plain data.
        this.#pending.delete(call);
        reject(toMixspaceError(error));
      }
    });
  }

  /** Waits for the thread at most so many milliseconds, then ends it, and for that as long again. */
  close(withinMs: number): Promise<void> {
    this.#closed ??= (async () => {
      const closing = this.call('close', []).catch(() => undefined);
      this.#gone ??= 'The store is closed.';
      const timers: NodeJS.Timeout[] = [];
      const hanging = new Promise<void>((resolve) => timers.push(setTimeout(resolve, 2 * withinMs)));
      timers.push(setTimeout(() => void this.#worker.terminate(), withinMs));
      await Promise.race([closing.then(() => this.#exited), hanging]);
      timers.forEach(clearTimeout);
      this.#giveUp('The store is closed.');
    })();
    return this.#closed;
  }

  #settle({ call, result, error }: Extract<Report, { kind: 'answer' }>): void {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    if (error) pending?.reject(reviveError(error));
    else pending?.resolve(result);
  }

  /** Ticks are counted, not time: while this thread is held up itself, none pass. */
  #tick(): void {
    if (this.#pending.size === 0) {
      this.#ping = undefined;
      this.#silentTicks = 0;
      return;
    }
    if (this.#ping && ++this.#silentTicks * Math.min(pingEveryMs, this.#silentForMs / 4) >= this.#silentForMs) {
      this.#log('error', `The store's thread has given no sign of life for ${this.#silentForMs / 1000} s; the service must be started again.`);
      this.#giveUp(outOfOrder);
      void this.#worker.terminate();
      return;
    }
    if (this.#ping) return;
    this.#ping = { number: ++this.#pings, calls: this.#calls };
    this.#worker.postMessage({ ping: this.#ping.number } satisfies Ping);
  }

  /** Answers come in the order in which they were given: what was asked before the ping and is neither open nor answered never will be. */
  #rejectLost({ ping, open }: Extract<Report, { kind: 'alive' }>): void {
    if (ping !== this.#ping?.number) return;
    const stillOpen = new Set(open);
    for (const [call, { reject }] of this.#pending) {
      if (call > this.#ping.calls || stillOpen.has(call)) continue;
      this.#pending.delete(call);
      reject(new MixspaceError('internal', 'The answer of the store was lost; the log says why.'));
    }
    this.#ping = undefined;
  }

  #giveUp(reason: string): void {
    clearInterval(this.#ticks);
    this.#gone = reason;
    for (const { reject } of this.#pending.values()) reject(new MixspaceError('not_ready', reason));
    this.#pending.clear();
  }
}

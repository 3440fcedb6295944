import { setTimeout } from 'node:timers/promises';
import type { Log } from '../../telemetry.js';

interface BackgroundParts {
  everyMs: number;
  /** As a sentence begins with it. */
  what: string;
  log: Log;
  /** Does some of it; whether there may be more. What it throws is told, and it is tried again at the next look. */
  work: (signal: AbortSignal) => Promise<boolean>;
}

/** Work that is looked for again and again, one after the other, until it is stopped. */
export class Background {
  readonly #parts: BackgroundParts;
  readonly #leaving = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: BackgroundParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { everyMs, what, log, work } = this.#parts;
    const { signal } = this.#leaving;
    let said = '';
    while (!signal.aborted) {
      let isMore = false;
      try {
        isMore = await work(signal);
        said = '';
      } catch (error) {
        const reason = (error as Error).message;
        if (!signal.aborted && reason !== said) log('warn', `${what} could not go on; it is tried again.`, { reason });
        said = reason;
      }
      if (!isMore) await setTimeout(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#leaving.abort();
    await this.#running;
  }
}

import { toMixspaceError } from '../errors.js';
import type { Log } from '../telemetry.js';
import type { Beat, Replica } from './replica.js';

/** The signs of life of a replica, one after the other, until it is stopped. */
export class Heart {
  readonly #replica: Replica;
  readonly #log: Log;
  readonly #work: { kinds: () => string[]; on: (beat: Partial<Beat>) => void };
  readonly #stopping = new AbortController();
  #beating: Promise<void> = Promise.resolve();

  /** `kinds`: of the jobs that may be taken at this moment; `on`: what has come of each beat. */
  constructor(replica: Replica, work: { kinds: () => string[]; on: (beat: Partial<Beat>) => void }, log: Log) {
    this.#replica = replica;
    this.#work = work;
    this.#log = log;
  }

  /** Resolves after the first. */
  async start(): Promise<void> {
    await this.#beat();
    this.#beating = this.#beats();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#beating;
  }

  async #beats(): Promise<void> {
    const { signal } = this.#stopping;
    for (let said = ''; ; ) {
      await this.#replica.rest(signal);
      if (signal.aborted) return;
      try {
        await this.#beat();
        said = '';
      } catch (error) {
        const { message } = toMixspaceError(error);
        if (message !== said) this.#log('warn', 'This replica could not say that it is alive; if that goes on, its jobs are taken over.', { reason: message });
        said = message;
      }
    }
  }

  async #beat(): Promise<void> {
    for await (const beat of this.#replica.beat(this.#work.kinds())) this.#work.on(beat);
  }
}

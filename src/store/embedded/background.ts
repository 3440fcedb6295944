import type { Log } from '../../telemetry.js';
import type { Ask } from './recall.js';
import type { ModalityIndex } from './modality-index.js';
import { nextTurn, now } from './time-slices.js';

/** How often to look whether there is something to do. */
const idleMs = 250;
const retryAfterMs = 30_000;

/** Carries on what makes searches quick, one piece of work at a time, letting searches and writes pass in between. */
export class Background {
  readonly #indexes: () => Iterable<ModalityIndex>;
  readonly #ask: (index: ModalityIndex) => Ask;
  readonly #log: Log;
  readonly #failedAt = new WeakMap<ModalityIndex, number>();
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** `ask`: how anyone would ask an index. */
  constructor(indexes: () => Iterable<ModalityIndex>, ask: (index: ModalityIndex) => Ask, log: Log) {
    this.#indexes = indexes;
    this.#ask = ask;
    this.#log = log;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** There may be something to do. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves when the piece of work in hand is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let worked = false;
      for (const index of this.#indexes()) {
        if (this.#stopped) return;
        worked = this.#carryOn(index) || worked;
        // Until it is known how much searches must look at, they look at more than that.
        if (index.isUnknown) await this.#audit(index);
        await nextTurn();
      }
      if (!worked && !this.#stopped) {
        for (const index of this.#indexes()) await this.#audit(index);
        await this.#rest();
      }
    }
  }

  #carryOn(index: ModalityIndex): boolean {
    const failedAt = this.#failedAt.get(index);
    if (failedAt !== undefined && now() - failedAt < retryAfterMs) return false;
    try {
      const worked = index.carryOn();
      this.#failedAt.delete(index);
      return worked;
    } catch (error) {
      this.#failedAt.set(index, now());
      this.#tell(index, 'What makes searches quick could not be carried on; it is tried again later, and searches are answered without it.', error);
      return false;
    }
  }

  async #audit(index: ModalityIndex): Promise<void> {
    if (this.#stopped) return;
    try {
      await index.audit(this.#ask(index), () => this.#stopped);
    } catch (error) {
      if (!this.#stopped) this.#tell(index, 'The recall of searches could not be measured.', error);
    }
  }

  #tell({ owner: { name: collection, modality } }: ModalityIndex, message: string, error: unknown): void {
    this.#log('warn', message, { collection, modality, reason: String(error) });
  }

  #rest(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

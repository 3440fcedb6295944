import type { Log } from '../../telemetry.js';
import type { ModalityIndex } from './modality-index.js';
import { nextTurn, now } from './time-slices.js';

/** How often to look whether a graph that has been quiet is due to be saved. */
const idleMs = 250;
const retryAfterMs = 30_000;

/** Carries all graphs on in the background, one piece of work at a time, letting searches and writes pass in between. */
export class SnapshotSchedule {
  readonly #indexes: () => Iterable<ModalityIndex>;
  readonly #log: Log;
  readonly #failedAt = new Map<ModalityIndex, number>();
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(indexes: () => Iterable<ModalityIndex>, log: Log) {
    this.#indexes = indexes;
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

  /** The last of it: every graph is saved that can be before `deadline`, milliseconds as `now` has them. */
  async saveAll(deadline: number): Promise<void> {
    await this.stop();
    for (const index of this.#indexes()) {
      if (now() > deadline) return;
      try {
        await index.save();
      } catch (error) {
        this.#log('warn', 'A graph could not be saved; it is carried on from its last snapshot at the next start.', {
          collection: index.owner.name,
          reason: String(error),
        });
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      let worked = false;
      for (const index of this.#indexes()) {
        if (this.#stopped) return;
        worked = (await this.#carryOn(index)) || worked;
        await nextTurn();
      }
      if (!worked && !this.#stopped) {
        await this.#audit();
        await this.#rest();
      }
    }
  }

  async #carryOn(index: ModalityIndex): Promise<boolean> {
    const failedAt = this.#failedAt.get(index);
    if (failedAt !== undefined && now() - failedAt < retryAfterMs) return false;
    try {
      const worked = await index.carryOn();
      this.#failedAt.delete(index);
      return worked;
    } catch (error) {
      const { name: collection, modality } = index.owner;
      this.#failedAt.set(index, now());
      // A graph that could not be saved is as good as before.
      if ((error as { code?: unknown }).code === undefined) index.discardGraph();
      this.#log('warn', 'A graph could not be carried on; it is tried again later, and searches are answered without it.', {
        collection,
        modality,
        reason: String(error),
      });
      return false;
    }
  }

  async #audit(): Promise<void> {
    for (const index of this.#indexes()) {
      try {
        await index.audit(() => this.#stopped);
      } catch (error) {
        if (!this.#stopped) this.#log('warn', 'The recall of a graph could not be measured.', { collection: index.owner.name, modality: index.owner.modality, error: String(error) });
      }
      if (this.#stopped) return;
    }
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

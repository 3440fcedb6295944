import type { Log } from '../../telemetry.js';
import { versionOf, type ModelPackage } from '../package/model-package.js';
import type { Seat } from './seat.js';

export interface ResidencyOptions {
  /** Never unloaded. */
  isPinned(model: ModelPackage): boolean;
  /** Something waits for it. */
  isWanted(model: ModelPackage): boolean;
  /** Milliseconds after which a model that nobody used is unloaded; Infinity: never. */
  idleMs: number;
  /** What all models in all workers may hold together; models in use are kept beyond it. */
  memoryBytes: number;
  /** What a model holds in one worker. */
  costOf(model: ModelPackage): number;
  log: Log;
}

/** Which models stay in which workers: unloads what is idle, and the least recently used where memory is short. */
export class Residency {
  readonly #seats: Seat[];
  readonly #options: ResidencyOptions;
  readonly #usedAt = new Map<string, number>();
  readonly #retired = new Map<string, ModelPackage>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(seats: Seat[], options: ResidencyOptions) {
    this.#seats = seats;
    this.#options = options;
    if (options.idleMs !== Infinity) this.#timer = setInterval(() => this.#unloadIdle(), Math.min(15_000, options.idleMs / 4)).unref();
  }

  /** Told when a batch of a model begins and when it ends. */
  used(model: ModelPackage): void {
    this.#usedAt.set(versionOf(model), performance.now());
    this.unloadRetired();
  }

  /** Is unloaded as soon as nothing runs on it and nothing waits for it, in whatever worker. */
  retire(model: ModelPackage): void {
    this.#retired.set(versionOf(model), model);
    this.unloadRetired();
  }

  /** Of a model that is used again. */
  reinstate(model: ModelPackage): void {
    this.#retired.delete(versionOf(model));
  }

  /** Told when what waited for a model is dropped. */
  unloadRetired(): void {
    for (const [version, retired] of this.#retired) {
      if (this.#options.isWanted(retired)) continue;
      for (const { seat, model } of this.#idle()) if (versionOf(model) === version) this.#unload(seat, model, 'its files are others now');
      if (this.holders(retired).length === 0) this.#retired.delete(version);
    }
  }

  /** Workers that hold it. */
  holders(model: ModelPackage): Seat[] {
    return this.#seats.filter(({ worker }) => worker.alive && worker.holds(model));
  }

  /** Whether a further copy of a model that is loaded elsewhere stays within the bound. */
  hasRoomFor(model: ModelPackage): boolean {
    return this.#held() + this.#options.costOf(model) <= this.#options.memoryBytes;
  }

  /** Unloads the least recently used until one more model has room, or nothing idle is left. */
  makeRoomFor(model: ModelPackage): void {
    while (!this.hasRoomFor(model)) {
      const [oldest] = this.#idle().sort((a, b) => this.#lastUse(a.model) - this.#lastUse(b.model));
      if (!oldest) return;
      this.#unload(oldest.seat, oldest.model, 'for another one');
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #unloadIdle(): void {
    const now = performance.now();
    for (const { seat, model } of this.#idle()) {
      if (now - this.#lastUse(model) >= this.#options.idleMs) this.#unload(seat, model, 'idle');
    }
  }

  #idle(): { seat: Seat; model: ModelPackage }[] {
    return this.#seats.flatMap((seat) => {
      const models = seat.worker.alive ? seat.worker.models : [];
      return models.filter((model) => !this.#options.isPinned(model) && !seat.uses(model)).map((model) => ({ seat, model }));
    });
  }

  #unload({ worker }: Seat, model: ModelPackage, why: string): void {
    this.#options.log('info', `Model ${model.id} is unloaded from a worker: ${why}.`, { model: model.id, worker: worker.pid });
    // The bookkeeping is done at once; a worker that dies meanwhile gives everything back.
    worker.unload(model).catch(() => undefined);
  }

  #held(): number {
    return this.#seats.reduce((sum, { worker }) => sum + worker.models.reduce((each, model) => each + this.#options.costOf(model), 0), 0);
  }

  #lastUse(model: ModelPackage): number {
    return this.#usedAt.get(versionOf(model)) ?? 0;
  }
}

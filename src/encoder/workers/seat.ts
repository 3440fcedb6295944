import { versionOf, type ModelPackage } from '../package/model-package.js';
import type { Job, Priority } from './queue.js';
import type { WorkerProcess } from './worker-process.js';

/** One batch infers while the next one decodes; a third place is kept for interactive work. */
const places = 3;
const bulkPlaces = 2;

/** One place of the pool; its worker is replaced when it dies. */
export class Seat {
  worker: WorkerProcess;
  /** Deaths since the last answer. */
  deaths = 0;
  /** Takes no further batch until it is empty: an input that may have ended a worker is tried there, alone. */
  reserved = false;
  readonly #underWay = new Map<string, number>();
  #batches = 0;
  #bulkBatches = 0;

  constructor(worker: WorkerProcess) {
    this.worker = worker;
  }

  get batches(): number {
    return this.#batches;
  }

  /** Of a batch of this priority, now. */
  hasRoom(priority: Priority): boolean {
    if (!this.worker.alive || this.reserved) return false;
    return this.#batches < places && (priority === 'interactive' || this.#bulkBatches < bulkPlaces);
  }

  uses(model: ModelPackage): boolean {
    return (this.#underWay.get(versionOf(model)) ?? 0) > 0;
  }

  begin({ model, priority }: Job): void {
    this.#count(versionOf(model), priority, 1);
  }

  end({ model, priority }: Job): void {
    this.#count(versionOf(model), priority, -1);
  }

  #count(version: string, priority: Priority, change: number): void {
    this.#batches += change;
    if (priority === 'bulk') this.#bulkBatches += change;
    this.#underWay.set(version, (this.#underWay.get(version) ?? 0) + change);
  }
}

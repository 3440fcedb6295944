import { versionOf, type ModelPackage } from '../package/model-package.js';
import type { Job } from './queue.js';
import { hasPlace, type Rank } from './rank.js';
import type { WorkerProcess } from './worker-process.js';

/** One place of the pool; its worker is replaced when it dies. */
export class Seat {
  worker: WorkerProcess;
  /** Deaths since the last answer. */
  deaths = 0;
  /** Takes no batch: what may have ended its worker is tried in the next one, each input alone. */
  reserved = false;
  readonly #underWay: { version: string; rank: Rank }[] = [];

  constructor(worker: WorkerProcess) {
    this.worker = worker;
  }

  get batches(): number {
    return this.#underWay.length;
  }

  /** For a batch of this rank, now. */
  hasRoom(rank: Rank): boolean {
    return this.worker.alive && !this.reserved && hasPlace(rank, (each) => this.#underWay.filter((batch) => batch.rank === each).length);
  }

  uses(model: ModelPackage): boolean {
    return this.#underWay.some(({ version }) => version === versionOf(model));
  }

  /** Returns what ends it. */
  begin({ model, rank }: Job): () => void {
    const batch = { version: versionOf(model), rank };
    this.#underWay.push(batch);
    return () => void this.#underWay.splice(this.#underWay.indexOf(batch), 1);
  }
}

import type { Modality } from '../../domain/modality.js';
import { hasPlace, type Rank } from './rank.js';
import type { Version } from './version.js';
import type { WorkerProcess } from './worker-process.js';

/** A batch that a worker has. */
export interface UnderWay {
  version: Version;
  modality: Modality;
  rank: Rank;
}

/** One place of the pool; its worker is replaced when it dies. */
export class Slot {
  worker: WorkerProcess;
  /** Of models that are kept, it holds these towers. */
  readonly home: readonly Modality[];
  /** Its worker was ended because nobody needed it; whatever comes next starts another one. */
  resting = false;
  /** Milliseconds of `performance.now()`. */
  usedAt = performance.now();
  /** Deaths since the last answer. */
  deaths = 0;
  /** Takes no batch: what may have ended its worker is tried in the next one, each input alone. */
  reserved = false;
  readonly #underWay: UnderWay[] = [];

  constructor(worker: WorkerProcess, home: readonly Modality[]) {
    this.worker = worker;
    this.home = home;
  }

  get batches(): number {
    return this.#underWay.length;
  }

  /** For a batch of this rank, now. */
  hasRoom(rank: Rank): boolean {
    return (this.resting || this.worker.alive) && !this.reserved && hasPlace(rank, (each) => this.#underWay.filter((batch) => batch.rank === each).length);
  }

  holds(version: Version, modality: Modality): boolean {
    return this.worker.alive && this.worker.holds(version.files, modality);
  }

  uses(key: string, modality: Modality): boolean {
    return this.#underWay.some((batch) => batch.version.key === key && batch.modality === modality);
  }

  /** Returns what ends it. */
  begin(batch: UnderWay): () => void {
    this.#underWay.push(batch);
    return () => {
      this.#underWay.splice(this.#underWay.indexOf(batch), 1);
      this.usedAt = performance.now();
    };
  }
}

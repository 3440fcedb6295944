/** Collections that are being embedded again in this process, and the writes to them. */
import type { ImpossibleItem } from '../../store/reembedding-catalog.js';

/** While it catches up, one write is let through for so many batches, and a write holds at most as many items as a batch: what is behind becomes half as much in each round. */
const batchesPerWrite = 2;

/** One collection's run, until it is done, stopped or fails. */
export class Run {
  readonly signal: AbortSignal;
  readonly #onBatch: (items: number, impossible: ImpossibleItem[]) => Promise<void>;
  #batchesDone = 0;
  #writes: 'free' | 'slow' | 'held' = 'free';
  readonly #waitingWrites: (() => void)[] = [];

  /** `onBatch`: so many items have their outcome in the store, these among them. */
  constructor(signal: AbortSignal = new AbortController().signal, onBatch: (items: number, impossible: ImpossibleItem[]) => Promise<void> = () => Promise.resolve()) {
    this.signal = signal;
    this.#onBatch = onBatch;
  }

  async advanced(items: number, impossible: ImpossibleItem[]): Promise<void> {
    if (this.#writes === 'slow' && ++this.#batchesDone % batchesPerWrite === 0) this.#waitingWrites.shift()?.();
    await this.#onBatch(items, impossible);
  }

  /** Writes wait for the run, so that it catches up with them. */
  slowWrites(): void {
    this.#writes = 'slow';
  }

  /** No write is let through: the last items are being embedded. */
  holdWrites(): void {
    this.#writes = 'held';
  }

  freeWrites(): void {
    this.#writes = 'free';
    for (const go of this.#waitingWrites.splice(0)) go();
  }

  /** Resolves when a write may go on. */
  async passWrite(): Promise<void> {
    if (this.#writes !== 'free') await new Promise<void>((resolve) => this.#waitingWrites.push(resolve));
  }
}

/** By the collection's name. */
export class Reembeddings {
  readonly #runs = new Map<string, Run>();

  /** Until `work` is over, writes to the collection go by its run. */
  async during<T>(name: string, run: Run, work: () => Promise<T>): Promise<T> {
    this.#runs.set(name, run);
    try {
      return await work();
    } finally {
      run.freeWrites();
      if (this.#runs.get(name) === run) this.#runs.delete(name);
    }
  }

  /** Before items are written to the collection: resolves when they may be. */
  async passWrite(name: string): Promise<void> {
    await this.#runs.get(name)?.passWrite();
  }
}

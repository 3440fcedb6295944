/** What runs in this process: collections that are being embedded again. What is done stands in the store. */
import type { Reembedding as Told } from '../contract/reembed.js';
import { total } from '../domain/modality.js';
import type { CollectionDescription } from '../store/store.js';

/** Batches by which the pace is judged. */
const paceOver = 50;
/** While it catches up, one write is let through for so many batches, and a write holds at most as many items as a batch: what is behind becomes half as much in each round. */
const batchesPerWrite = 2;

/** One collection's run, until it is done, stopped or fails. */
export class Run {
  readonly #stopping = new AbortController();
  readonly #batches: { at: number; items: number }[] = [{ at: performance.now(), items: 0 }];
  ended: Promise<void> = Promise.resolve();
  #batchesDone = 0;
  #writes: 'free' | 'slow' | 'held' = 'free';
  readonly #waitingWrites: (() => void)[] = [];

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get secondsPerItem(): number | undefined {
    const items = this.#batches.slice(1).reduce((sum, batch) => sum + batch.items, 0);
    return items === 0 ? undefined : (this.#batches.at(-1)!.at - this.#batches[0]!.at) / 1000 / items;
  }

  advanced(items: number): void {
    this.#batches.push({ at: performance.now(), items });
    if (this.#batches.length > paceOver) this.#batches.shift();
    if (this.#writes === 'slow' && ++this.#batchesDone % batchesPerWrite === 0) this.#waitingWrites.shift()?.();
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

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ended;
  }
}

/** By the collection's name. */
export class Reembeddings {
  readonly #runs = new Map<string, Run>();
  /** Why a run ended, where the store could not take it down. */
  readonly #problems = new Map<string, string>();
  #closing = false;

  run(name: string): Run | undefined {
    return this.#runs.get(name);
  }

  /** `work` never rejects. Nothing begins when the service is stopping. */
  begin(name: string, work: (run: Run) => Promise<void>): void {
    if (this.#closing) return;
    const run = new Run();
    this.#runs.set(name, run);
    this.#problems.delete(name);
    run.ended = work(run).finally(() => {
      run.freeWrites();
      if (this.#runs.get(name) === run) this.#runs.delete(name);
    });
  }

  failed(name: string, problem: string): void {
    this.#problems.set(name, problem);
  }

  /** Before items are written to the collection: resolves when they may be. */
  async passWrite(name: string): Promise<void> {
    await this.#runs.get(name)?.passWrite();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#runs.values()].map((run) => run.stop()));
  }

  told({ name, counts, reembedding }: CollectionDescription): { reembedding?: Told } {
    if (!reembedding) return {};
    const { model, fingerprint, dimension, done, impossible, fromThumbnails, skipImpossible, startedAt } = reembedding;
    const run = this.#runs.get(name);
    const items = total(counts);
    const pace = run?.secondsPerItem;
    return {
      reembedding: {
        model,
        fingerprint,
        dimensions: dimension,
        state: run ? 'running' : 'stopped',
        problem: run ? null : (reembedding.problem ?? this.#problems.get(name) ?? null),
        total: items,
        done,
        impossible,
        from_thumbnails: fromThumbnails,
        skip_impossible: skipImpossible,
        started_at: startedAt,
        ...(pace === undefined ? {} : { seconds_left: Math.ceil(pace * Math.max(0, items - done - impossible)) }),
      },
    };
  }
}

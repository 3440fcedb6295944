/** What runs in this process: collections that are being embedded again. What is done stands in the store. */
import type { Reembedding as Told } from '../contract/reembed.js';
import type { Collection } from '../store/store.js';

/** Batches by which the pace is judged. */
const paceOver = 50;

/** One collection's run, until it is done, stopped or fails. */
export class Run {
  readonly #stopping = new AbortController();
  readonly #batches: { at: number; items: number }[] = [{ at: performance.now(), items: 0 }];
  ended: Promise<void> = Promise.resolve();
  /** While it is there, writes wait: the last items are being embedded. */
  gate: Promise<void> | undefined;
  #openGate: (() => void) | undefined;

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
  }

  closeGate(): void {
    this.gate ??= new Promise((resolve) => (this.#openGate = resolve));
  }

  openGate(): void {
    this.#openGate?.();
    this.gate = this.#openGate = undefined;
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

  run(name: string): Run | undefined {
    return this.#runs.get(name);
  }

  /** `work` never rejects. */
  begin(name: string, work: (run: Run) => Promise<void>): void {
    const run = new Run();
    this.#runs.set(name, run);
    this.#problems.delete(name);
    run.ended = work(run).finally(() => {
      run.openGate();
      if (this.#runs.get(name) === run) this.#runs.delete(name);
    });
  }

  failed(name: string, problem: string): void {
    this.#problems.set(name, problem);
  }

  /** Before a write: resolves when embeddings may be written. */
  async passGate(name: string): Promise<void> {
    await this.#runs.get(name)?.gate;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.stop()));
  }

  told({ name, counts, reembedding }: Collection): { reembedding?: Told } {
    if (!reembedding) return {};
    const { model, fingerprint, dimension, done, impossible, fromThumbnails, skipImpossible, startedAt } = reembedding;
    const run = this.#runs.get(name);
    const total = counts.image + counts.text;
    const pace = run?.secondsPerItem;
    return {
      reembedding: {
        model,
        fingerprint,
        dimensions: dimension,
        state: run ? 'running' : 'stopped',
        problem: run ? null : (reembedding.problem ?? this.#problems.get(name) ?? null),
        total,
        done,
        impossible,
        from_thumbnails: fromThumbnails,
        skip_impossible: skipImpossible,
        started_at: startedAt,
        ...(pace === undefined ? {} : { seconds_left: Math.ceil(pace * Math.max(0, total - done - impossible)) }),
      },
    };
  }
}

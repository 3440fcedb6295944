/** Pictures on their way to the service: one drop after the other, batch by batch, until all are there or somebody stops them. */
import { batches, MixspaceApiError, MixspaceUnreachableError, type MixspaceClient, type UploadFile } from '../../client/index.js';
import type { ItemOutcome } from '../../contract/items.js';
import { read, type Failure, type Given, type GivenFile, type LeftOut, type Look } from './given-files.js';
import { judge, type Pause } from './pauses.js';

const batchFiles = 16;
const batchBytes = 8e6;
/** How often a service that answers else may break off the same upload. */
const mostBreaks = 3;
/** Before that the time left would be a guess. */
const leastMeasuredMs = 3_000;

/** What was given at once. */
export interface Drop {
  id: number;
  collection: string;
  phase: 'looking' | 'waiting' | 'sending' | 'ended' | 'stopped';
  total: number;
  done: number;
  added: number;
  failures: readonly Failure[];
  leftOut: LeftOut;
  /** Were on their way when it was stopped: they may be there. */
  unsure: number;
  /** Why none of the rest can be added. */
  problem?: unknown;
}

export interface Uploads {
  drops: readonly Drop[];
  isRunning: boolean;
  pause?: Pause | undefined;
  secondsLeft?: number | undefined;
}

interface Surroundings {
  /** It makes each call once: the queue itself waits, and says so. */
  client: MixspaceClient;
  /** Ids that are there now, new or not. */
  onThere: (collection: string, ids: string[]) => void;
  onLocked: () => void;
}

interface Loaded {
  file: GivenFile;
  blob: Blob;
}

export class UploadQueue {
  #around: Surroundings;
  #uploads: Uploads = { drops: [], isRunning: false };
  readonly #listeners = new Set<() => void>();
  /** By drop: what is still to be looked into, and what is still to be sent. */
  readonly #looks = new Map<number, Look>();
  readonly #rest = new Map<number, Set<GivenFile>>();
  #lastId = 0;
  #stopping: AbortController | undefined;
  #endPause: (() => void) | undefined;
  #sentMs = 0;
  #settled = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** With another key it goes on. */
  set around(around: Surroundings) {
    const isOtherKey = around.client !== this.#around.client;
    this.#around = around;
    if (isOtherKey) this.tryNow();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): Uploads => this.#uploads;

  add(collection: string, given: Given | Look): void {
    const id = ++this.#lastId;
    this.#looks.set(id, typeof given === 'function' ? given : () => Promise.resolve(given));
    const drop: Drop = { id, collection, phase: 'waiting', total: typeof given === 'function' ? 0 : given.files.length + given.failures.length, done: 0, added: 0, failures: [], leftOut: { hidden: 0, noPictures: 0 }, unsure: 0 };
    this.#show({ drops: [...this.#uploads.drops, drop] });
    void this.#run();
  }

  /** What is on its way is broken off, and the rest is not sent. */
  readonly stop = (): void => this.#stopping?.abort();

  /** Sends what was left. */
  readonly goOn = (): void => {
    for (const { id, phase } of this.#uploads.drops) if (phase === 'stopped') this.#change(id, { phase: 'waiting', unsure: 0, problem: undefined });
    void this.#run();
  };

  readonly tryNow = (): void => this.#endPause?.();

  /** Forgets what is over. */
  readonly dismiss = (): void => {
    const isOver = ({ phase }: Drop): boolean => phase === 'ended' || phase === 'stopped';
    for (const { id } of this.#uploads.drops.filter(isOver)) {
      this.#looks.delete(id);
      this.#rest.delete(id);
    }
    this.#show({ drops: this.#uploads.drops.filter((drop) => !isOver(drop)) });
  };

  async #run(): Promise<void> {
    if (this.#stopping) return;
    const { signal } = (this.#stopping = new AbortController());
    [this.#sentMs, this.#settled] = [0, 0];
    this.#show({ isRunning: true });
    for (let drop; !signal.aborted && (drop = this.#uploads.drops.find(({ phase }) => phase === 'waiting')); ) await this.#sendAll(drop.id, signal);
    if (signal.aborted) for (const { id, phase } of this.#uploads.drops) if (phase === 'waiting') this.#change(id, { phase: 'stopped' });
    this.#stopping = undefined;
    this.#show({ isRunning: false, pause: undefined, secondsLeft: undefined });
  }

  async #sendAll(id: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#look(id, signal);
      this.#change(id, { phase: 'sending' });
      for await (const batch of batches(this.#loaded(id, signal), ({ blob }) => blob.size, batchFiles, batchBytes)) await this.#send(id, batch, signal);
      this.#change(id, { phase: 'ended' });
      this.#rest.delete(id);
    } catch (error) {
      // Whatever else it is, the drop behind it is sent.
      if (signal.aborted) this.#change(id, { phase: 'stopped' });
      else this.#change(id, { phase: 'stopped', problem: error });
    }
  }

  async #look(id: number, signal: AbortSignal): Promise<void> {
    const look = this.#looks.get(id);
    if (!look) return;
    this.#change(id, { phase: 'looking' });
    const { files, leftOut, failures } = await look(signal, (total) => this.#change(id, { total }));
    signal.throwIfAborted();
    this.#looks.delete(id);
    this.#rest.set(id, new Set(files));
    this.#change(id, { total: files.length + failures.length, done: failures.length, leftOut, failures });
  }

  async *#loaded(id: number, signal: AbortSignal): AsyncGenerator<Loaded, void, undefined> {
    for (const file of [...this.#rest.get(id)!]) {
      const blob = await read(file);
      signal.throwIfAborted();
      if (blob instanceof Blob) yield { file, blob };
      else this.#settle(id, [file], { failures: [{ source: file.source, reason: blob }] });
    }
  }

  /** One that makes the whole request fail is found by sending each alone. */
  async #send(id: number, batch: Loaded[], signal: AbortSignal): Promise<void> {
    const refused = await this.#tried(id, batch, signal);
    if (refused === undefined) return;
    if (batch.length > 1) for (const each of batch) await this.#send(id, [each], signal);
    else this.#settle(id, [batch[0]!.file], { failures: [{ source: batch[0]!.file.source, reason: refused }] });
  }

  /** Why the request is refused; undefined once it was answered. Waits for as long as the service cannot. */
  async #tried(id: number, batch: Loaded[], signal: AbortSignal): Promise<Failure['reason'] | undefined> {
    const { collection } = this.#drop(id);
    const uploads: UploadFile[] = batch.map(({ file: { source }, blob }) => ({ blob, name: source.split('/').pop()!, source }));
    for (let attempt = 0, breaks = 0; ; attempt++) {
      const begun = performance.now();
      const { client } = this.#around;
      try {
        const outcomes = await client.uploadItems(collection, uploads, { signal });
        this.#sentMs += performance.now() - begun;
        this.#show({ pause: undefined });
        this.#take(id, batch, outcomes);
        return undefined;
      } catch (error) {
        if (signal.aborted) this.#change(id, { unsure: batch.length });
        signal.throwIfAborted();
        if (error instanceof MixspaceUnreachableError && (await this.#answers(collection, signal)) && ++breaks >= mostBreaks) return 'broken-off';
        const verdict = judge(error, attempt);
        if ('ends' in verdict) throw verdict.ends;
        if ('refused' in verdict) return verdict.refused;
        // Another key has come meanwhile.
        if (verdict.pause.why === 'key' && client !== this.#around.client) continue;
        await this.#wait(verdict.pause, signal);
      }
    }
  }

  #take(id: number, batch: Loaded[], outcomes: ItemOutcome[]): void {
    const failures = outcomes.flatMap(({ error }, index) => (error ? [{ source: batch[index]!.file.source, reason: error }] : []));
    const there = outcomes.flatMap((outcome) => (outcome.status !== 'failed' && outcome.id !== null ? [outcome.id] : []));
    this.#around.onThere(this.#drop(id).collection, there);
    this.#settle(id, batch.map(({ file }) => file), { failures, added: outcomes.filter(({ status }) => status === 'created').length });
  }

  /** Whatever it says. */
  #answers(collection: string, signal: AbortSignal): Promise<boolean> {
    return this.#around.client.collection(collection, { signal }).then(() => true, (error: unknown) => error instanceof MixspaceApiError);
  }

  /** Until its time, until `tryNow`, or for another key. */
  async #wait(pause: Pause, signal: AbortSignal): Promise<void> {
    this.#show({ pause });
    if (pause.why === 'key') this.#around.onLocked();
    await new Promise<void>((resolve) => {
      const timer = pause.until === undefined ? undefined : setTimeout(resolve, pause.until - Date.now());
      this.#endPause = () => (clearTimeout(timer), resolve());
      signal.addEventListener('abort', this.#endPause, { once: true });
    });
    this.#endPause = undefined;
    signal.throwIfAborted();
  }

  #settle(id: number, files: GivenFile[], { failures, added = 0 }: { failures: Failure[]; added?: number }): void {
    const rest = this.#rest.get(id)!;
    for (const file of files) rest.delete(file);
    const drop = this.#drop(id);
    this.#settled += files.length;
    this.#change(id, { done: drop.done + files.length, added: drop.added + added, ...(failures.length > 0 && { failures: [...drop.failures, ...failures] }) });
    this.#show({ secondsLeft: this.#secondsLeft() });
  }

  #secondsLeft(): number | undefined {
    if (this.#sentMs < leastMeasuredMs) return undefined;
    const left = this.#uploads.drops.reduce((sum, { phase, total, done }) => sum + (phase === 'sending' || phase === 'waiting' ? total - done : 0), 0);
    return (left * this.#sentMs) / this.#settled / 1000;
  }

  #drop(id: number): Drop {
    return this.#uploads.drops.find((drop) => drop.id === id)!;
  }

  #change(id: number, change: Partial<Drop>): void {
    this.#show({ drops: this.#uploads.drops.map((drop) => (drop.id === id ? { ...drop, ...change } : drop)) });
  }

  #show(change: Partial<Uploads>): void {
    this.#uploads = { ...this.#uploads, ...change };
    for (const listener of this.#listeners) listener();
  }
}

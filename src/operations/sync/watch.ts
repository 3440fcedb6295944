/** Folders are followed: what the watcher tells of is looked at, and now and then all of it, since watchers miss things and network mounts tell nothing. */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AsyncSubscription, Event } from '@parcel/watcher';
import { toMixspaceError } from '../../errors.js';
import type { Context } from '../context.js';
import type { WalkRules } from '../../picture-files.js';
import { look, type Look } from './look.js';

export interface WatchOptions {
  collection: string;
  /** Absolute: folders, or files. */
  roots: string[];
  /** What of them is taken in. */
  rules: WalkRules;
  /** Milliseconds between two looks at all of a root; 0: none. */
  lookEveryMs: number;
}

const tickMs = 250;
/** What is told of together is looked at together. */
const burstMs = 500;
/** Paths of one look; the others are next. */
const lookedAtOnce = 2_000;
/** Beyond this all of the root is looked at. */
const mostPending = 100_000;

export class FolderWatch {
  readonly #context: Context;
  readonly #collection: string;
  readonly #rules: WalkRules;
  readonly #roots: WatchedRoot[];

  constructor(context: Context, { collection, roots, rules, lookEveryMs }: WatchOptions) {
    this.#context = context;
    this.#rules = rules;
    this.#collection = collection;
    this.#roots = roots.map((root) => new WatchedRoot(root, lookEveryMs, context.sync.except, (problem) => context.log('warn', `${root} cannot be watched; it is looked at now and then.`, { reason: problem })));
  }

  /** From now on what changes is noted. Never rejects. */
  async open(): Promise<void> {
    await Promise.all(this.#roots.map((root) => root.subscribe()));
  }

  /** Until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const root of this.#roots) if (!signal.aborted) await this.#lookAt(root, signal);
      await delay(tickMs, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#roots.map((root) => root.unsubscribe()));
  }

  async #lookAt(root: WatchedRoot, signal: AbortSignal): Promise<void> {
    const { quietMs } = this.#context.sync;
    const isWhole = root.isWholeDue();
    const due = isWhole ? undefined : root.due(quietMs);
    if (!isWhole && !due) return;
    if (isWhole) await root.subscribe();
    try {
      const found = await this.#context.syncTurns.take(this.#collection, signal, () =>
        look(
          this.#context,
          {
            collection: this.#collection,
            root: root.path,
            rules: this.#rules,
            prune: false,
            isDry: false,
            ...(due && { only: [...due.keys()] }),
            isSecond: (at) => (due?.get(at)?.looks ?? 0) > 0,
            mayGo: (at) => Date.now() - root.lastTold(at) >= quietMs,
            signal,
          },
          { begin: () => undefined, taken: () => undefined, failed: async ({ file, reason }) => this.#context.log('warn', `Not taken in: ${file}`, { reason }) },
        ),
      );
      if (isWhole) root.wasLookedAt();
      root.settle(due, found.again);
      this.#tell(root.path, found);
    } catch (error) {
      if (signal.aborted) return;
      root.postpone(due);
      this.#context.log('warn', `${root.path} could not be looked at; it is tried again.`, { reason: toMixspaceError(error).message });
    }
  }

  #tell(root: string, { added, found_again, changed, moved, removed, withheld, recorded }: Look): void {
    if (added + found_again + changed + moved + removed > 0) this.#context.log('info', 'What has changed in a folder was followed.', { root, added, found_again, changed, moved, removed });
    if (withheld.length > 0) this.#context.log('warn', withheldSentence(root, withheld.length, recorded), { first: withheld.slice(0, 10) });
  }
}

export const withheldSentence = (root: string, count: number, of: number): string => `${count} of ${of} files under ${root} are no longer there: nothing was removed, as the disk may only be out of reach. If they were deleted: mixspace sync --prune ${root}`;

interface Told {
  /** When the watcher told of it last. */
  at: number;
  looks: number;
}

class WatchedRoot {
  readonly path: string;
  readonly #lookEveryMs: number;
  readonly #except: string[];
  readonly #onProblem: (problem: string) => void;
  #subscription: AsyncSubscription | undefined;
  /** What is watched: another folder under the same name is not. */
  #identity: string | undefined;
  #pending = new Map<string, Told>();
  #wholeAt: number;
  #notBefore = 0;

  constructor(root: string, lookEveryMs: number, except: string[], onProblem: (problem: string) => void) {
    this.path = root;
    this.#lookEveryMs = lookEveryMs;
    this.#except = except;
    this.#onProblem = onProblem;
    this.#wholeAt = lookEveryMs === 0 ? Infinity : Date.now() + lookEveryMs;
  }

  /** Where another folder is watched than the one that is there now, or none. */
  async subscribe(): Promise<void> {
    try {
      const found = await stat(this.path);
      const identity = `${found.dev} ${found.ino}`;
      if (this.#subscription && this.#identity === identity) return;
      await this.unsubscribe();
      const folder = found.isDirectory() ? this.path : path.dirname(this.path);
      const real = await realpath(folder);
      const named = (at: string): string => (at === real ? folder : path.join(folder, path.relative(real, at)));
      // Only now: it is native code that nobody else needs.
      const { subscribe } = (await import('@parcel/watcher')).default;
      this.#subscription = await subscribe(
        real,
        (error, events) => {
          if (error) this.#failed(error.message);
          else this.#note(events.map((event: Event) => named(event.path)));
        },
        { ignore: this.#except },
      );
      this.#identity = identity;
    } catch (error) {
      this.#failed((error as Error).message);
    }
  }

  async unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    await subscription?.unsubscribe().catch(() => undefined);
  }

  isWholeDue(): boolean {
    return Date.now() >= Math.max(this.#wholeAt, this.#notBefore);
  }

  /** What is to be looked at, once the first of it was told of long enough ago. */
  due(quietMs: number): Map<string, Told> | undefined {
    const now = Date.now();
    const [first] = this.#pending.values();
    if (!first || now - first.at < quietMs + burstMs || now < this.#notBefore) return undefined;
    return new Map([...this.#pending].slice(0, lookedAtOnce).map(([at, told]) => [at, { ...told }]));
  }

  /** Milliseconds since 1970; 0: never. */
  lastTold(at: string): number {
    let last = this.#pending.get(at)?.at ?? 0;
    for (let folder = path.dirname(at); folder.length >= this.path.length; folder = path.dirname(folder)) last = Math.max(last, this.#pending.get(folder)?.at ?? 0);
    return last;
  }

  /** All of it has been looked at. */
  wasLookedAt(): void {
    this.#wholeAt = this.#lookEveryMs === 0 ? Infinity : Date.now() + this.#lookEveryMs;
  }

  /** They have been looked at; `again`: to be looked at once more. */
  settle(due: Map<string, Told> | undefined, again: string[]): void {
    for (const [at, { at: told }] of due ?? []) if (this.#pending.get(at)?.at === told) this.#pending.delete(at);
    const now = Date.now();
    for (const at of again) {
      const before = due?.get(at);
      if (!this.#pending.has(at)) this.#pending.set(at, { at: now, looks: (before?.looks ?? 0) + 1 });
    }
  }

  /** They could not be looked at. */
  postpone(due: Map<string, Told> | undefined): void {
    this.#notBefore = Date.now() + (due ? 5_000 : Math.min(60_000, this.#lookEveryMs));
  }

  #note(paths: string[]): void {
    const now = Date.now();
    for (const at of paths) {
      if (at.length < this.path.length || !at.startsWith(this.path)) continue;
      const before = this.#pending.get(at);
      this.#pending.delete(at);
      this.#pending.set(at, { at: now, looks: before?.looks ?? 0 });
    }
    if (this.#pending.size <= mostPending) return;
    this.#pending.clear();
    this.#wholeAt = now;
  }

  #failed(problem: string): void {
    this.#onProblem(problem);
    void this.unsubscribe();
    if (this.#lookEveryMs > 0) this.#wholeAt = Math.min(this.#wholeAt, Date.now() + Math.min(this.#lookEveryMs, 60_000));
  }
}

import type { MixspaceClient } from '../../client/index.js';
import { portionsOf, type Portions, type Result, type Understood } from './portions.js';
import { keyOf, type View } from './wanted.js';

/** What has come so far of what a view looks for. It lives on when the view is left, for Back to find it. */
export class LoadedResults {
  readonly view: View;
  /** Another array each time that more comes. */
  found: Result[] = [];
  state: 'loading' | 'ready' | 'failed' = 'loading';
  error: unknown;
  isComplete = false;
  tookMs: number | undefined;
  understood: Understood | undefined;
  /** Pixels by which the page is scrolled. */
  scrolledTo = 0;
  /** How many came since, as of that change of the collection. */
  newOnes: { count: number; at: object } | undefined;
  /** When what was added last came, at the time at which this was first asked for; undefined: there was nothing. */
  newest: Promise<string | undefined> | undefined;
  readonly #client: MixspaceClient;
  readonly #portions: Portions;
  readonly #listeners = new Set<() => void>();
  #running: AbortController | undefined;

  constructor(client: MixspaceClient, view: View) {
    this.view = view;
    this.#portions = portionsOf(client, view);
    this.#client = client;
  }

  get isEmpty(): boolean {
    return this.found.length === 0;
  }

  /** The function ends it; what nobody listens to stops loading. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#running?.abort();
      this.#running = undefined;
      if (!this.isEmpty && this.state === 'loading') this.state = 'ready';
    };
  }

  /** The next portion, unless one is on its way; after a failure the one that failed. */
  more(): void {
    if (this.#running || this.isComplete) return;
    const running = (this.#running = new AbortController());
    this.state = 'loading';
    this.error = undefined;
    this.#tell();
    this.newest ??= this.#client.itemPage(this.view.collection, { sort: '-$item.created_at', limit: 1 }).then(({ items }) => items[0]?.created_at);
    // Whoever needs it is told.
    this.newest.catch(() => {});
    void this.#load(running);
  }

  async #load(running: AbortController): Promise<void> {
    try {
      // A portion may hold nothing new.
      for (let before = this.found.length; this.found.length === before && !this.isComplete; ) {
        const { found, isLast, tookMs, understood } = await this.#portions(running.signal);
        // What has come is kept, whether or not anybody still waits for it: the next portion lies behind it.
        this.found = [...this.found, ...found];
        this.isComplete = isLast;
        this.tookMs ??= tookMs;
        this.understood ??= understood;
      }
      this.state = 'ready';
    } catch (error) {
      if (running.signal.aborted) return;
      this.state = 'failed';
      this.error = error;
    }
    if (this.#running === running) this.#running = undefined;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Of the views that were shown last, the results that there are. */
class KeptResults {
  readonly #most = 16;
  readonly #kept = new Map<string, LoadedResults>();
  #client: MixspaceClient | undefined;

  of(client: MixspaceClient, view: View): LoadedResults {
    if (client !== this.#client) this.forget();
    this.#client = client;
    const key = keyOf(view);
    const results = this.#kept.get(key) ?? new LoadedResults(client, view);
    this.#kept.delete(key);
    this.#kept.set(key, results);
    for (const oldest of [...this.#kept.keys()].slice(0, -this.#most)) this.#kept.delete(oldest);
    return results;
  }

  /** Of the view, or of all: what is there has changed. */
  forget(view?: View): void {
    if (view) this.#kept.delete(keyOf(view));
    else this.#kept.clear();
  }
}

export const keptResults = new KeptResults();

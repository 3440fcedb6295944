/** Deletions that can still be taken back: the call is held back for a while. */
import { MixspaceApiError, type MixspaceClient } from '../../client/index.js';
import type { Modality } from '../../contract/shared.js';

/** Milliseconds. */
export const heldBackMs = 10_000;
const atOnce = 4;

export interface Deletion {
  collection: string;
  id: string;
  title: string;
  modality: Modality;
}

export interface DeletionsState {
  /** By collection: what is not to be shown. */
  hidden: ReadonlyMap<string, ReadonlySet<string>>;
  /** Is not to be counted either, though the service did when it was asked last. */
  uncounted: readonly Deletion[];
  /** Of the uncounted: the service has deleted it. */
  gone: ReadonlySet<Deletion>;
  /** Can be taken back. */
  held: readonly Deletion[];
  failed?: { deletions: readonly Deletion[]; error: unknown } | undefined;
}

interface Surroundings {
  /** Its calls outlive the page. */
  client: MixspaceClient;
  onLocked: () => void;
}

export class Deletions {
  around: Surroundings;
  #state: DeletionsState = { hidden: new Map(), uncounted: [], gone: new Set(), held: [] };
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** No call has been made for them yet. */
  #unsent: Deletion[] = [];
  #sending = 0;

  constructor(around: Surroundings) {
    this.around = around;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): DeletionsState => this.#state;

  /** Hidden at once; all that are held back are sent together, so long after the last one. */
  readonly remove = (deletions: readonly Deletion[]): void => {
    const fresh = deletions.filter(({ collection, id }) => !this.#state.hidden.get(collection)?.has(id));
    if (fresh.length === 0) return;
    this.#hide(fresh);
    this.#show({ held: [...this.#state.held, ...fresh], uncounted: [...this.#state.uncounted, ...fresh], failed: undefined });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.sendHeld, heldBackMs);
  };

  /** Takes back all that can be. */
  readonly undo = (): void => {
    clearTimeout(this.#timer);
    this.#reveal(this.#state.held);
    this.#show({ held: [] });
  };

  /** Items that somebody added again: they are shown, and not deleted. */
  readonly keep = (collection: string, ids: readonly string[]): void => {
    const kept = new Set(ids);
    const isKept = (each: { collection: string; id: string }): boolean => each.collection === collection && kept.has(each.id);
    if (!ids.some((id) => this.#state.hidden.get(collection)?.has(id))) return;
    this.#unsent = this.#unsent.filter((each) => !isKept(each));
    this.#reveal(ids.map((id) => ({ collection, id })));
    this.#show({ held: this.#state.held.filter((each) => !isKept(each)) });
  };

  /** The service was asked how many there are after these had gone. */
  readonly counted = (which: readonly Deletion[]): void => {
    if (which.length === 0) return;
    const gone = new Set(which);
    this.#show({ uncounted: this.#state.uncounted.filter((each) => !gone.has(each)), gone: new Set([...this.#state.gone].filter((each) => !gone.has(each))) });
  };

  readonly sendHeld = (): void => {
    clearTimeout(this.#timer);
    this.#unsent.push(...this.#state.held);
    this.#show({ held: [] });
    while (this.#sending < atOnce && this.#unsent.length > 0) void this.#sendNext();
  };

  /** The page is left: nothing is held back, and nothing waits for its turn. */
  readonly sendAll = (): void => {
    this.sendHeld();
    while (this.#unsent.length > 0) void this.#sendNext();
  };

  async #sendNext(): Promise<void> {
    this.#sending++;
    for (let deletion; (deletion = this.#unsent.shift()); ) {
      try {
        await this.around.client.deleteItem(deletion.collection, deletion.id);
        this.#isGone(deletion);
      } catch (error) {
        const status = error instanceof MixspaceApiError ? error.status : undefined;
        // It is gone already.
        if (status === 404) {
          this.#isGone(deletion);
          continue;
        }
        if (status === 401) this.around.onLocked();
        this.#reveal([deletion]);
        this.#show({ failed: { deletions: [...(this.#state.failed?.deletions ?? []), deletion], error } });
      }
    }
    this.#sending--;
  }

  #isGone(deletion: Deletion): void {
    if (this.#state.uncounted.includes(deletion)) this.#show({ gone: new Set([...this.#state.gone, deletion]) });
  }

  #hide(deletions: readonly Deletion[]): void {
    const hidden = new Map(this.#state.hidden);
    for (const [collection, ids] of byCollection(deletions)) hidden.set(collection, new Set([...(hidden.get(collection) ?? []), ...ids]));
    this.#show({ hidden });
  }

  #reveal(deletions: readonly Pick<Deletion, 'collection' | 'id'>[]): void {
    const hidden = new Map(this.#state.hidden);
    for (const [collection, ids] of byCollection(deletions)) {
      const left = new Set(hidden.get(collection));
      for (const id of ids) left.delete(id);
      hidden.set(collection, left);
    }
    const isRevealed = (one: Deletion): boolean => deletions.some(({ collection, id }) => one.collection === collection && one.id === id);
    this.#show({ hidden, uncounted: this.#state.uncounted.filter((each) => !isRevealed(each)) });
  }

  #show(change: Partial<DeletionsState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function byCollection(deletions: readonly Pick<Deletion, 'collection' | 'id'>[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { collection, id } of deletions) {
    const known = ids.get(collection);
    if (known) known.push(id);
    else ids.set(collection, [id]);
  }
  return ids;
}

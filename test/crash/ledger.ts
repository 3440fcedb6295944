export interface Presence {
  /** Of the content. */
  version: number;
  /** Changed without the content. */
  note: number;
}
/** `undefined`: it is not there. */
export type ItemState = Presence | undefined;

/** What the service owes: for every id ever sent, the states it may be in. One where all was answered, more where an answer never came. */
export class Ledger {
  readonly #possible = new Map<string, readonly ItemState[]>();
  readonly #lastVersion = new Map<string, number>();
  /** In the order of their latest answers. */
  readonly #answered = new Set<string>();
  readonly #copies = new Set<Ledger>();

  /** A request that would bring the item to `next` is about to leave. */
  sent(id: string, next: ItemState): void {
    if (next) this.#lastVersion.set(id, next.version);
    this.#possible.set(id, [...this.possible(id), next]);
    for (const copy of this.#copies) copy.sent(id, next);
  }

  acknowledged(id: string, state: ItemState): void {
    this.#possible.set(id, [state]);
    this.#answered.delete(id);
    this.#answered.add(id);
  }

  /** Looked at after a restart: from here on it is owed as it was seen. */
  seen(id: string, state: ItemState): void {
    this.#possible.set(id, [state]);
  }

  /** What a copy of the service's items owes that is being made from now on: all that is sent until `end` may be in it or not. */
  beginCopy(): { copy: Ledger; end: () => void } {
    const copy = new Ledger();
    for (const [id, states] of this.#possible) copy.#possible.set(id, states);
    for (const [id, version] of this.#lastVersion) copy.#lastVersion.set(id, version);
    this.#copies.add(copy);
    return { copy, end: () => void this.#copies.delete(copy) };
  }

  possible(id: string): readonly ItemState[] {
    return this.#possible.get(id) ?? [undefined];
  }

  isCertain(id: string): boolean {
    return this.possible(id).length === 1;
  }

  /** The item as it must be now; `undefined` where it is gone or an answer is outstanding. */
  present(id: string): ItemState {
    const states = this.possible(id);
    return states.length === 1 ? states[0] : undefined;
  }

  /** The latest content ever sent for it. */
  lastVersion(id: string): number {
    return this.#lastVersion.get(id)!;
  }

  /** The ids that were answered for last. */
  latest(count: number): string[] {
    return [...this.#answered].slice(-count);
  }

  ids(): string[] {
    return [...this.#possible.keys()];
  }
}

export const sameState = (a: ItemState, b: ItemState): boolean => a?.version === b?.version && a?.note === b?.note;

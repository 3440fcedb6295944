/** Whoever holds columns. */
interface Holder {
  readonly bytes: number;
  /** Gives up some of what it holds; false when there is none. */
  dropLargest(): boolean;
}

/** Bounds the memory of all columns together: who grows beyond it gives up fields, which are looked up from then on. */
export class ColumnMemory {
  readonly #limit: number;
  readonly #bytes = new Map<Holder, number>();

  /** Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** To be called whenever it has grown. */
  bound(holder: Holder): void {
    this.#bytes.set(holder, holder.bytes);
    while (this.#used > this.#limit && holder.dropLargest()) this.#bytes.set(holder, holder.bytes);
  }

  forget(holder: Holder): void {
    this.#bytes.delete(holder);
  }

  get #used(): number {
    let used = 0;
    for (const bytes of this.#bytes.values()) used += bytes;
    return used;
  }
}

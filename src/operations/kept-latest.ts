/** What is costly to make, by a key of all that it is made from: what was asked for last is kept, and what fails is not. */
export class KeptLatest {
  readonly #most: number;
  readonly #kept = new Map<string, Promise<unknown>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** `key`: its type included. */
  of<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#kept.get(key) as Promise<T> | undefined) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, made);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(oldest);
    }
    made.catch(() => this.#kept.get(key) === made && this.#kept.delete(key));
    return made;
  }
}

const most = 16;

/** What was learnt for the classifiers used last, ready. */
export class LearntClassifiers {
  readonly #kept = new Map<string, Promise<unknown>>();

  /** `key`: of all that it is made from, its type included. */
  of<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#kept.get(key) as Promise<T> | undefined) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, made);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
      this.#kept.delete(oldest);
    }
    made.catch(() => this.#kept.get(key) === made && this.#kept.delete(key));
    return made;
  }
}

/** Works of one name run one after the other, those of different names side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(name) ?? Promise.resolve()).then(work, work);
    const settled = done.catch(() => undefined).finally(() => this.#last.get(name) === settled && this.#last.delete(name));
    this.#last.set(name, settled);
    return done;
  }
}

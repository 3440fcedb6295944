import type { LabelledSet } from '../classify/answers.js';

const most = 16;

/** The classifiers used last, ready: what they learnt, and the embeddings of their labels. */
export class LearntClassifiers {
  readonly #kept = new Map<string, Promise<LabelledSet>>();

  /** `key`: of all that it was made from. */
  of(key: string, make: () => Promise<LabelledSet>): Promise<LabelledSet> {
    const set = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, set);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
      this.#kept.delete(oldest);
    }
    set.catch(() => this.#kept.get(key) === set && this.#kept.delete(key));
    return set;
  }
}

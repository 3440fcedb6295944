/** Who is nearly the same as whom, in groups, and which of each to keep. */
import type { DuplicateGroup, KeepRule } from '../../contract/duplicates.js';

export type Evidence = 'content' | 'pixels' | 'embedding';

export interface Pair {
  a: number;
  b: number;
  similarity: number;
  evidence: Evidence;
  mirrored: boolean;
}

/** Union-find with path halving, by size (Tarjan and van Leeuwen 1984). */
export class Sets {
  readonly #parent: Int32Array;
  readonly #size: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
    this.#size = new Int32Array(count).fill(1);
  }

  find(member: number): number {
    const parent = this.#parent;
    let at = member;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  }

  join(a: number, b: number): void {
    let [big, small] = [this.find(a), this.find(b)];
    if (big === small) return;
    if (this.#size[big]! < this.#size[small]!) [big, small] = [small, big];
    this.#parent[small] = big;
    this.#size[big]! += this.#size[small]!;
  }
}

/** What decides which of a group to keep. */
export interface Candidate {
  id: string;
  /** Pixels, or characters. */
  size: number;
  sharpness: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

type Reason = Exclude<DuplicateGroup['reason'], 'mirrored'>;

const byAge = (a: Candidate, b: Candidate): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const criteria = {
  size: (a: Candidate, b: Candidate): number => b.size - a.size,
  sharpness: (a: Candidate, b: Candidate): number => b.sharpness - a.sharpness,
};
const orders: Record<KeepRule, (keyof typeof criteria)[]> = { largest: ['size', 'sharpness'], sharpest: ['sharpness', 'size'], oldest: [], newest: [] };

/** The members, the one to keep first, and what decided between it and the next. */
export function ranked<C extends Candidate>(members: C[], keep: KeepRule): { members: C[]; reason: Reason } {
  const order = orders[keep];
  const compare = (a: C, b: C): number => {
    for (const name of order) {
      const difference = criteria[name](a, b);
      if (difference !== 0) return difference;
    }
    return keep === 'newest' ? b.createdAt - a.createdAt || byAge(a, b) : byAge(a, b);
  };
  const sorted = [...members].sort(compare);
  const [first, second] = sorted;
  const decided = first && second ? order.find((name) => criteria[name](first, second) !== 0) : undefined;
  return { members: sorted, reason: decided ?? 'age' };
}

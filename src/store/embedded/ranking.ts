import { compareCodePoints } from '../../domain/code-point-order.js';

/** An embedding that was compared: its key, its item's, its score. */
export interface Ranked {
  key: number;
  item: number;
  score: number;
  /** The item's id, once it had to be known: it stays, should the item go. */
  id?: string;
}

export interface RankingRules {
  size: number;
  /** See `Leaf`. */
  after?: { score: number; id: string; rank: number };
  minScore?: number;
  /** Keys of items left out. */
  excluded?: ReadonlySet<number>;
  /** An item's id, by its key: of equal scores it decides. */
  idOf: (item: number) => string;
}

/** What embeddings are compared for. */
export interface Offers {
  /** Scores below the one and above the other need not be offered. */
  readonly floor: number;
  readonly ceiling: number;
  /** It has as many as it takes. */
  readonly full: boolean;
  offer(ranked: Ranked): void;
}

/** The items of which a part lies at a place or before it. */
export class Passed implements Offers {
  readonly items = new Set<number>();
  readonly floor: number;
  readonly ceiling = Infinity;
  readonly full = true;
  readonly #id: string;
  readonly #idOf: RankingRules['idOf'];

  constructor({ after, idOf }: { after: NonNullable<RankingRules['after']>; idOf: RankingRules['idOf'] }) {
    this.floor = after.score;
    this.#id = after.id;
    this.#idOf = idOf;
  }

  offer({ item, score }: Ranked): void {
    if (score > this.floor || (score === this.floor && compareCodePoints(this.#idOf(item), this.#id) <= 0)) this.items.add(item);
  }
}

/** The best of what it is offered, score descending, then id by code point: at most `size`, strictly behind `after`, each item once with its best score. */
export class Ranking implements Offers {
  readonly best: Ranked[] = [];
  readonly #rules: RankingRules;
  /** Those in `best`. */
  readonly #byItem = new Map<number, Ranked>();
  /** Scores below the one and above the other need not be offered. */
  floor: number;
  readonly ceiling: number;

  constructor(rules: RankingRules) {
    this.#rules = rules;
    this.floor = rules.minScore ?? -Infinity;
    this.ceiling = rules.after?.score ?? Infinity;
  }

  get full(): boolean {
    return this.best.length === this.#rules.size;
  }

  offer(ranked: Ranked): void {
    const { item, score } = ranked;
    if (score < this.floor) return;
    const { size, after, excluded } = this.#rules;
    if (after && (score > after.score || (score === after.score && compareCodePoints(this.#idOf(ranked), after.id) <= 0))) return;
    if (excluded?.has(item)) return;
    const { best } = this;
    if (this.full && !this.#byItem.has(item) && !this.#isBefore(ranked, best[size - 1]!)) return;
    const other = this.#byItem.get(item);
    if (other) {
      if (score <= other.score) return;
      best.splice(best.indexOf(other), 1);
    }
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(best[middle]!, ranked)) low = middle + 1;
      else high = middle;
    }
    if (low === size) return;
    best.splice(low, 0, ranked);
    this.#byItem.set(item, ranked);
    if (best.length > size) this.#byItem.delete(best.pop()!.item);
    if (best.length === size) this.floor = Math.max(this.floor, best[size - 1]!.score);
  }

  #isBefore(a: Ranked, b: Ranked): boolean {
    if (a.score !== b.score) return a.score > b.score;
    return compareCodePoints(this.#idOf(a), this.#idOf(b)) < 0;
  }

  #idOf(ranked: Ranked): string {
    return (ranked.id ??= this.#rules.idOf(ranked.item));
  }
}

/** Of each of many points the `k` nearest others found so far, the nearest first. */
export class NearestLists {
  readonly count: number;
  readonly k: number;
  /** k for each point; of places that are free yet, of no meaning. */
  readonly neighbors: Uint32Array;
  /** Their similarities; -Infinity where a place is free. */
  readonly similarities: Float32Array;

  constructor(count: number, k: number) {
    this.count = count;
    this.k = k;
    this.neighbors = new Uint32Array(count * k);
    this.similarities = new Float32Array(count * k).fill(-Infinity);
  }

  /** What another must exceed. */
  least(point: number): number {
    return this.similarities[(point + 1) * this.k - 1]!;
  }

  /** Ties stay as they came. True where it is new among the nearest. */
  offer(point: number, neighbor: number, similarity: number): boolean {
    const { neighbors, similarities, k } = this;
    const first = point * k;
    let at = first + k - 1;
    if (!(similarity > similarities[at]!)) return false;
    // One that is there already scores the same, and stands among its equals.
    for (let i = at; i >= first && similarities[i]! <= similarity; i--) if (neighbors[i] === neighbor && similarities[i] === similarity) return false;
    for (; at > first && similarities[at - 1]! < similarity; at--) {
      similarities[at] = similarities[at - 1]!;
      neighbors[at] = neighbors[at - 1]!;
    }
    similarities[at] = similarity;
    neighbors[at] = neighbor;
    return true;
  }
}

/** Milliseconds of work by which the pace is judged, and between two looks at it. */
const overMs = 60_000;
const everyMs = 500;

/** How fast a job settles what it has to do. */
export class Throughput {
  readonly #seen: { at: number; settled: number }[] = [];

  note(settled: number): void {
    const at = performance.now();
    const last = this.#seen.at(-1);
    if (last && at - last.at < everyMs && settled >= last.settled) return;
    // Begun anew, or fewer than there were: what was seen says nothing of it.
    if (last && settled < last.settled) this.#seen.length = 0;
    this.#seen.push({ at, settled });
    while (at - this.#seen[0]!.at > overMs && this.#seen.length > 2) this.#seen.shift();
  }

  /** Until `rest` more are settled; undefined as long as nobody can say. */
  secondsFor(rest: number): number | undefined {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last.settled <= first.settled) return undefined;
    return Math.ceil((Math.max(0, rest) * (last.at - first.at)) / 1000 / (last.settled - first.settled));
  }
}

const seconds = 60;

/** How often something happened in the last minute, to the second. */
export class MinuteCount {
  readonly #counts = new Uint32Array(seconds);
  #now: number;
  #sum = 0;

  /** `now`: whole seconds of a clock that never goes back. */
  constructor(now: number) {
    this.#now = now;
  }

  /** Counts one more if there were fewer than `most`; else the seconds after which there are. */
  take(most: number, now: number): number | undefined {
    this.#goTo(now);
    if (this.#sum < most) {
      this.#counts[now % seconds]! += 1;
      this.#sum += 1;
      return undefined;
    }
    let left = this.#sum;
    for (let second = now - seconds + 1; second <= now; second++) {
      left -= this.#counts[second % seconds]!;
      if (left < most) return second + seconds - now;
    }
    return seconds;
  }

  #goTo(now: number): void {
    for (let second = Math.max(this.#now, now - seconds) + 1; second <= now; second++) {
      this.#sum -= this.#counts[second % seconds]!;
      this.#counts[second % seconds] = 0;
    }
    this.#now = Math.max(this.#now, now);
  }
}

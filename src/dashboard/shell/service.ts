/** What the service was like when it was last asked, and word of when it is there again. */
import { growingPause } from './growing-pause.js';
import { whenSeen } from './seen.js';

/** `busy`: it answered 429 or 503. `slow`: something has been waited for for long. */
export type ServiceState = 'there' | 'slow' | 'busy' | 'gone';

const busyForMs = 5_000;

export class Service {
  #isGone = false;
  #busyUntil = 0;
  #waiting = 0;
  readonly #listeners = new Set<() => void>();
  readonly #returns = new Set<() => void>();

  /** @param url where it is, without a slash at the end. */
  constructor(private readonly url: string) {}

  get state(): ServiceState {
    if (this.#isGone) return 'gone';
    if (this.#busyUntil > Date.now()) return 'busy';
    return this.#waiting > 0 ? 'slow' : 'there';
  }

  /** As the browser's, and looks at what comes of it. */
  readonly fetch: typeof fetch = async (input, init) => {
    try {
      const response = await fetch(input, init);
      // A proxy's, of a service that does not answer it.
      if (response.status === 502) this.#goes();
      else this.#isAnswered(response);
      return response;
    } catch (error) {
      if (!init?.signal?.aborted) this.#goes();
      throw error;
    }
  };

  /** Somebody has waited for long; the function says that they do no more. */
  waitsLong(): () => void {
    this.#waiting++;
    this.#tell();
    return () => {
      this.#waiting--;
      this.#tell();
    };
  }

  /** Calls `listener` on each change of `state`, until the function that it gives is called. */
  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `back` each time that it was gone and is ready again. */
  whenBack(back: () => void): () => void {
    this.#returns.add(back);
    return () => void this.#returns.delete(back);
  }

  #isAnswered(response: Response): void {
    if (this.#isGone && response.status !== 503) this.#isBack();
    if (response.status !== 429 && response.status !== 503) {
      if (this.#busyUntil > 0) {
        this.#busyUntil = 0;
        this.#tell();
      }
      return;
    }
    const asked = Number(response.headers.get('retry-after') ?? Number.NaN) * 1000;
    const forMs = Math.max(busyForMs, Number.isFinite(asked) ? asked : 0);
    this.#busyUntil = Date.now() + forMs;
    this.#tell();
    setTimeout(() => this.#tell(), forMs + 1);
  }

  #goes(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#tell();
    void this.#lookOut();
  }

  async #lookOut(): Promise<void> {
    for (let attempt = 0; this.#isGone; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, growingPause(attempt)));
      await whenSeen();
      const isReady = await fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false);
      if (isReady && this.#isGone) this.#isBack();
    }
  }

  #isBack(): void {
    this.#isGone = false;
    this.#tell();
    for (const back of [...this.#returns]) back();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

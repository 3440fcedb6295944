import type { Parts } from './parts.js';

/** Looks, again and again, for what is to be done in the background: one look at a time, with a pause behind each. */
export class Rounds {
  readonly #parts: Pick<Parts, 'settings' | 'log'>;
  readonly #problem: string;
  readonly #look: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isOver = false;

  /** `problem`: what is logged when a look throws, once until one succeeds. */
  constructor(parts: Pick<Parts, 'settings' | 'log'>, problem: string, look: () => Promise<void>) {
    this.#parts = parts;
    this.#problem = problem;
    this.#look = look;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    let isTold = false;
    const next = (): void => {
      this.#looking = this.#look()
        .then(
          () => void (isTold = false),
          (error: unknown) => {
            if (!this.#isOver && !isTold) this.#parts.log('warn', this.#problem, { reason: String((error as Error).message) });
            isTold = true;
          },
        )
        .finally(() => {
          if (!this.#isOver) this.#timer = setTimeout(next, this.#parts.settings.lookEveryMs).unref();
        });
    };
    next();
  }

  /** Resolves when the look that is under way has ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }
}

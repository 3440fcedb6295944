import { setTimeout as sleep } from 'node:timers/promises';
import { MixspaceError } from '../errors.js';

/** What may be over at the next try: a cut connection, a busy hub. Its message is a sentence. */
export class PassingTrouble extends Error {
  override readonly name = 'PassingTrouble';

  /** `waitSeconds`, where the hub says when to come again. */
  constructor(
    message: string,
    readonly waitSeconds?: number,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const tries = 6;
const firstWaitMs = 500;
const longestWaitMs = 8_000;
/** The hub counts requests over five minutes; beyond that nobody waits for it. */
const longestAskedSeconds = 300;

/** How often and how long one piece of work is tried again. */
export class Patience {
  #failures = 0;

  constructor(
    readonly signal: AbortSignal,
    readonly onWait: (sentence: string) => void,
  ) {}

  /** Something came: what failed before no longer counts. */
  renew(): void {
    this.#failures = 0;
  }

  /** Waits before the next try. @throws MixspaceError `not_ready` when it has been tried often enough, or the hub asks for too long a wait. */
  async wait({ message, waitSeconds, cause }: PassingTrouble): Promise<void> {
    this.#failures++;
    if (this.#failures >= tries) throw new MixspaceError('not_ready', `${message} It was tried ${tries} times; run the same command again later to go on.`, { cause });
    if (waitSeconds !== undefined && waitSeconds > longestAskedSeconds) throw new MixspaceError('not_ready', `${message} The hub asks to wait ${waitSeconds} s; run the same command again then.`, { retryAfter: waitSeconds });
    const backOff = Math.min(longestWaitMs, firstWaitMs * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
    const ms = waitSeconds === undefined ? backOff : waitSeconds * 1000;
    this.onWait(`${message} Trying again${ms >= 1000 ? ` in ${Math.round(ms / 1000)} s` : ''}.`);
    await sleep(ms, undefined, { signal: this.signal });
  }
}

/** Does it until it comes to an end that waiting would not change. */
export async function patiently<T>(patience: Patience, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PassingTrouble)) throw error;
      await patience.wait(error);
    }
  }
}

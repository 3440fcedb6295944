import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceError } from '../errors.js';

/** Seconds after which a full queue is tried again, where it does not say. */
const waitSeconds = 1;

/** Work that nobody waits for: a full queue is tried again until there is room. @throws What `work` throws else, and what `signal` was aborted with. */
export async function whenThereIsRoom<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MixspaceError) || error.code !== 'overloaded') throw error;
      await delay((error.retryAfter ?? waitSeconds) * 1000, undefined, { signal });
    }
  }
}

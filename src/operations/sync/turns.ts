import { Turns } from '../turns.js';

/** Looks at roots of one collection, one after the other. */
export class SyncTurns {
  readonly #turns = new Turns();

  /** Rejects as soon as `signal` is aborted, if its turn has not come by then. */
  take<T>(collection: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => reject(signal.reason as Error);
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      void this.#turns.take(collection, async () => {
        signal.removeEventListener('abort', leave);
        if (signal.aborted) return;
        await work().then(resolve, reject);
      });
    });
  }
}

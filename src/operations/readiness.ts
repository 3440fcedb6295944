import { toMixspaceError } from '../errors.js';
import type { Context } from './context.js';

/** An answer of `/readyz` is at most this old, by the contract. */
const freshForMs = 10_000;
const intervalMs = 4_000;

export interface Readiness {
  /** undefined: ready. Otherwise the sentence that says why not. */
  problem(): string | undefined;
  stop(): void;
}

/** Tries a real inference and asks every collection, in the background, again and again. */
export function watchReadiness(context: Context): Readiness {
  let problem: string | undefined = 'Starting.';
  let checkedAt = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const round = async (): Promise<void> => {
    const before = problem;
    try {
      await context.encoder.encodeTexts(context.encoder.defaultModel, ['ready?'], { priority: 'interactive', signal: AbortSignal.timeout(freshForMs) });
      await context.store.check();
      problem = undefined;
    } catch (error) {
      problem = toMixspaceError(error).message;
    }
    checkedAt = performance.now();
    if (stopped) return;
    if (problem !== before) context.log(problem === undefined ? 'info' : 'warn', problem === undefined ? 'Ready.' : `Not ready: ${problem}`);
    timer = setTimeout(() => void round(), intervalMs);
    timer.unref();
  };
  void round();

  return {
    problem: () => problem ?? (performance.now() - checkedAt > freshForMs ? 'The last check has not come back.' : undefined),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

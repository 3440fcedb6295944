import { setTimeout as delay } from 'node:timers/promises';
import { MixspaceError, toMixspaceError, traceOf } from '../errors.js';
import type { Context } from './context.js';

/** An answer of `/readyz` is at most this old, by the contract. */
const freshForMs = 10_000;
const intervalMs = 4_000;
/** A GIF of one white pixel. */
const onePixel = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');

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

  const check = async (signal: AbortSignal): Promise<void> => {
    const { defaultModel } = context.models;
    const options = { priority: 'probe', signal } as const;
    if (defaultModel.modalities.includes('text')) await context.encoder.encodeTexts(defaultModel, ['ready?'], options);
    else for (const outcome of await context.encoder.encodeImages(defaultModel, [onePixel], options)) if (!outcome.ok) throw outcome.error;
    await context.catalog.check();
  };
  const round = async (): Promise<void> => {
    const before = problem;
    const over = new AbortController();
    try {
      // What hangs is not waited for: the next round finds out whether it has passed.
      const late = delay(freshForMs, undefined, { signal: over.signal, ref: false }).then(() => {
        throw new MixspaceError('not_ready', `An inference and a look at every collection took longer than ${freshForMs / 1000} s.`);
      });
      await Promise.race([check(over.signal), late]);
      problem = undefined;
    } catch (error) {
      const known = toMixspaceError(error);
      if (known.code === 'internal' && problem !== known.message) context.log('error', known.message, { cause: traceOf(error) });
      problem = known.message;
    } finally {
      over.abort();
    }
    checkedAt = performance.now();
    if (!stopped && problem !== before) context.log(problem === undefined ? 'info' : 'warn', problem === undefined ? 'Ready.' : `Not ready: ${problem}`);
  };
  const rounds = async (): Promise<void> => {
    await round().catch((error: unknown) => {
      problem = toMixspaceError(error).message;
    });
    if (!stopped) timer = setTimeout(() => void rounds(), intervalMs).unref();
  };
  void rounds();

  return {
    problem: () => problem ?? (performance.now() - checkedAt > freshForMs ? 'The last check has not come back.' : undefined),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

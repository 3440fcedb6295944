import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isPassing } from './errors.js';
import { growingPause } from './growing-pause.js';
import { whenSeen } from './seen.js';
import { useSession } from './session.js';

export interface Loaded<T> {
  /** Of the last time that it came. */
  value?: T;
  error?: unknown;
  isLoading: boolean;
  /** The failure passes: it is asked again by itself. */
  isRetried?: boolean;
  /** Asks once more. */
  again: () => void;
}

const longMs = 5_000;

/**
 * What a call answers; it is made anew, and the one before aborted, when `inputs` change. What was there goes with them.
 * A failure that passes is tried again after pauses that grow, and as soon as a service that was gone is back.
 */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const { service } = useSession();
  const [state, setState] = useState<Omit<Loaded<T>, 'again'>>({ isLoading: true });
  const [times, setTimes] = useState(0);
  const failures = useRef(0);
  const again = useCallback(() => setTimes((before) => before + 1), []);
  useEffect(() => {
    failures.current = 0;
    setState({ isLoading: true });
  }, inputs);
  useEffect(() => {
    const leaving = new AbortController();
    let waitsNoMore: (() => void) | undefined;
    const long = setTimeout(() => (waitsNoMore = service.waitsLong()), longMs);
    const hasEnded = (): void => {
      clearTimeout(long);
      waitsNoMore?.();
      waitsNoMore = undefined;
    };
    const cleanups: (() => void)[] = [hasEnded, () => leaving.abort()];
    // What is tried again by itself says so until there is an answer.
    setState(({ value, error, isRetried }) => ({ isLoading: true, ...(value === undefined ? {} : { value }), ...(isRetried ? { error, isRetried } : {}) }));
    load(leaving.signal).then(
      (value) => {
        if (leaving.signal.aborted) return;
        hasEnded();
        failures.current = 0;
        setState({ value, isLoading: false });
      },
      (error: unknown) => {
        if (leaving.signal.aborted) return;
        hasEnded();
        const isRetried = isPassing(error);
        if (isRetried) {
          const timer = setTimeout(() => void whenSeen(leaving.signal).then(() => leaving.signal.aborted || again()), growingPause(failures.current++));
          cleanups.push(() => clearTimeout(timer), service.whenBack(again));
        }
        setState(({ value }) => ({ error, isLoading: false, isRetried, ...(value === undefined ? {} : { value }) }));
      },
    );
    return () => {
      for (const cleanup of cleanups) cleanup();
    };
  }, [...inputs, times]);
  return { ...state, again };
}

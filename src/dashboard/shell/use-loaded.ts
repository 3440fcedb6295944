import { useCallback, useEffect, useState } from 'preact/hooks';

export interface Loaded<T> {
  /** Of the last time that it came. */
  value?: T;
  error?: unknown;
  isLoading: boolean;
  /** Asks once more. */
  again: () => void;
}

/** What a call answers; it is made anew, and the one before aborted, when `inputs` change. What was there goes with them. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'again'>>({ isLoading: true });
  const [times, setTimes] = useState(0);
  useEffect(() => setState({ isLoading: true }), inputs);
  useEffect(() => {
    const leaving = new AbortController();
    setState(({ value }) => ({ isLoading: true, ...(value === undefined ? {} : { value }) }));
    load(leaving.signal).then(
      (value) => leaving.signal.aborted || setState({ value, isLoading: false }),
      (error: unknown) => leaving.signal.aborted || setState(({ value }) => ({ error, isLoading: false, ...(value === undefined ? {} : { value }) })),
    );
    return () => leaving.abort();
  }, [...inputs, times]);
  return { ...state, again: useCallback(() => setTimes((before) => before + 1), []) };
}

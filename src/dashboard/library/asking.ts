/** Calls of this page: what it is told, and what it is asked to do. */
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import { isUnauthorized } from '../shell/errors.js';
import { useLoaded, type Loaded } from '../shell/use-loaded.js';

const LockedContext = createContext<() => void>(() => {});
/** What to call when a key is asked for. */
export const LockedProvider = LockedContext.Provider;

function useLocked(error: unknown): void {
  const onLocked = useContext(LockedContext);
  useEffect(() => {
    if (isUnauthorized(error)) onLocked();
  }, [error]);
}

/** As `useLoaded`; a missing key is asked for. */
export function useAsked<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const loaded = useLoaded(load, inputs);
  useLocked(loaded.error);
  return loaded;
}

export interface Action {
  /** One at a time: while it runs, others are not begun. Resolves when it has ended, with false where it failed. */
  run: (act: (signal: AbortSignal) => Promise<void>) => Promise<boolean>;
  isBusy: boolean;
  error?: unknown;
  /** Of one that can be stopped. */
  stop: () => void;
}

/** Something that one asks for by a button. */
export function useAction(): Action {
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });
  const running = useRef<AbortController>();
  useLocked(state.error);
  const run = useCallback(async (act: (signal: AbortSignal) => Promise<void>): Promise<boolean> => {
    if (running.current) return false;
    const { signal } = (running.current = new AbortController());
    setState({ isBusy: true });
    try {
      await act(signal);
      setState({ isBusy: false });
      return true;
    } catch (error) {
      setState(signal.aborted ? { isBusy: false } : { isBusy: false, error });
      return false;
    } finally {
      running.current = undefined;
    }
  }, []);
  return { ...state, run, stop: useCallback(() => running.current?.abort(), []) };
}

/** Of one call: none of its `undefined` fields is sent. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

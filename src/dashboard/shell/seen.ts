/** Whether somebody looks: a tab that is hidden asks for nothing. */
import { useEffect, useRef } from 'preact/hooks';

export const isSeen = (): boolean => !document.hidden;

/** Calls `listener` each time that one looks at the tab, or away from it, until the function that it gives is called. */
function onSeenOrNot(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}

/** Resolves as soon as somebody looks, at once where they do; also when `signal` is aborted. */
export function whenSeen(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (isSeen() || signal?.aborted) return resolve();
    const done = (): void => {
      if (!isSeen() && !signal?.aborted) return;
      stop();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const stop = onSeenOrNot(done);
    signal?.addEventListener('abort', done);
  });
}

/** Aborted as soon as nobody looks any more, or `signal` is; `end` once it is not needed any more. */
export function whileSeen(signal: AbortSignal): { signal: AbortSignal; end: () => void } {
  const looking = new AbortController();
  const look = (): void => {
    if (!isSeen() || signal.aborted) looking.abort();
  };
  const stop = onSeenOrNot(look);
  signal.addEventListener('abort', look);
  look();
  return { signal: looking.signal, end: () => (stop(), signal.removeEventListener('abort', look)) };
}

/** Calls `ask` again and again while somebody looks, and as soon as they look again. Undefined: not at all. */
export function useAskedWhileSeen(everyMs: number | undefined, ask: () => void): void {
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (everyMs === undefined) return;
    const askIfSeen = (): void => {
      if (isSeen()) latest.current();
    };
    const timer = setInterval(askIfSeen, everyMs);
    const stop = onSeenOrNot(askIfSeen);
    return () => (clearInterval(timer), stop());
  }, [everyMs]);
}

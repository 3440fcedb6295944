import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import { useSession } from '../shell/session.js';
import { keptResults, type LoadedResults } from './loaded-results.js';
import { keyOf, type View } from './wanted.js';

export type { Result } from './portions.js';

interface ShownResults {
  /** Of the view, as far as they have come. */
  results: LoadedResults;
  /** What stands on the page: while nothing of the view's has come, what was there before. */
  shown: LoadedResults;
  isStale: boolean;
}

/** What the view looks for; `version` starts over. */
export function useResults(view: View, version: number): ShownResults {
  const { client } = useSession();
  const results = useMemo(() => keptResults.of(client, view), [client, keyOf(view), version]);
  const before = useRef(results);
  const [, show] = useReducer((times: number) => times + 1, 0);
  useEffect(() => {
    const stop = results.listen(() => show(undefined));
    if (results.isEmpty) results.more();
    return stop;
  }, [results]);
  const isWaiting = results.isEmpty && results.state === 'loading' && !results.isComplete;
  if (!isWaiting) before.current = results;
  const isStale = isWaiting && before.current !== results && before.current.view.collection === view.collection && !before.current.isEmpty;
  return { results, shown: isStale ? before.current : results, isStale };
}

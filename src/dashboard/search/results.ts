import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { MixspaceClient, SearchOptions } from '../../client/index.js';
import type { Item } from '../../contract/items.js';
import type { SearchMatch, SearchResponse, Why } from '../../contract/search.js';
import { useSession } from '../shell/session.js';
import type { View } from './wanted.js';

/** Without a score: not a search's answer, but one of all. */
export type Result = Omit<SearchMatch, 'score'> & { score?: number | undefined; not_embedded?: string | undefined; why_of?: WhyOf };

/** Asks why a match stands where it does. */
export type WhyOf = (signal: AbortSignal) => Promise<Why | undefined>;

export interface Results {
  found: Result[];
  /** That they are of: while another is loading, not the view's. */
  collection: string;
  state: 'loading' | 'ready' | 'failed';
  error?: unknown;
  tookMs?: number;
  exact?: boolean;
  /** Parts of the words that became filters. */
  understood?: Understood;
  /** How many of the nearest were cut off as not relevant. */
  leftOut?: number;
  /** Shows them; undefined where none was cut off. */
  showAll?: () => void;
  /** Undefined when there is no more. */
  more?: () => void;
}

export type Understood = NonNullable<SearchResponse['understood']>;

interface Page {
  found: Result[];
  cursor?: string;
  tookMs?: number;
  exact?: boolean;
  understood?: Understood;
  leftOut?: number;
}

const pageSize = 40;

/** What the view looks for, page by page; `version` starts over. */
export function useResults(view: View, version: number): Results {
  const { client } = useSession();
  const [results, setResults] = useState<Omit<Results, 'more' | 'showAll'> & { cursor?: string }>({ found: [], collection: view.collection, state: 'loading' });
  const running = useRef<AbortController>();
  const [allOf, setAllOf] = useState<View>();
  const isAll = allOf === view;

  const load = useCallback(
    async (cursor?: string): Promise<void> => {
      running.current?.abort();
      const { signal } = (running.current = new AbortController());
      setResults((before) => ({ ...before, state: 'loading' }));
      try {
        const page = await loadPage(client, view, { cursor, isAll }, signal);
        setResults((before) => ({ ...page, collection: view.collection, found: cursor === undefined ? page.found : [...before.found, ...page.found], state: 'ready' }));
      } catch (error) {
        if (!signal.aborted) setResults((before) => ({ collection: view.collection, found: cursor === undefined ? [] : before.found, state: 'failed', error }));
      }
    },
    [client, view, isAll],
  );
  useEffect(() => {
    void load();
    return () => running.current?.abort();
  }, [load, version]);

  const { cursor, ...shown } = results;
  return { ...shown, ...(cursor !== undefined && { more: () => void load(cursor) }), ...(results.leftOut ? { showAll: () => setAllOf(view) } : {}) };
}

async function loadPage(client: MixspaceClient, { collection, wanted }: View, { cursor, isAll }: { cursor: string | undefined; isAll: boolean }, signal: AbortSignal): Promise<Page> {
  const options = { limit: pageSize, signal, ...(cursor === undefined ? {} : { cursor }) };
  if (wanted.by === 'nothing') {
    const { signal: _, ...query } = options;
    const { items, next_cursor: next } = await client.itemPage(collection, query, { signal });
    return { found: items.map((item: Item): Result => item), ...(next === undefined ? {} : { cursor: next }) };
  }
  const search = { ...options, cutoff: isAll ? ('none' as const) : ('auto' as const) };
  const ask = (more: SearchOptions): Promise<SearchResponse> =>
    wanted.by === 'picture'
      ? client.searchByPicture(collection, wanted.picture, { ...search, ...more })
      : wanted.by === 'item'
        ? client.search(collection, { id: wanted.id }, { ...search, ...more })
        : client.search(collection, wanted.words, { ...search, negation: 'auto', lexical: 'auto', understand: wanted.except ? { except: wanted.except } : true, ...more });
  const { matches, next_cursor: next, took_ms: tookMs, exact, understood, cut } = await ask({});
  const whyOf = (id: string): WhyOf => async (signal) => (await ask({ signal, explain: { ids: [id] } })).matches.find((match) => match.id === id)?.why;
  return { found: matches.map((match): Result => (match.score === undefined ? match : { ...match, why_of: whyOf(match.id) })), tookMs, exact, ...(understood && { understood }), ...(cut && { leftOut: cut.left_out }), ...(next === undefined ? {} : { cursor: next }) };
}

/** The item that is open stands in the address. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Address, Go, How } from '../shell/address.js';
import { useSession } from '../shell/session.js';
import type { LoadedResults } from './loaded-results.js';
import type { Result } from './portions.js';

interface Opened {
  item: Result | undefined;
  /** Among those that are loaded. */
  index: number | undefined;
  /** It cannot be shown. */
  error: unknown;
  open: (item: Result) => void;
  close: () => void;
  /** Also past what is loaded. */
  step: (by: -1 | 1) => void;
}

const name = 'open';

export function useOpened({ collection, query }: Address, go: Go, results: LoadedResults): Opened {
  const { client } = useSession();
  const id = query.get(name) ?? undefined;
  const { found } = results;
  const index = useMemo(() => {
    const at = id === undefined ? -1 : found.findIndex((item) => item.id === id);
    return at < 0 ? undefined : at;
  }, [found, id]);
  // One that is not among the results, such as a neighbor.
  const [other, setOther] = useState<{ id: string; item?: Result; error?: unknown }>();
  const isOther = id !== undefined && index === undefined;
  useEffect(() => {
    if (!isOther || other?.item?.id === id) return;
    const leaving = new AbortController();
    client.getItem(collection, id, { signal: leaving.signal }).then(
      (item) => setOther({ id, item: { ...item, section: 'matches' } }),
      (error: unknown) => leaving.signal.aborted || setOther({ id, error }),
    );
    return () => leaving.abort();
  }, [client, collection, id, isOther]);
  const wantsNext = useRef(false);
  useEffect(() => {
    const next = index === undefined ? undefined : found[index + 1];
    if (!wantsNext.current || !next) return;
    wantsNext.current = false;
    show(next, 'replace');
  }, [found]);
  useEffect(() => void (wantsNext.current = false), [id]);

  const show = useCallback((item: Result, how: How): void => {
    // So many entries of the history Back passes on its way to the results.
    const depth = depthNow() + (how === 'push' ? 1 : 0);
    setOther({ id: item.id, item });
    go({ query: { ...Object.fromEntries(grouped(new URLSearchParams(location.search))), [name]: item.id } }, how);
    history.replaceState({ depth }, '', location.href);
  }, [go]);

  return {
    item: index !== undefined ? found[index] : id !== undefined && other?.id === id ? other.item : undefined,
    index,
    error: isOther && other?.id === id ? other.error : undefined,
    open: useCallback((item) => show(item, 'push'), [show]),
    close: () => {
      if (depthNow() > 0) history.go(-depthNow());
      else go({ query: { ...Object.fromEntries(grouped(query)), [name]: undefined } }, 'replace');
    },
    step: (by) => {
      if (index === undefined) return;
      const next = found[index + by];
      if (next) return show(next, 'replace');
      if (by < 0 || results.isComplete) return;
      wantsNext.current = true;
      results.more();
    },
  };
}

const depthNow = (): number => (history.state as { depth?: number } | null)?.depth ?? 0;

function grouped(query: URLSearchParams): [string, string[]][] {
  return [...new Set(query.keys())].filter((key) => key !== 'view' && key !== 'collection').map((key) => [key, query.getAll(key)]);
}

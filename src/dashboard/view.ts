import { useCallback, useEffect, useState } from 'preact/hooks';

/** What is looked for; `except`: parts of the words that are to be taken as they stand. A picture cannot stand in an address, so reloading forgets it. */
export type Wanted = { by: 'words'; words: string; except?: string[] } | { by: 'item'; id: string } | { by: 'picture'; picture: Blob; name: string } | { by: 'nothing' };

export interface View {
  collection: string;
  wanted: Wanted;
}

const nothing: Wanted = { by: 'nothing' };

/** The view of the page's address, and how to go to another; Back goes back. */
export function useView(): [View, (change: Partial<View>, how?: 'push' | 'replace') => void] {
  const [view, setView] = useState(readAddress);
  useEffect(() => {
    const onBack = (): void => setView(readAddress());
    addEventListener('popstate', onBack);
    return () => removeEventListener('popstate', onBack);
  }, []);
  const go = useCallback((change: Partial<View>, how: 'push' | 'replace' = 'push') => {
    setView((before) => {
      const after = { ...before, ...change };
      history[how === 'push' ? 'pushState' : 'replaceState'](null, '', addressOf(after));
      return after;
    });
  }, []);
  return [view, go];
}

function readAddress(): View {
  const search = new URLSearchParams(location.search);
  const words = search.get('q');
  const id = search.get('like');
  return { collection: search.get('collection') ?? 'default', wanted: id ? { by: 'item', id } : words ? { by: 'words', words, ...(search.has('as-is') ? { except: search.getAll('as-is') } : {}) } : nothing };
}

function addressOf({ collection, wanted }: View): string {
  const search = new URLSearchParams();
  if (wanted.by === 'words') {
    search.set('q', wanted.words);
    for (const text of wanted.except ?? []) search.append('as-is', text);
  }
  if (wanted.by === 'item') search.set('like', wanted.id);
  if (collection !== 'default') search.set('collection', collection);
  return `${location.pathname}${search.size > 0 ? `?${search.toString()}` : ''}`;
}

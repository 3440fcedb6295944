/** Every state that one may want to come back to stands in the page's address. */
import { useCallback, useEffect, useState } from 'preact/hooks';

export const pages = ['search', 'map', 'classify', 'compare', 'library'] as const;
export type PageName = (typeof pages)[number];

/** What a page says of itself; a field of several values comes several times. Each page reads its own, and ignores others'. */
export type Query = Record<string, string | string[] | undefined>;

export interface Address {
  page: PageName;
  collection: string;
  query: URLSearchParams;
}

/** `push`: Back comes back to what was before. */
export type How = 'push' | 'replace';
/** Another page or collection; `query` in place of all that the address said. */
export type Go = (change: { page?: PageName; collection?: string; query?: Query }, how?: How) => void;

export const firstCollection = 'default';
const own = ['view', 'collection'];

export function useAddress(): [Address, Go] {
  const [address, setAddress] = useState(readAddress);
  useEffect(() => {
    const onBack = (): void => setAddress(readAddress());
    addEventListener('popstate', onBack);
    return () => removeEventListener('popstate', onBack);
  }, []);
  const go = useCallback<Go>((change, how = 'push') => {
    const before = readAddress();
    const isElsewhere = change.page !== undefined && change.page !== before.page;
    const query = change.query ? paramsOf(change.query) : isElsewhere ? new URLSearchParams() : before.query;
    const after = { page: change.page ?? before.page, collection: change.collection ?? before.collection, query };
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', hrefOf(after));
    setAddress(after);
  }, []);
  return [address, go];
}

/** For links. */
export function hrefOf({ page, collection, query = new URLSearchParams() }: { page: PageName; collection: string; query?: URLSearchParams }): string {
  const all = new URLSearchParams(query);
  if (page !== 'search') all.set('view', page);
  if (collection !== firstCollection) all.set('collection', collection);
  return `${location.pathname}${all.size > 0 ? `?${all.toString()}` : ''}`;
}

function readAddress(): Address {
  const query = new URLSearchParams(location.search);
  const page = pages.find((each) => each === query.get('view')) ?? 'search';
  const collection = query.get('collection') || firstCollection;
  for (const name of own) query.delete(name);
  return { page, collection, query };
}

function paramsOf(query: Query): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) for (const each of value === undefined ? [] : [value].flat()) params.append(name, each);
  return params;
}

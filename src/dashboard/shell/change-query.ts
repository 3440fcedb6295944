import { useCallback } from 'preact/hooks';
import type { Go, How, Query } from './address.js';

/** Changes of what a page says of itself in the address; what is not named stays, undefined goes. */
export type ChangeQuery = (changes: Query, how?: How) => void;

export function useChangeQuery(go: Go): ChangeQuery {
  return useCallback(
    (changes, how) => {
      const query: Query = {};
      const before = new URLSearchParams(location.search);
      for (const name of before.keys()) if (name !== 'view' && name !== 'collection') query[name] = before.getAll(name);
      go({ query: { ...query, ...changes } }, how);
    },
    [go],
  );
}

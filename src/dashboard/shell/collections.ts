/** The collections that there are, known to every page. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Collection } from '../../contract/collections.js';
import { useSession } from './session.js';
import { useLoaded, type Loaded } from './use-loaded.js';

export function useCollectionList(): Loaded<Collection[]> {
  const { client } = useSession();
  return useLoaded((signal) => client.collections({ signal }), [client]);
}

const CollectionsContext = createContext<Loaded<Collection[]> | undefined>(undefined);
export const CollectionsProvider = CollectionsContext.Provider;
/** `again` once something was added or removed. */
export const useCollections = (): Loaded<Collection[]> => useContext(CollectionsContext)!;

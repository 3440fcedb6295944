/** What the key of this tab may do: what it may not is not offered. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { OwnKey } from '../../contract/keys.js';
import { useSession } from './session.js';
import { useLoaded } from './use-loaded.js';

/** Asked once a key; undefined until it is told, and where there is none. */
export function useAskedOwnKey(): OwnKey | undefined {
  const { client, hasKey } = useSession();
  return useLoaded(async (signal) => (hasKey ? client.ownKey({ signal }) : undefined), [client]).value;
}

const OwnKeyContext = createContext<OwnKey | undefined>(undefined);
export const OwnKeyProvider = OwnKeyContext.Provider;

/** Whether to offer what changes something: in this collection, or in any where none is named. Until it is known, yes. */
export function useMayWrite(collection?: string): boolean {
  const own = useContext(OwnKeyContext);
  if (own === undefined) return true;
  return own.scope !== 'read' && (collection === undefined || (own.collections?.includes(collection) ?? true));
}

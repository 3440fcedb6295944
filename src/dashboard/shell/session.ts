import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { MixspaceClient } from '../../client/index.js';

const keyName = 'mixspace-api-key';

export interface Session {
  client: MixspaceClient;
  /** With a key pictures cannot be plain `<img>` addresses. */
  hasKey: boolean;
}

/** The key lives as long as the tab. */
export function openSession(): Session {
  const apiKey = sessionStorage.getItem(keyName) ?? undefined;
  const url = new URL('.', document.baseURI).href;
  return { client: new MixspaceClient({ url, ...(apiKey === undefined ? {} : { apiKey }) }), hasKey: apiKey !== undefined };
}

export function sessionWithKey(key: string): Session {
  sessionStorage.setItem(keyName, key);
  return openSession();
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;
export const useSession = (): Session => useContext(SessionContext)!;

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { MixspaceClient, type ClientOptions } from '../../client/index.js';

const keyName = 'mixspace-api-key';

export interface Session {
  client: MixspaceClient;
  /** With a key pictures cannot be plain `<img>` addresses. */
  hasKey: boolean;
  /** One that calls in another way. */
  clientThat: (calls: Pick<ClientOptions, 'fetch' | 'retries'>) => MixspaceClient;
}

/** The key lives as long as the tab. */
export function openSession(): Session {
  const apiKey = sessionStorage.getItem(keyName) ?? undefined;
  const url = new URL('.', document.baseURI).href;
  const clientThat: Session['clientThat'] = (calls) => new MixspaceClient({ url, ...calls, ...(apiKey === undefined ? {} : { apiKey }) });
  return { client: clientThat({}), hasKey: apiKey !== undefined, clientThat };
}

export function sessionWithKey(key: string): Session {
  sessionStorage.setItem(keyName, key);
  return openSession();
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;
export const useSession = (): Session => useContext(SessionContext)!;

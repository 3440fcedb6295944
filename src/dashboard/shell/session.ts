import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { MixspaceClient, type ClientOptions } from '../../client/index.js';
import { Service } from './service.js';

const keyName = 'mixspace-api-key';

export interface Session {
  client: MixspaceClient;
  /** With a key pictures cannot be plain `<img>` addresses. */
  hasKey: boolean;
  /** One that calls in another way. */
  clientThat: (calls: Pick<ClientOptions, 'fetch' | 'retries'>) => MixspaceClient;
  service: Service;
}

/** The key lives as long as the tab. */
export function openSession(): Session {
  const apiKey = sessionStorage.getItem(keyName) ?? undefined;
  const url = new URL('.', document.baseURI).href.replace(/\/+$/, '');
  const service = new Service(url);
  const clientThat: Session['clientThat'] = (calls) => new MixspaceClient({ url, fetch: service.fetch, ...calls, ...(apiKey === undefined ? {} : { apiKey }) });
  return { client: clientThat({}), hasKey: apiKey !== undefined, clientThat, service };
}

export function sessionWithKey(key: string): Session {
  sessionStorage.setItem(keyName, key);
  return openSession();
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;
export const useSession = (): Session => useContext(SessionContext)!;

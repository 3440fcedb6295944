import { MixspaceClient } from '../client/index.js';
import { MixspaceError } from '../errors.js';
import { shownAddress } from '../secrets.js';
import type { ServiceFlags } from './options.js';

/** @throws MixspaceError `invalid_request` for a URL that is none. */
export function openClient({ url }: ServiceFlags, options: { retries?: number } = {}): MixspaceClient {
  const { protocol, username, password } = URL.canParse(url) ? new URL(url) : ({} as Partial<URL>);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new MixspaceError('invalid_request', `--url (MIXSPACE_URL) takes an address such as http://127.0.0.1:8080, not "${shownAddress(url)}".`);
  }
  if (username || password) throw new MixspaceError('invalid_request', '--url (MIXSPACE_URL) takes an address without user name and password; MIXSPACE_API_KEY holds the key.');
  const apiKey = process.env['MIXSPACE_API_KEY']?.trim();
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey)) throw new MixspaceError('invalid_request', 'MIXSPACE_API_KEY holds no key: keys are made of letters, digits and signs of ASCII, without spaces.');
  return new MixspaceClient({ url, ...options, ...(apiKey ? { apiKey } : {}) });
}

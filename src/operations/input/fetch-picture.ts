import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import https from 'node:https';
import { MixspaceError } from '../../errors.js';
import { mayBeFetched } from './addresses.js';

const maxRedirects = 5;

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

export interface FetchPolicy {
  /** CIDR ranges that may be fetched although they are not public. */
  allow: string[];
  /** For the whole of it, redirects included. */
  timeoutMs: number;
  maxBytes: number;
  /** Left out: the system's. */
  resolve?: Resolve;
}

const refused = (message: string): MixspaceError => new MixspaceError('unprocessable', message);

/**
 * A picture's bytes from an https URL. Loopback, private, link-local, metadata and every other address that is not
 * public unicast is refused. The check is made on the addresses that the socket then connects to, all of them,
 * so neither a redirect nor a name that resolves differently the second time gets around it.
 * A user name and password in the URL go to its own host and port alone.
 *
 * @throws MixspaceError `unprocessable` (refused, unreachable, no picture there), `too_large`.
 */
export async function fetchPicture(url: string, policy: FetchPolicy, signal: AbortSignal): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(policy.timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  let current = url;
  try {
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const answer = await get(current, policy, either);
      if (answer.kind === 'body') return answer.bytes;
      current = redirected(current, answer.location);
    }
    throw refused(`The URL redirects more than ${maxRedirects} times.`);
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    if (timeout.aborted) throw refused(`The URL did not answer within ${policy.timeoutMs / 1000} s.`);
    throw refused(`The URL cannot be fetched (${(error as NodeJS.ErrnoException).code ?? 'connection failed'}).`);
  }
}

/** Without credentials that the answer brings along: they are not the caller's. */
function redirected(from: string, location: string): string {
  if (!URL.canParse(location, from)) throw refused('The URL redirects to something that is no URL.');
  const before = new URL(from);
  const next = new URL(location, from);
  const isSame = next.origin === before.origin;
  next.username = isSame ? before.username : '';
  next.password = isSame ? before.password : '';
  return next.href;
}

type Answer = { kind: 'body'; bytes: Uint8Array } | { kind: 'redirect'; location: string };

function get(url: string, policy: FetchPolicy, signal: AbortSignal): Promise<Answer> {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:') throw refused(`Only https URLs are fetched, not ${parsed.protocol}//.`);
  const literal = parsed.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) assertPublic(literal, policy.allow);

  return new Promise((resolve, reject) => {
    const request = https.get(parsed, { lookup: guardedLookup(policy), signal, agent: false, headers: { accept: 'image/*', 'user-agent': 'mixspace' } }, (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400 && response.headers.location !== undefined) {
        response.destroy();
        resolve({ kind: 'redirect', location: response.headers.location });
        return;
      }
      if (status !== 200) {
        response.destroy();
        reject(refused(`The URL answered with status ${status}.`));
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > policy.maxBytes) {
          response.destroy();
          reject(new MixspaceError('too_large', `The picture behind the URL is larger than ${policy.maxBytes} bytes.`));
        } else chunks.push(chunk);
      });
      response.on('end', () => resolve({ kind: 'body', bytes: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

/** Hands the socket the very addresses that were checked; no other look at the name is taken. */
function guardedLookup({ allow, resolve = systemResolve }: FetchPolicy): LookupFunction {
  return (hostname, options, callback) => {
    const checked = async (): Promise<LookupAddress[]> => {
      const addresses = await resolve(hostname);
      for (const { address } of addresses) assertPublic(address, allow);
      if (addresses.length === 0) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
      return addresses;
    };
    checked().then(
      (addresses) => (options.all ? callback(null, addresses) : callback(null, addresses[0]!.address, addresses[0]!.family)),
      (problem: Error) => callback(problem, []),
    );
  };
}

const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

function assertPublic(address: string, allow: string[]): void {
  if (!mayBeFetched(address, allow)) throw refused(`The URL leads to ${address}, which is not a public address; MIXSPACE_FETCH_ALLOW can allow it.`);
}

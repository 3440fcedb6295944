import { lookup as resolveName } from 'node:dns';
import type { LookupFunction } from 'node:net';
import https from 'node:https';
import ipaddr from 'ipaddr.js';
import { MixspaceError } from '../errors.js';

const maxRedirects = 5;

export interface FetchPolicy {
  /** CIDR ranges that may be fetched although they are not public. */
  allow: string[];
  /** For the whole of it, redirects included. */
  timeoutMs: number;
  maxBytes: number;
}

const refused = (message: string): MixspaceError => new MixspaceError('unprocessable', message);

/**
 * A picture's bytes from an https URL. Loopback, private, link-local, metadata and every other address that is not
 * public unicast is refused. The check is made on the address that the socket then connects to,
 * so neither a redirect nor a name that resolves differently the second time gets around it.
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
      if (!URL.canParse(answer.location, current)) throw refused('The URL redirects to something that is no URL.');
      current = new URL(answer.location, current).href;
    }
    throw refused(`The URL redirects more than ${maxRedirects} times.`);
  } catch (error) {
    if (error instanceof MixspaceError) throw error;
    if (timeout.aborted) throw refused(`The URL did not answer within ${policy.timeoutMs / 1000} s.`);
    throw refused(`The URL cannot be fetched (${(error as NodeJS.ErrnoException).code ?? 'connection failed'}).`);
  }
}

type Answer = { kind: 'body'; bytes: Uint8Array } | { kind: 'redirect'; location: string };

function get(url: string, policy: FetchPolicy, signal: AbortSignal): Promise<Answer> {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:') throw refused(`Only https URLs are fetched, not ${parsed.protocol}//.`);
  const literal = parsed.hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(literal)) assertPublic(literal, policy.allow);

  return new Promise((resolve, reject) => {
    const request = https.get(parsed, { lookup: guardedLookup(policy.allow), signal, agent: false, headers: { accept: 'image/*', 'user-agent': 'mixspace' } }, (response) => {
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

function guardedLookup(allow: string[]): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      try {
        for (const { address } of addresses) assertPublic(address, allow);
      } catch (problem) {
        return callback(problem as Error, []);
      }
      const first = addresses[0];
      if (!first) return callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function assertPublic(address: string, allow: string[]): void {
  // `process` turns an IPv4 address written as IPv6 back into IPv4.
  const parsed = ipaddr.process(address);
  if (parsed.range() === 'unicast') return;
  const allowed = allow.some((range) => {
    const [base, bits] = ipaddr.parseCIDR(range);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
  if (!allowed) throw refused(`The URL leads to ${address}, which is not a public address; MIXSPACE_FETCH_ALLOW can allow it.`);
}

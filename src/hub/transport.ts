import type { IncomingHttpHeaders } from 'node:http';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { MixspaceError } from '../errors.js';
import { PassingTrouble } from './retries.js';

export interface HubAccess {
  /** Such as `https://huggingface.co`, without a slash at its end. */
  endpoint: string;
  /** Sent to the endpoint's own origin and to nobody else. */
  token?: string;
  /** Proxies' addresses, and the hosts that are reached without one; empty where there is none. */
  proxy: { http: string; https: string; none: string };
}

export interface HubAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** What the endpoint's own answers said, before another host took over: `x-repo-commit`, `x-linked-etag`, `etag`. */
  hubHeaders: IncomingHttpHeaders;
  body: Dispatcher.ResponseData['body'];
}

const mostRedirects = 10;
const answerWithinMs = 60_000;
/** A connection that brings nothing for so long is given up and opened again. */
const silenceMs = 30_000;

/** GET and HEAD at a hub and wherever it redirects to. One try each: what may pass is thrown as PassingTrouble. */
export class Transport {
  readonly #access: HubAccess;
  readonly #origin: string;
  readonly #dispatcher: EnvHttpProxyAgent;

  constructor(access: HubAccess) {
    this.#access = access;
    this.#origin = new URL(access.endpoint).origin;
    const { http, https, none } = access.proxy;
    // Plain http goes to a proxy as such, as every other client does it: many allow CONNECT to port 443 alone.
    this.#dispatcher = new EnvHttpProxyAgent({ httpProxy: http, httpsProxy: https, noProxy: none, proxyTunnel: false, headersTimeout: answerWithinMs, bodyTimeout: silenceMs });
  }

  get endpoint(): string {
    return this.#access.endpoint;
  }

  get hasToken(): boolean {
    return this.#access.token !== undefined;
  }

  /**
   * `path` begins with a slash. `from`: bytes that are there already. Answers below 300, 416 and what the endpoint refuses
   * (400 to 499 but 408 and 429) are returned, and their body must be read or dumped.
   * @throws PassingTrouble; MixspaceError `unprocessable` for a redirect that cannot be followed.
   */
  async ask(method: 'GET' | 'HEAD', path: string, { from = 0, signal }: { from?: number; signal: AbortSignal }): Promise<HubAnswer> {
    let url = new URL(this.#access.endpoint + path);
    let hubHeaders: IncomingHttpHeaders = {};
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const atHome = url.origin === this.#origin;
      const answer = await this.#send(method, url, { from, signal });
      const { statusCode: status, headers, body } = answer;
      if (atHome) hubHeaders = { ...hubHeaders, ...headers };
      const isRedirect = status >= 300 && status < 400 && typeof headers.location === 'string';
      // Whoever asks for a file's facts has them once the hub points elsewhere.
      if (isRedirect && !(method === 'HEAD' && new URL(headers.location as string, url).origin !== this.#origin)) {
        await body.dump();
        url = this.#next(url, headers.location as string);
        continue;
      }
      if (status === 408 || status === 429 || status >= 500) {
        await body.dump();
        throw new PassingTrouble(`${url.host} answers ${status}${status === 429 ? ' (too many requests)' : ''}.`, waitOf(headers));
      }
      // A signed address of a storage host ends after a while; the next try gets a fresh one.
      if (!atHome && status >= 400 && status !== 416) {
        await body.dump();
        throw new PassingTrouble(`${url.host}, where the hub keeps the file, answers ${status}.`);
      }
      return { status, headers, hubHeaders, body };
    }
    throw new MixspaceError('unprocessable', `${this.#access.endpoint} redirects more than ${mostRedirects} times for ${path}.`);
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  async #send(method: 'GET' | 'HEAD', url: URL, { from, signal }: { from: number; signal: AbortSignal }): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = {
      'user-agent': 'mixspace',
      // Ranges and hashes are of the file's own bytes.
      'accept-encoding': 'identity',
      ...(from > 0 ? { range: `bytes=${from}-` } : {}),
      ...(url.origin === this.#origin && this.#access.token !== undefined ? { authorization: `Bearer ${this.#access.token}` } : {}),
    };
    try {
      return await request(url, { method, headers, dispatcher: this.#dispatcher, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new PassingTrouble(`${url.host} cannot be reached (${reasonOf(error)})${this.#proxyFor(url)}.`, undefined, error);
    }
  }

  #next(from: URL, location: string): URL {
    const next = new URL(location, from);
    if (next.protocol !== 'https:' && (from.protocol === 'https:' || next.protocol !== 'http:')) {
      throw new MixspaceError('unprocessable', `${from.host} redirects to ${next.protocol}//${next.host}, which is not secure.`);
    }
    return next;
  }

  #proxyFor({ protocol }: URL): string {
    const { http, https } = this.#access.proxy;
    const proxy = protocol === 'https:' ? https || http : http;
    return proxy === '' ? '' : `, through the proxy ${new URL(proxy).host} unless NO_PROXY names it`;
  }
}

/** Seconds: `Retry-After` as a number or a date, or the `t` of the hub's `RateLimit` header. */
function waitOf(headers: IncomingHttpHeaders): number | undefined {
  const asked = headers['retry-after'];
  if (asked !== undefined) {
    const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  }
  const limit = /\bt=(\d+)/.exec(String(headers['ratelimit'] ?? ''))?.[1];
  return limit === undefined ? undefined : Number(limit);
}

export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

import type { ErrorBody } from '../contract/shared.js';
import { routes, type Route, type RouteName } from '../contract/routes.js';
import type { Answer, CallArguments } from './call.js';
import { MixspaceApiError, MixspaceUnreachableError } from './errors.js';

export interface ClientOptions {
  /** Where the service is; a path before `/v1` is kept. */
  url: string;
  apiKey?: string;
  fetch?: typeof fetch;
  /** How often a call that met 429 or 503 is made again. */
  retries?: number;
}

const longestWaitSeconds = 30;
/** Of an answer that is no error of the service. */
const noCode = 'unknown';

/** How calls reach a service and come back. */
export class Connection {
  readonly url: string;
  protected readonly retries: number;
  readonly #apiKey: string | undefined;
  readonly #fetch: typeof fetch;

  constructor({ url, apiKey, fetch = globalThis.fetch, retries = 4 }: ClientOptions) {
    this.url = url.replace(/\/+$/, '');
    this.retries = retries;
    this.#apiKey = apiKey;
    // A browser's fetch insists on being called as the window's.
    this.#fetch = (input, init) => fetch(input, init);
  }

  /**
   * Any route by its name in the contract's table.
   * @throws MixspaceApiError, MixspaceUnreachableError, and what `signal` was aborted with.
   */
  async call<N extends RouteName>(name: N, ...[parts]: CallArguments<N>): Promise<Answer<N>> {
    const route: Route = routes[name];
    const response = await this.#send(route, (parts ?? {}));
    if (route.bytes !== undefined) return (await response.blob()) as Answer<N>;
    if (route.formats !== undefined) return response.body as Answer<N>;
    if (route.events !== undefined) return (response.status === 204 ? null : response.body) as Answer<N>;
    return (route.response === undefined ? undefined : await response.json()) as Answer<N>;
  }

  protected address(route: Route, { params = {}, query = {} }: LooseParts): string {
    const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
    const search = new URLSearchParams(query).toString();
    return this.url + path + (search && `?${search}`);
  }

  async #send(route: Route, parts: LooseParts): Promise<Response> {
    const { body, signal } = parts;
    const headers: Record<string, string> = { ...parts.headers };
    if (this.#apiKey !== undefined) headers['authorization'] = `Bearer ${this.#apiKey}`;
    const isStream = body instanceof ReadableStream;
    const isSentAsItIs = body instanceof FormData || route.upload !== undefined || (route.uploads !== undefined && (isStream || body instanceof Blob));
    if (body !== undefined && !(body instanceof FormData)) headers['content-type'] ??= route.upload ?? 'application/json';
    const request: RequestInit = {
      method: route.method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: isSentAsItIs ? (body as NonNullable<RequestInit['body']>) : JSON.stringify(body) }),
      // What comes as it is sent is asked for by this name alone.
      ...(isStream ? { duplex: 'half' } : {}),
      ...(signal && { signal }),
    };
    for (let attempt = 0; ; attempt++) {
      const response = await this.#fetch(this.address(route, parts), request).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new MixspaceUnreachableError(this.url, error);
      });
      if (response.ok) return response;
      const error = await errorOf(response);
      if (error.status === 502 && error.code === noCode) throw new MixspaceUnreachableError(this.url, error);
      if (isStream || (error.status !== 429 && error.status !== 503) || attempt >= this.retries) throw error;
      await this.waitAfter(attempt, signal, error.retryAfter);
    }
  }

  /** Before the next one. `asked`: seconds that the service asked for. */
  protected waitAfter(attempt: number, signal: AbortSignal | undefined, asked = 2 ** attempt / 2): Promise<void> {
    return pause(Math.min(asked, longestWaitSeconds), signal);
  }
}

interface LooseParts {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A proxy's or another program's error has no error object. */
async function errorOf(response: Response): Promise<MixspaceApiError> {
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(wait) && wait >= 0 ? wait : undefined;
  const body = (await response.json().catch(() => undefined)) as Partial<ErrorBody> | undefined;
  const message = body?.error?.message ?? `${response.url} answers ${response.status} ${response.statusText}`.trimEnd() + ', which is not how mixspace answers.';
  return new MixspaceApiError(message, { status: response.status, code: body?.error?.code ?? noCode, param: body?.error?.param, retryAfter });
}

function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, seconds * 1000);
    if (signal?.aborted) return stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
}

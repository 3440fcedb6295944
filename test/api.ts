/** Plain calls for the tests: what a client sends and gets, nothing hidden. */
export interface Answer<T = any> {
  status: number;
  body: T;
  headers: Headers;
}

export async function call<T = any>(url: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const response = await fetch(url + path, {
    method,
    headers: { ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: body instanceof FormData || typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: /^application\/json(;|$)/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : (text as T) };
}

export const items = (collection = 'default'): string => `/v1/collections/${collection}/items`;
export const searchIn = (collection = 'default'): string => `/v1/collections/${collection}/search`;
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

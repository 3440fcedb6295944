import { MixspaceError } from '../errors.js';

/**
 * The parameters of a query string. Every one is kept, `__proto__` too.
 * @throws MixspaceError `invalid_request`: one that stands twice, or is not percent-encoded UTF-8.
 */
export function readQuery(text: string | null): Record<string, string> {
  const query = Object.create(null) as Record<string, string>;
  for (const pair of (text ?? '').split('&')) {
    if (pair === '') continue;
    const end = pair.indexOf('=');
    const name = decoded(end < 0 ? pair : pair.slice(0, end));
    const value = end < 0 ? '' : decoded(pair.slice(end + 1), name);
    if (name in query) throw new MixspaceError('invalid_request', `${name.slice(0, 100)}: It stands twice in the query string.`, { param: name.slice(0, 100) });
    query[name] = value;
  }
  return query;
}

function decoded(text: string, name = text.slice(0, 100)): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    if (isAscii(spaced)) return decodeURIComponent(spaced);
  } catch {
    // Told below.
  }
  throw new MixspaceError('invalid_request', `${name}: In a query string it is to be UTF-8, percent-encoded.`, { param: name });
}

/** Node takes each byte above for a character of its own. */
export function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}

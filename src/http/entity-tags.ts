/** Entity tags (RFC 9110, 8.8.3): what a browser has kept is sent again only where it is another by now. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Bytes of a picture up to which a tag costs less than it saves. */
const mostHashed = 1e6;
const mostTags = 16;

/** Those that the caller has, without quotes. */
export function knownTags({ headers }: IncomingMessage): string[] {
  return [...(headers['if-none-match'] ?? '').matchAll(/"([\x21\x23-\x7e]{1,100})"/g)].slice(0, mostTags).map(([, tag]) => tag!);
}

/** Of the bytes themselves; undefined where they are many. */
export function tagOf(bytes: Uint8Array): string | undefined {
  return bytes.byteLength > mostHashed ? undefined : createHash('sha1').update(bytes).digest('base64url');
}

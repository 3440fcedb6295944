import { createCipheriv, createSecretKey, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MixspaceError } from '../errors.js';

/** A place in a list: what its page ended with. */
export type Place = (string | number | boolean | null)[];

const nonceBytes = 12;
const tagBytes = 16;
/** Longer strings, and lists of more numbers, are hashed as bytes of their own instead of as JSON. */
const shortEnough = 256;
/** About a millisecond. */
const perTurn = 2 ** 20;

/**
 * Cursors: opaque to clients, each good only for the request that it came with, which is its `scope`.
 *
 * A cursor is nonce, tag and place. The tag is AES-256-GMAC (NIST SP 800-38D) of place and scope, so none can be made or
 * changed without the key, and a picture of 3 MB costs 3 ms in base64, tenths of one where it came as bytes (SHA-256: 7 and 2).
 */
export class Cursors {
  readonly #key: KeyObject;

  /** `key`: 32 bytes, the same as long as cursors are to be good. */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  async seal(place: Place, scope: unknown): Promise<string> {
    const nonce = randomBytes(nonceBytes);
    const text = Buffer.from(JSON.stringify(place));
    return Buffer.concat([nonce, await this.#tag(nonce, text, scope), text]).toString('base64url');
  }

  /** @throws MixspaceError `invalid_request`: unreadable, of another request, or not made here. */
  async open(cursor: string, scope: unknown): Promise<unknown[]> {
    const bytes = Buffer.from(cursor, 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
    const nonce = bytes.subarray(0, nonceBytes);
    const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
    const text = bytes.subarray(nonceBytes + tagBytes);
    if (!timingSafeEqual(tag, await this.#tag(nonce, text, scope))) {
      throw new MixspaceError('invalid_request', 'The cursor belongs to another request: send the same query, filter and settings with it.', { param: 'cursor' });
    }
    return JSON.parse(text.toString()) as unknown[];
  }

  /** Each part goes in behind its length, so that no two scopes give the same bytes. */
  async #tag(nonce: Uint8Array, place: Uint8Array, scope: unknown): Promise<Buffer> {
    const long: (string | Uint8Array)[] = [];
    const short = JSON.stringify(scope, (_, value: unknown) => {
      const bytes = longBytes(value);
      return bytes === undefined ? value : { long: long.push(bytes) };
    });
    const mac = createCipheriv('aes-256-gcm', this.#key, nonce);
    for (const part of [place, short, ...long]) {
      mac.setAAD(Buffer.from(`${part.length} `));
      // Written again and again into one buffer: to make one each time would take three times as long.
      const piece = typeof part === 'string' ? Buffer.allocUnsafe(2 * Math.min(part.length, perTurn)) : undefined;
      for (let at = 0; at < part.length; at += perTurn) {
        if (at > 0) await nextTurn();
        mac.setAAD(typeof part === 'string' ? piece!.subarray(0, piece!.write(part.slice(at, at + perTurn), 'utf16le')) : part.subarray(at, at + perTurn));
      }
    }
    mac.final();
    return mac.getAuthTag();
  }
}

function longBytes(value: unknown): string | Uint8Array | undefined {
  if (typeof value === 'string') return value.length > shortEnough ? value : undefined;
  if (value instanceof Uint8Array) return value;
  if (!Array.isArray(value) || value.length <= shortEnough / 8 || typeof value[0] !== 'number') return undefined;
  return new Uint8Array(Float64Array.from(value as number[]).buffer);
}

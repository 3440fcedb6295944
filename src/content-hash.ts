import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some 0.3 ms of hashing. */
const bytesPerTurn = 2 ** 19;

/** Callers take their turns one after the other, however many hash at once. */
let lastTurn: Promise<void> = Promise.resolve();

/**
 * SHA-256, in parts between the event loop's turns: `crypto.subtle` copies all bytes on the calling thread first, which
 * takes longer than hashing them.
 */
export async function sha256(bytes: Uint8Array, encoding: 'hex' | 'base64'): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += bytesPerTurn) {
    if (at > 0) await (lastTurn = lastTurn.then(() => nextTurn()));
    hash.update(bytes.subarray(at, at + bytesPerTurn));
  }
  return hash.digest(encoding);
}

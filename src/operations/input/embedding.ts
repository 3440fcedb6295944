import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';

/** Numbers, or these as little-endian float32 in base64. */
export type SentEmbedding = number[] | string;

/**
 * An embedding that a client sent, normalised, for a collection's space.
 * @throws MixspaceError `conflict` (of another space), `unprocessable` (wrong length, not finite, zero).
 */
export function checkedEmbedding(sent: SentEmbedding, fingerprint: string | undefined, collection: Collection, field: string): Float32Array {
  if (fingerprint !== undefined && fingerprint !== collection.fingerprint) {
    throw new MixspaceError('conflict', `The embedding is of space ${fingerprint}, collection "${collection.name}" of ${collection.fingerprint}: they cannot be compared.`, { param: `${field}.fingerprint` });
  }
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: `${field}.embedding` });
  const values = typeof sent === 'string' ? decoded(sent) : sent;
  if (!values) throw refuse('The bytes of an embedding in base64 are float32, four each.');
  if (values.length !== collection.dimension) throw refuse(`An embedding of collection "${collection.name}" has ${collection.dimension} numbers, not ${values.length}.`);
  // Scaled by the largest first, so that squares neither overflow nor vanish.
  let largest = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) throw refuse('An embedding holds finite numbers only.');
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest === 0) throw refuse('An embedding of zeros has no direction.');
  let squares = 0;
  for (const value of values) squares += (value / largest) ** 2;
  const norm = Math.sqrt(squares);
  return Float32Array.from(values, (value) => value / largest / norm);
}

function decoded(base64: string): number[] | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length % 4 === 0 ? Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)) : undefined;
}

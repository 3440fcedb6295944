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
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw refuse('An embedding holds finite numbers only.');
    largest = Math.max(largest, Math.abs(values[i]!));
  }
  if (largest === 0) throw refuse('An embedding of zeros has no direction.');
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! / largest) ** 2;
  const norm = Math.sqrt(squares);
  const embedding = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) embedding[i] = values[i]! / largest / norm;
  return embedding;
}

function decoded(base64: string): Float32Array | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  const values = new Float32Array(bytes.length / 4);
  new Uint8Array(values.buffer).set(bytes);
  return values;
}

import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';

/**
 * An embedding that a client sent, normalised, for a collection's space.
 * @throws MixspaceError `conflict` (of another space), `unprocessable` (wrong length, not finite, zero).
 */
export function checkedEmbedding(values: number[], fingerprint: string | undefined, collection: Collection, field: string): Float32Array {
  if (fingerprint !== undefined && fingerprint !== collection.fingerprint) {
    throw new MixspaceError('conflict', `The embedding is of space ${fingerprint}, collection "${collection.name}" of ${collection.fingerprint}: they cannot be compared.`, { param: `${field}.fingerprint` });
  }
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: `${field}.embedding` });
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

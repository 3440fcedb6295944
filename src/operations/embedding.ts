import type { ModelDescription } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Collection } from '../store/catalog.js';

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

/** The weighted sum at length 1; undefined where it is zero, so that it has no direction. */
export function normalizedSum(parts: { embedding: Float32Array; weight: number }[]): Float32Array | undefined {
  const sum = new Float64Array(parts[0]!.embedding.length);
  let scale = 0;
  for (const { embedding, weight } of parts) {
    scale = Math.max(scale, Math.abs(weight));
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * embedding[i]!;
  }
  let squares = 0;
  for (const value of sum) squares += value * value;
  const norm = Math.sqrt(squares);
  // Embeddings are float32: what is left of two opposites is rounding, about 1e-7 of the weights.
  if (!(norm > scale * 1e-6)) return undefined;
  return Float32Array.from(sum, (value) => value / norm);
}

/** The first `dimensions` numbers at length 1 (Matryoshka representation learning, Kusupati et al. 2022, 3); as it is where that is all of them. @throws MixspaceError `unprocessable` where they are all zero. */
export function cut(embedding: Float32Array, dimensions: number): Float32Array {
  if (dimensions === embedding.length) return embedding;
  const first = embedding.subarray(0, dimensions);
  const norm = Math.hypot(...first);
  if (norm === 0) throw new MixspaceError('unprocessable', `The first ${dimensions} numbers of an embedding are all zero, so that they have no direction: ask for more dimensions.`, { param: 'dimensions' });
  return first.map((value) => value / norm);
}

/** Of the space that a model's embeddings are in when they are cut: the model's own, and `-d256` behind it for 256 dimensions. */
export function cutFingerprint({ fingerprint, dimension }: ModelDescription, dimensions: number): string {
  return dimensions === dimension ? fingerprint : `${fingerprint}-d${dimensions}`;
}

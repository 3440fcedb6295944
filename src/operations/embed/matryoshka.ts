import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';

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

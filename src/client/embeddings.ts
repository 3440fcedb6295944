import { int8Scale, type EmbeddingEncoding, type EmbeddingsResponse } from '../contract/embeddings.js';

/** What an embedding is in the client's hands, by the encoding it traveled in. */
export interface Decoded {
  float: Float32Array;
  base64: Float32Array;
  /** The numbers times 127, rounded: `fromInt8` undoes it. */
  int8: Int8Array;
  /** Eight bits to a number, less 128. */
  binary: Int8Array;
  /** Eight bits to a number, the embedding's first in the highest: `differingBits` compares two. */
  ubinary: Uint8Array;
}

type Wire = EmbeddingsResponse['data'][number]['embedding'];

/**
 * One `embedding` of an answer. Of an answer to a list of encodings, the one named.
 * @throws TypeError where the answer is not in this encoding.
 */
export function decodeEmbedding<E extends EmbeddingEncoding>(embedding: Wire, encoding: E): Decoded[E] {
  const wire = typeof embedding === 'object' && !Array.isArray(embedding) ? embedding[encoding] : embedding;
  if (wire === undefined || (typeof wire === 'string') !== (encoding === 'base64')) throw new TypeError(`The embedding is not encoded as ${encoding}.`);
  return (typeof wire === 'string' ? floats(wire) : arrays[encoding as Exclude<EmbeddingEncoding, 'base64'>](wire)) as Decoded[E];
}

const arrays = {
  float: (wire: number[]) => Float32Array.from(wire),
  int8: (wire: number[]) => Int8Array.from(wire),
  binary: (wire: number[]) => Int8Array.from(wire),
  ubinary: (wire: number[]) => Uint8Array.from(wire),
};

function floats(base64: string): Float32Array {
  const view = new DataView(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** The embedding again, each number at most 1/254 off, so that its length is only nearly 1. */
export function fromInt8(embedding: Int8Array): Float32Array {
  return Float32Array.from(embedding, (value) => value / int8Scale);
}

/** Hamming distance of two embeddings, both `binary` or both `ubinary`. */
export function differingBits(a: Int8Array | Uint8Array, b: Int8Array | Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) {
    // `binary` is `ubinary` less 128, which turns the highest bit alone: in both of them, so that it does not tell.
    for (let bits = (a[i]! ^ b[i]!) & 0xff; bits !== 0; bits &= bits - 1) count++;
  }
  return count;
}

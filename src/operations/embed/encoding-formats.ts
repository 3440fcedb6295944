import { int8Scale, type EmbeddingEncoding, type EncodedEmbeddings } from '../../contract/embeddings.js';

type Wire = number[] | string;

/** One embedding as the wire has it: in the encoding asked for, or by name in each of a list. `int8` needs it normalised. */
export function encoded(embedding: Float32Array, encodings: EmbeddingEncoding | EmbeddingEncoding[]): Wire | EncodedEmbeddings {
  if (!Array.isArray(encodings)) return encoders[encodings](embedding);
  return Object.fromEntries(encodings.map((each) => [each, encoders[each](embedding)]));
}

const encoders: Record<EmbeddingEncoding, (embedding: Float32Array) => Wire> = {
  float: (embedding) => Array.from(embedding),
  // Every platform that Node runs on holds float32 little-endian.
  base64: (embedding) => Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString('base64'),
  // Through an Int8Array, where no -0 is left.
  int8: (embedding) => Array.from(Int8Array.from(embedding, (value) => Math.round(value * int8Scale))),
  binary: (embedding) => Array.from(packedBits(embedding), (byte) => byte - 128),
  ubinary: (embedding) => Array.from(packedBits(embedding)),
};

/** As NumPy's packbits of `embedding > 0`. */
function packedBits(embedding: Float32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(embedding.length / 8));
  embedding.forEach((value, i) => {
    if (value > 0) bytes[i >> 3]! |= 0x80 >> (i & 7);
  });
  return bytes;
}

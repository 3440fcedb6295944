/** Embeddings as pgvector sends and takes them in PostgreSQL's binary form: two bytes for the dimension, two that are 0, then float32, all big-endian. */

const head = 4;
const bytesEach = 4;

/** For a parameter that the statement casts: `$1::vector`. */
export function toVector(embedding: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(head + bytesEach * embedding.length);
  bytes.writeInt16BE(embedding.length, 0);
  bytes.writeInt16BE(0, 2);
  for (let i = 0; i < embedding.length; i++) bytes.writeFloatBE(embedding[i]!, head + bytesEach * i);
  return bytes;
}

/** Of a column that the statement selects as `vector_send(vector)`. */
export function fromVector(bytes: Buffer): Float32Array {
  const embedding = new Float32Array(bytes.readInt16BE(0));
  for (let i = 0; i < embedding.length; i++) embedding[i] = bytes.readFloatBE(head + bytesEach * i);
  return embedding;
}

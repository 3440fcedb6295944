/** Embeddings as int8, and how far a score that is made of them may be from the true one. */

/** Rows are padded with zeros to a multiple of it: what the kernel takes at a time. */
const lanes = 16;
const largest = 127;
/** Beyond what float32 arithmetic in the kernel may be off by. */
const rounding = 1e-5;

/** Bytes of a packed row. */
export const packedLength = (dimension: number): number => Math.ceil(dimension / lanes) * lanes;

/**
 * Writes an embedding as `value / scale`, rounded, and gives the scale and a bound: for every normalised query the score is
 * within `slack` of that of the packed row (Cauchy-Schwarz: the query times what rounding left out).
 */
export function pack(embedding: Float32Array, row: Int8Array): { scale: number; slack: number } {
  let most = 0;
  for (const value of embedding) most = Math.max(most, Math.abs(value));
  const scale = Math.fround(most / largest);
  let squares = 0;
  if (scale > 0) {
    for (let i = 0; i < embedding.length; i++) {
      const whole = Math.round(embedding[i]! / scale);
      const packed = Math.min(largest, Math.max(-largest, whole));
      row[i] = packed;
      const rest = embedding[i]! - packed * scale;
      squares += rest * rest;
    }
  } else {
    row.fill(0);
    for (const value of embedding) squares += value * value;
  }
  return { scale, slack: Math.sqrt(squares) * (1 + rounding) + rounding };
}

/** A query as int16; a packed row scores `product * its scale * scale`, apart from the query's own `slack`. */
export interface PackedQuery {
  values: Int16Array;
  scale: number;
  slack: number;
}

/** So finely that no sum of products with a packed row leaves int32, whatever the order of adding: none is above the product of the lengths. */
export function packQuery(query: Float32Array): PackedQuery {
  const values = new Int16Array(packedLength(query.length));
  let most = 0;
  let squares = 0;
  for (const value of query) {
    most = Math.max(most, Math.abs(value));
    squares += value * value;
  }
  const longestRow = largest * Math.sqrt(query.length);
  // Rounding lengthens the query by half a unit in each dimension at most.
  const longestQuery = 2 ** 31 / longestRow - Math.sqrt(query.length);
  const factor = most === 0 ? 1 : Math.min(32_767 / most, longestQuery / Math.sqrt(squares));
  let rests = 0;
  for (let i = 0; i < query.length; i++) {
    values[i] = Math.round(query[i]! * factor);
    const rest = query[i]! - values[i]! / factor;
    rests += rest * rest;
  }
  // A packed row is at most as long as the embedding and its slack together: below 2.
  return { values, scale: 1 / factor, slack: 2 * Math.sqrt(rests) + rounding };
}

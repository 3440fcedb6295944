/** Embeddings as int8, and how far a score that is made of them may be from the true one. */

/** Rows are padded with zeros to a multiple of it: what the kernel takes at a time. */
const lanes = 16;
const largest = 127;
/** Beyond what float32 arithmetic in the kernel may be off by; as in kernels/scan.ts. */
const rounding = 1e-5;

/** Bytes of a packed row. */
export const packedLength = (dimension: number): number => Math.ceil(dimension / lanes) * lanes;

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

/**
 * The cosine of two normalised embeddings, -1..1: always the same sums in the same order, so a pair scores the same
 * whichever way it was found. `b` begins at `offset`.
 */
export function similarity(a: Float32Array, b: Float32Array, offset = 0): number {
  const length = a.length;
  const even = length - (length % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i < even; i += 4) {
    s0 += a[i]! * b[offset + i]!;
    s1 += a[i + 1]! * b[offset + i + 1]!;
    s2 += a[i + 2]! * b[offset + i + 2]!;
    s3 += a[i + 3]! * b[offset + i + 3]!;
  }
  for (; i < length; i++) s0 += a[i]! * b[offset + i]!;
  return Math.max(-1, Math.min(1, s0 + s1 + (s2 + s3)));
}

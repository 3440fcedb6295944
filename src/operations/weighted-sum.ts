/** The weighted sum at length 1; undefined where it is zero, so that it has no direction. */
export function normalizedSum(parts: { embedding: Float32Array; weight: number }[]): Float32Array | undefined {
  const sum = new Float64Array(parts[0]!.embedding.length);
  let scale = 0;
  for (const { embedding, weight } of parts) {
    scale = Math.max(scale, Math.abs(weight));
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * embedding[i]!;
  }
  let squares = 0;
  for (let i = 0; i < sum.length; i++) squares += sum[i]! * sum[i]!;
  const norm = Math.sqrt(squares);
  // Embeddings are float32: what is left of two opposites is rounding, about 1e-7 of the weights.
  if (!(norm > scale * 1e-6)) return undefined;
  const normalized = new Float32Array(sum.length);
  for (let i = 0; i < sum.length; i++) normalized[i] = sum[i]! / norm;
  return normalized;
}

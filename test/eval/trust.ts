/**
 * Trustworthiness at `k` (Venna & Kaski 2001) of points (x0, y0, ...), of some drawn evenly, each compared with all, and a
 * 95 % interval from how much they differ (normal approximation).
 */
export function trustOf(embeddings: Float32Array[], points: Float32Array, { k, sampled }: { k: number; sampled: number }): { value: number; low: number; high: number } {
  const count = embeddings.length;
  const worst = (k * (2 * count - 3 * k - 1)) / 2;
  const each: number[] = [];
  for (let turn = 0; turn < Math.min(sampled, count); turn++) {
    const point = Math.floor((turn * count) / Math.min(sampled, count));
    const away = embeddings.map((embedding) => -dot(embedding, embeddings[point]!));
    const onMap = embeddings.map((_, i) => Math.hypot(points[2 * i]! - points[2 * point]!, points[2 * i + 1]! - points[2 * point + 1]!));
    away[point] = onMap[point] = Infinity;
    const farthest = Float64Array.from(onMap).sort()[k - 1]!;
    const near = onMap.flatMap((distance, other) => (distance <= farthest ? [other] : [])).slice(0, k);
    each.push(1 - near.reduce((sum, other) => sum + Math.max(0, 1 + away.reduce((closer, distance) => closer + (distance < away[other]! ? 1 : 0), 0) - k), 0) / worst);
  }
  const value = each.reduce((sum, one) => sum + one, 0) / each.length;
  const error = Math.sqrt(each.reduce((sum, one) => sum + (one - value) ** 2, 0) / Math.max(1, each.length - 1) / each.length);
  return { value, low: value - 1.96 * error, high: value + 1.96 * error };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

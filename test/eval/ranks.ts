/** The place of the best candidate that `isOwn` among all of them, by cosine; one that ties with it stands before it. */
export function rankOf(query: Float32Array, candidates: Float32Array[], isOwn: (index: number) => boolean): number {
  const scores = candidates.map((candidate) => dot(query, candidate));
  const best = scores.reduce((highest, score, index) => (isOwn(index) && score > highest ? score : highest), -Infinity);
  return 1 + scores.reduce((ahead, score, index) => (score >= best && !isOwn(index) ? ahead + 1 : ahead), 0);
}

/** Of embeddings, which are normalised: their cosine. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Lists fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009): the sum over lists of weight / (60 + rank). */
export const k = 60;


/**
 * One list of both, each id once; of equal sums the one that words found comes first, then the lower rank.
 * `near`: weighs one each; `worded`: as it says.
 */
export function joined<T extends { item: { id: string } }>(near: T[], worded: { match: T; weight: number }[]): T[] {
  const sums = new Map<string, { match: T; sum: number; order: number }>();
  worded.forEach(({ match, weight }, i) => sums.set(match.item.id, { match, sum: weight / (k + i + 1), order: i }));
  near.forEach((match, i) => {
    const other = sums.get(match.item.id);
    if (other) other.sum += 1 / (k + i + 1);
    else sums.set(match.item.id, { match, sum: 1 / (k + i + 1), order: worded.length + i });
  });
  return [...sums.values()].sort((a, b) => b.sum - a.sum || a.order - b.order).map(({ match }) => match);
}

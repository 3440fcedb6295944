/** `Promise.all` of a map with at most `limit` under way; the results in the order of `all`. */
export async function mapLimited<T, R>(all: readonly T[], limit: number, map: (each: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(all.length);
  const waiting = all.entries();
  const work = async (): Promise<void> => {
    for (const [index, each] of waiting) results[index] = await map(each);
  };
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, work));
  return results;
}

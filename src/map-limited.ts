/** Maps in order with at most `limit` under way. Once one has failed no other begins; the first by index that failed is the one thrown. */
export async function mapLimited<A, B>(values: readonly A[], limit: number, map: (value: A, index: number) => Promise<B>): Promise<B[]> {
  const results = new Array<B>(values.length);
  let next = 0;
  const failures: { index: number; error: unknown }[] = [];
  const run = async (): Promise<void> => {
    while (next < values.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await map(values[index]!, index);
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, run));
  const first = failures.sort((a, b) => a.index - b.index)[0];
  if (first) throw first.error;
  return results;
}

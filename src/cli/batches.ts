/** At most so many, of at most so many bytes together; what is larger alone goes alone. */
export async function* batches<T extends { bytes: number }>(all: AsyncIterable<T>, most: number, mostBytes: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for await (const each of all) {
    if (batch.length > 0 && (batch.length >= most || bytes + each.bytes > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(each);
    bytes += each.bytes;
  }
  if (batch.length > 0) yield batch;
}

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

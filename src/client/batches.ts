/** Uploads that go together in one request: at most so many, of at most so many bytes; what is larger alone goes alone. */
export async function* batches<T>(all: AsyncIterable<T> | Iterable<T>, sizeOf: (each: T) => number, most: number, mostBytes: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for await (const each of all) {
    if (batch.length > 0 && (batch.length >= most || bytes + sizeOf(each) > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(each);
    bytes += sizeOf(each);
  }
  if (batch.length > 0) yield batch;
}

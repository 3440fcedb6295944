export interface PostgresStoreSettings {
  /** Connections at once. */
  connections: number;
  /** Milliseconds to wait for a connection. */
  connectWithinMs: number;
  /** Embeddings of one kind from which on a collection has an index of nearest neighbors; below, searches compare with all. */
  graphFrom: number;
  /** Such an index is over embeddings rounded to float16, half as large; scores are of those that are not. Beyond 2,000 dimensions it always is. */
  halfGraphs: boolean;
  /** Milliseconds between two looks at what is to be done in the background. */
  lookEveryMs: number;
  /** Milliseconds without a sign of life after which a replica's jobs are others'. */
  leaseMs: number;
}

export const defaultSettings: PostgresStoreSettings = {
  connections: 10,
  connectWithinMs: 10_000,
  graphFrom: 10_000,
  halfGraphs: false,
  lookEveryMs: 2_000,
  leaseMs: 15_000,
};

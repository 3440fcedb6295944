import type { MixspaceClient } from '../../client/index.js';
import type { FindingKind } from '../../contract/collections.js';

interface Where {
  client: MixspaceClient;
  collection: string;
  signal?: AbortSignal | undefined;
}

export interface Found<T> {
  found: T;
  /** Something has changed since. */
  isStale: boolean;
}

/** What a job found out; undefined where none has. Only what is told to be there is asked for: what is not would stand in the browser's log as a failure. */
export async function whereFound<T>(kind: FindingKind, { client, collection, signal }: Where, ask: () => Promise<T>): Promise<Found<T> | undefined> {
  const { findings } = await client.collection(collection, { ...(signal && { signal }) });
  const finding = findings.find((each) => each.kind === kind);
  return finding && { found: await ask(), isStale: finding.stale };
}

/** Which of the new clusters is which of those before: they keep their ids, and the names that somebody gave them. */
import type { Context } from '../context.js';
import { clustersJob, clustersList, membersList, type ClustersSummary, type KeptCluster, type KeptMember } from './kept.js';

/** Share of what two hold together that both must hold (Jaccard's index). */
const leastShared = 0.3;
const membersAtOnce = 5_000;

export interface Before {
  next: number;
  /** By the new cluster's place. */
  matched: Map<number, KeptCluster>;
}

/** The largest shares first, each cluster once. */
export async function lastClusters({ catalog }: Context, collection: string, members: KeptMember[][], signal: AbortSignal): Promise<Before> {
  const result = await catalog.getResult(collection, clustersJob);
  if (!result) return { next: 1, matched: new Map() };
  const clusterOf = new Map<string, number>();
  members.forEach((list, cluster) => list.forEach(({ id }) => clusterOf.set(id, cluster)));
  const before = (await catalog.listResultEntries(collection, result.job, clustersList, { limit: 1_000 })).entries.map(({ body }) => body as KeptCluster);
  const shares: { share: number; cluster: number; old: KeptCluster }[] = [];
  for (const old of before) {
    const shared = new Map<number, number>();
    let size = 0;
    for (let after: number | undefined, more = true; more; ) {
      signal.throwIfAborted();
      const page = await catalog.listResultEntries(collection, result.job, membersList(old.id), { limit: membersAtOnce, ...(after === undefined ? {} : { after }) });
      for (const { body } of page.entries) {
        size++;
        const cluster = clusterOf.get((body as KeptMember).id);
        if (cluster !== undefined) shared.set(cluster, (shared.get(cluster) ?? 0) + 1);
      }
      after = page.entries.at(-1)?.number;
      more = page.more && after !== undefined;
    }
    for (const [cluster, both] of shared) shares.push({ share: both / (size + members[cluster]!.length - both), cluster, old });
  }
  const matched = new Map<number, KeptCluster>();
  const taken = new Set<string>();
  for (const { share, cluster, old } of shares.sort((a, b) => b.share - a.share)) {
    if (share < leastShared || matched.has(cluster) || taken.has(old.id)) continue;
    matched.set(cluster, old);
    taken.add(old.id);
  }
  return { next: (result.summary as ClustersSummary).next, matched };
}

export function idsFor(clusters: number[], { next, matched }: Before): { ids: Map<number, string>; next: number } {
  const ids = new Map<number, string>();
  let free = next;
  for (const cluster of clusters) ids.set(cluster, matched.get(cluster)?.id ?? `c${free++}`);
  return { ids, next: free };
}

/** Names that were given to the clusters of before since they were looked at, and that nobody else of those of `job` has. */
export async function keepNewNames({ catalog }: Context, collection: string, job: string): Promise<void> {
  const result = await catalog.getResult(collection, clustersJob);
  if (!result || result.job === job) return;
  const listOf = async (of: string) => (await catalog.listResultEntries(collection, of, clustersList, { limit: 1_000 })).entries.map(({ number, body }) => ({ number, body: body as KeptCluster }));
  const now = await listOf(job);
  for (const { body: old } of (await listOf(result.job)).filter(({ body }) => body.renamed)) {
    const heir = now.find(({ body }) => body.id === old.id);
    if (!heir || heir.body.name === old.name || now.some(({ body }) => body.name === old.name)) continue;
    heir.body = { ...heir.body, name: old.name, renamed: true };
    await catalog.putResultEntries(collection, { kind: clustersJob, job }, clustersList, [heir]);
  }
}

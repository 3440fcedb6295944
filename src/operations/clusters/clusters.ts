import type { Cluster, ClusterItem, ClusterLanguage, ClusterPage, Clusters, ClustersRequest } from '../../contract/clusters.js';
import type { StartedJob } from '../../contract/duplicates.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { requireModel } from '../collection-model.js';
import type { Context, JobContext } from '../context.js';
import { conditionOf } from '../inventory.js';
import { imageUrlOf } from '../items.js';
import { toldJob } from '../jobs.js';
import { placeIn } from '../place-in.js';
import type { ClustersParameters } from './job.js';
import { changesOfClusters, clustersJob, clustersList, membersList, type ClustersSummary, type KeptCluster, type KeptMember } from './kept.js';
import { renamedInto } from './naming.js';

/** With its place in the list. */
type NumberedCluster = KeptCluster & { number: number };

const pageSize = 100;
const modalityField = '$item.modality';
/** As many clusters as there can be. */
const mostClusters = 1_000;

/** `POST .../clusters`. @throws MixspaceError `not_found`, `unprocessable`: fewer than two items; `conflict`: its model has gone; `overloaded`. */
export async function makeClusters(context: JobContext, collection: string, { count, modality, filter, language = 'en' }: ClustersRequest): Promise<StartedJob> {
  await requireModel(context, await context.catalog.getCollection(collection));
  const condition = conditionOf({ ...(modality && { modality }), ...(filter && { filter }) });
  const counted = await context.catalog.countValues(collection, { fields: [modalityField], limit: modalities.length, ...(condition && { filter: condition }) });
  const counts = new Map(counted[modalityField]!.values.map(({ value, count: items }) => [value as Modality, items]));
  const chosen = modality ?? ((counts.get('image') ?? 0) >= 2 ? 'image' : 'text');
  if ((counts.get(chosen) ?? 0) < 2) throw new MixspaceError('unprocessable', `Clusters are made of two items at least; ${counts.get(chosen) ?? 0} of kind "${chosen}" ${filter ? 'match' : 'are there'}.`, { param: filter ? 'filter' : 'modality' });
  const parameters: ClustersParameters = { modality: chosen, language, ...(count === undefined ? {} : { count }), ...(filter && { filter }) };
  const { job } = await context.jobs.start(clustersJob, { collection, parameters });
  return { job: toldJob(job) };
}

/** `GET .../clusters`. @throws MixspaceError `not_found`: there are none yet. */
export async function getClusters(context: Context, collection: string, wanted?: ClusterLanguage): Promise<Clusters> {
  const { job, summary, clusters: kept } = await latest(context, collection);
  const { at, modality, items } = summary;
  const language = wanted ?? summary.language;
  const clusters = renamedInto(language, kept, summary.language);
  const there = await presentOf(context, collection, clusters.flatMap(({ examples }) => examples));
  return { job, at, modality, language, items, clusters: clusters.map(({ number: _, ...cluster }) => toldCluster(collection, cluster, there)) };
}

/** `GET .../clusters/{id}`. @throws MixspaceError `not_found`. */
export async function getCluster(context: Context, collection: string, id: string, { limit = pageSize, cursor }: { limit?: number; cursor?: string }): Promise<ClusterPage> {
  const { job, clusters } = await latest(context, collection);
  const { examples: _, number: __, ...cluster } = clusterOf(collection, clusters, id);
  const scope = ['clusters', collection, job, id];
  const after = await placeIn(context.cursors, cursor, scope);
  const { entries, more } = await context.catalog.listResultEntries(collection, job, membersList(id), { limit, ...(after === undefined ? {} : { after }) });
  const members = entries.map(({ body }) => body as KeptMember);
  const there = await presentOf(context, collection, members);
  const last = entries.at(-1);
  return { ...cluster, items: toldItems(collection, members, there), ...(more && last ? { next_cursor: await context.cursors.seal([last.number], scope) } : {}) };
}

/** `PATCH .../clusters/{id}`. @throws MixspaceError `not_found`; `conflict`: another one has the name. */
export function renameCluster(context: Context, collection: string, id: string, name: string): Promise<Cluster> {
  return changesOfClusters.take(collection, () => renameNow(context, collection, id, name));
}

async function renameNow(context: Context, collection: string, id: string, name: string): Promise<Cluster> {
  const { job, clusters } = await latest(context, collection);
  const { number, ...cluster } = clusterOf(collection, clusters, id);
  if (clusters.some((other) => other.id !== id && other.name === name)) throw new MixspaceError('conflict', `Another cluster is called "${name}".`, { param: 'name' });
  const renamed: KeptCluster = { ...cluster, name, renamed: true };
  await context.catalog.putResultEntries(collection, { kind: clustersJob, job }, clustersList, [{ number, body: renamed }]);
  return toldCluster(collection, renamed, await presentOf(context, collection, cluster.examples));
}

async function latest({ catalog }: Context, collection: string): Promise<{ job: string; summary: ClustersSummary; clusters: NumberedCluster[] }> {
  const result = await catalog.getResult(collection, clustersJob);
  if (!result) throw new MixspaceError('not_found', `No clusters of collection "${collection}" were made yet, or not to the end: POST to this path starts a job that does.`);
  const { entries } = await catalog.listResultEntries(collection, result.job, clustersList, { limit: mostClusters });
  return { job: result.job, summary: result.summary as ClustersSummary, clusters: entries.map(({ number, body }) => ({ ...(body as KeptCluster), number })) };
}

function clusterOf(collection: string, clusters: NumberedCluster[], id: string): NumberedCluster {
  const found = clusters.find((cluster) => cluster.id === id);
  if (!found) throw new MixspaceError('not_found', `There is no cluster "${id.slice(0, 100)}" in collection "${collection}".`);
  return found;
}

async function presentOf({ catalog }: Context, collection: string, items: KeptMember[]): Promise<Set<string>> {
  return new Set((await catalog.present(collection, items.map(({ id }) => id))).map(({ id }) => id));
}

const toldCluster = (collection: string, { examples, ...cluster }: KeptCluster, there: Set<string>): Cluster => ({ ...cluster, examples: toldItems(collection, examples, there) });

function toldItems(collection: string, items: KeptMember[], there: Set<string>): ClusterItem[] {
  return items.filter(({ id }) => there.has(id)).map(({ id, score, hasImage }) => ({ id, score, ...(hasImage ? { image_url: imageUrlOf(collection, id) } : {}) }));
}

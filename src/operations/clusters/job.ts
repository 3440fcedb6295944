/** The job that makes clusters: centers from a sample, then every item to the nearest of them. */
import type { ClusterLanguage } from '../../contract/clusters.js';
import { limits } from '../../contract/limits.js';
import type { Filter } from '../../domain/filter.js';
import type { Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import { withThread, type ComputeThread } from '../compute-thread.js';
import { requireModel } from '../collection-model.js';
import type { Context } from '../context.js';
import { inventory } from '../inventory.js';
import type { ClusterMethods, Model } from './cluster-thread.js';
import { idsFor, keepNewNames, lastClusters } from './identity.js';
import { changesOfClusters, clustersJob, clustersList, membersList, type ClustersSummary, type KeptCluster, type KeptMember } from './kept.js';
import { embeddedVocabulary } from './naming.js';
import { randomFrom, type Rows } from './spherical-k-means.js';

export interface ClustersParameters {
  count?: number;
  modality: Modality;
  filter?: Filter;
  language: ClusterLanguage;
}

const clusterThread = new URL('./cluster-thread.js', import.meta.url);

/** Where nobody says how many. */
const usualMost = 40;
/** Of the sample: at least and at most, and for each cluster. */
const sampled = { least: 2_000, most: 20_000, perCluster: 100, bytes: 64 * 2 ** 20 };
const itemsAtOnce = 250;
const entriesAtOnce = 1_000;
const shownExamples = 9;
const seed = 5;

interface Listed {
  id: string;
  hasImage: boolean;
}

export function clustersKind(context: Context): JobKind<ClustersParameters> {
  return {
    name: clustersJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: true,
    // It takes a core: one at a time in the service.
    lock: () => clustersJob,
    run: (work) => withThread<ClusterMethods, JobEnd>(clusterThread, work.signal, (thread) => new Clustering(context, work, thread).run()),
    discard: ({ collection, id }) => context.catalog.discardResult(collection!, id),
  };
}

class Clustering {
  readonly #context: Context;
  readonly #work: JobWork<ClustersParameters>;
  readonly #thread: ComputeThread<ClusterMethods>;
  readonly #collection: string;

  constructor(context: Context, work: JobWork<ClustersParameters>, thread: ComputeThread<ClusterMethods>) {
    this.#context = context;
    this.#work = work;
    this.#thread = thread;
    this.#collection = work.job.collection!;
  }

  async run(): Promise<JobEnd> {
    const { signal, job } = this.#work;
    const { catalog } = this.#context;
    const { language, modality, count, ...what } = job.parameters;
    const changes = await catalog.changesOf(this.#collection);
    const collection = await catalog.getCollection(this.#collection);
    const model = await requireModel(this.#context, collection);
    const items = await inventory(this.#context, this.#collection, { modality, ...what, signal }, ({ id, hasImage }): Listed => ({ id, hasImage }));
    this.#work.at({ done: 0, total: items.length });
    const words = await this.#context.texts.of(model, embeddedVocabulary);
    signal.throwIfAborted();
    const sample = await this.#embeddings(drawn(items, sampleSize(count, collection.dimension)), collection.fingerprint, collection.dimension);
    if (sample.items.length === 0) throw new MixspaceError('unprocessable', 'None of the items has an embedding any more.');
    const found = await this.#thread.call('find', { sample: sample.rows, all: items.length, most: usualMost, ...(count === undefined ? {} : { count }) });
    const { members, assigned } = await this.#assign(items, found, collection.fingerprint);
    const summary = await this.#keep(members, found, words, language);
    await changesOfClusters.take(this.#collection, async () => {
      await keepNewNames(this.#context, this.#collection, job.id);
      await catalog.publishResult(this.#collection, { kind: clustersJob, job: job.id, summary: { at: new Date().toISOString(), modality, language, items: assigned, next: summary.next, changes } satisfies ClustersSummary });
    });
    return { result: { clusters: summary.clusters, items: assigned } };
  }

  /** Of each cluster its members, the nearest to its center first. */
  async #assign(items: Listed[], model: Model, fingerprint: string): Promise<{ members: KeptMember[][]; assigned: number }> {
    const { dimension } = model.centers;
    const members: KeptMember[][] = Array.from({ length: model.centers.values.length / dimension }, () => []);
    let assigned = 0;
    for (let from = 0; from < items.length; from += itemsAtOnce) {
      const page = await this.#embeddings(items.slice(from, from + itemsAtOnce), fingerprint, dimension);
      const { cluster, score } = await this.#thread.call('assign', { rows: page.rows, model });
      page.items.forEach((item, i) => members[cluster[i]!]!.push({ ...item, score: Math.round(score[i]! * 1e4) / 1e4 }));
      assigned += page.items.length;
      this.#work.at({ done: Math.min(items.length, from + itemsAtOnce) });
    }
    for (const each of members) each.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
    return { members, assigned };
  }

  async #keep(members: KeptMember[][], { centers }: Model, words: Rows, language: ClusterLanguage): Promise<{ next: number; clusters: number }> {
    const { catalog } = this.#context;
    const { job, signal } = this.#work;
    const before = await lastClusters(this.#context, this.#collection, members, signal);
    const order = members.map((_, i) => i).filter((i) => members[i]!.length > 0).sort((a, b) => members[b]!.length - members[a]!.length);
    const { ids, next } = idsFor(order, before);
    const given = new Map<number, string>();
    for (const i of order) {
      const old = before.matched.get(i);
      if (old?.renamed) given.set(i, old.name);
    }
    const { dimension } = centers;
    const ordered = new Float32Array(order.length * dimension);
    order.forEach((center, i) => ordered.set(centers.values.subarray(center * dimension, (center + 1) * dimension), i * dimension));
    const names = await this.#thread.call('names', { centers: { values: ordered, dimension }, words, language, given: new Map([...given].map(([center, name]) => [order.indexOf(center), name])) });

    const key = { kind: clustersJob, job: job.id };
    await catalog.discardResult(this.#collection, job.id);
    for (const [place, center] of order.entries()) {
      const list = members[center]!;
      const id = ids.get(center)!;
      for (let from = 0; from < list.length; from += entriesAtOnce) {
        signal.throwIfAborted();
        await catalog.putResultEntries(this.#collection, key, membersList(id), list.slice(from, from + entriesAtOnce).map((body, i) => ({ number: from + i, body })));
      }
      const body: KeptCluster = { id, ...names[place]!, renamed: given.has(center), size: list.length, examples: list.slice(0, shownExamples) };
      await catalog.putResultEntries(this.#collection, key, clustersList, [{ number: place, body }]);
    }
    return { next, clusters: order.length };
  }

  /** Of those that still have one, in their order. @throws MixspaceError `conflict`: the collection has gone over to another space. */
  async #embeddings(items: Listed[], fingerprint: string, dimension: number): Promise<{ items: Listed[]; rows: Rows }> {
    const values = new Float32Array(items.length * dimension);
    const found: Listed[] = [];
    for (let from = 0; from < items.length; from += itemsAtOnce) {
      this.#work.signal.throwIfAborted();
      const page = items.slice(from, from + itemsAtOnce);
      const answer = await this.#context.catalog.getEmbeddings(this.#collection, page.map(({ id }) => id));
      if (answer.fingerprint !== fingerprint) throw new MixspaceError('conflict', 'The collection went over to another space meanwhile: resume the job, and it begins anew there.');
      const parts = new Map(answer.items.map((item) => [item.id, item.parts[0]!]));
      for (const item of page) {
        const embedding = parts.get(item.id);
        if (!embedding) continue;
        values.set(embedding, found.length * dimension);
        found.push(item);
      }
    }
    return { items: found, rows: { values: values.subarray(0, found.length * dimension).slice(), dimension } };
  }
}

function sampleSize(count: number | undefined, dimension: number): number {
  const wanted = Math.min(sampled.most, Math.max(sampled.least, sampled.perCluster * Math.min(count ?? usualMost, limits.clusters)));
  return Math.min(wanted, Math.floor(sampled.bytes / (4 * dimension)));
}

/** So many, by chance but the same each time, in their order (selection sampling: Knuth, TAOCP 3.4.2, algorithm S). */
function drawn<T>(items: T[], most: number): T[] {
  if (items.length <= most) return items;
  const random = randomFrom(seed);
  const chosen: T[] = [];
  items.forEach((item, i) => {
    if (random() * (items.length - i) < most - chosen.length) chosen.push(item);
  });
  return chosen;
}

import type { RecallRequest, RecallResponse } from '../contract/collections.js';
import type { Filter } from '../domain/filter.js';
import { modalities, type Modality } from '../domain/modality.js';
import { recallDepth, recallOf, shareFound } from '../domain/recall.js';
import type { Neighbors } from '../store/vector-index.js';
import type { Caller, Context } from './context.js';

const usualQueries = 100;
const modalityField = '$item.modality';

/**
 * recall@10, measured now: items drawn by chance, searched for as anyone would and again exactly, in each modality that
 * has some. With a filter: among those that match it.
 * @throws MixspaceError `not_found`.
 */
export async function measureRecall(context: Context, collection: string, { queries = usualQueries, filter }: RecallRequest, { signal }: Caller): Promise<RecallResponse> {
  const all = await countsOf(context, collection);
  const matching = filter ? await countsOf(context, collection, filter) : all;
  const bands: RecallResponse['bands'] = [];
  for (const modality of modalities) {
    const count = matching.get(modality) ?? 0;
    if (count === 0) continue;
    const recalls: number[] = [];
    let isExact = true;
    for (const embedding of await context.index.sample(collection, modality, queries)) {
      signal.throwIfAborted();
      const ask = async (exact: boolean): Promise<Neighbors> => (await context.index.nearest(collection, { embedding, kind: 'item', exact, leaves: [{ modality, limit: recallDepth }], ...(filter && { filter }) }))[0]!;
      const [found, wanted] = [await ask(false), await ask(true)];
      isExact &&= found.exact;
      const last = wanted.neighbors.at(-1)?.score;
      if (last !== undefined) recalls.push(shareFound(found.neighbors.map(({ score }) => score), last, wanted.neighbors.length));
    }
    if (recalls.length > 0) bands.push({ modality, query: 'item', selectivity: count / all.get(modality)!, exact: isExact, ...recallOf(recalls), at: new Date().toISOString() });
  }
  return { bands };
}

/** Items by modality. */
async function countsOf({ catalog }: Context, collection: string, filter?: Filter): Promise<Map<Modality, number>> {
  const counted = await catalog.countValues(collection, { fields: [modalityField], limit: modalities.length, ...(filter && { filter }) });
  return new Map(counted[modalityField]!.values.map(({ value, count }) => [value as Modality, count]));
}

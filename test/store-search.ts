/** A page of a store's matches, as its leaves' lists merge: reckoned here, apart from what the service makes of them. */
import { MixspaceError } from '../src/errors.js';
import type { Item } from '../src/store/catalog.js';
import type { Leaf, NearestRequest, VectorIndex } from '../src/store/vector-index.js';

export type SearchRequest = Omit<NearestRequest, 'leaves'> & Omit<Leaf, 'modality'> & { modality?: Leaf['modality'] };

export async function search(index: Pick<VectorIndex, 'nearest'>, collection: string, { modality, limit, after, minScore, ...query }: SearchRequest): Promise<{ matches: { item: Item; score: number }[]; exact: boolean; more: boolean }> {
  const leaves = (modality ? [modality] : (['image', 'text'] as const)).map((each) => ({ modality: each, limit, ...(after ? { after } : {}), ...(minScore === undefined ? {} : { minScore }) }));
  const lists = await index.nearest(collection, { ...query, leaves });
  const all = lists.flatMap(({ neighbors }) => neighbors).sort((a, b) => b.score - a.score || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
  const matches = all.slice(0, limit).map(({ item, score }) => {
    if ('problem' in item) throw new MixspaceError('not_ready', item.problem);
    return { item, score };
  });
  return { matches, exact: lists.every(({ exact }) => exact), more: all.length > limit || lists.some(({ more }) => more) };
}

/** A page of a store's matches, as its leaves' lists merge: reckoned here, apart from what the service makes of them. */
import type { Leaf, Match, NearestRequest, Store } from '../src/store/store.js';

export type SearchRequest = Omit<NearestRequest, 'leaves'> & Omit<Leaf, 'modality'> & { modality?: Leaf['modality'] };

export async function search(store: Store, collection: string, { modality, limit, after, minScore, ...query }: SearchRequest): Promise<{ matches: Match[]; exact: boolean; more: boolean }> {
  const leaves = (modality ? [modality] : (['image', 'text'] as const)).map((each) => ({ modality: each, limit, ...(after ? { after } : {}), ...(minScore === undefined ? {} : { minScore }) }));
  const lists = await store.nearest(collection, { ...query, leaves });
  const all = lists.flatMap(({ matches }) => matches).sort((a, b) => b.score - a.score || Buffer.compare(Buffer.from(a.item.id), Buffer.from(b.item.id)));
  return { matches: all.slice(0, limit), exact: lists.every(({ exact }) => exact), more: all.length > limit || lists.some(({ more }) => more) };
}

import { MixspaceError } from '../../errors.js';
import type { Leaf, NearestRequest, Neighbor, Neighbors } from '../vector-index.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { KeySet } from './key-set.js';
import type { ModalityIndex } from './modality-index.js';
import { Ranking, type RankingRules } from './ranking.js';

/** Matches of a filter up to which they are compared one by one, whatever else is known of them. */
const narrow = 20_000;
/** Of the share of what matches that is to be looked at, so much suffices: more than chance leaves out. */
const leastOfShare = 0.7;
const attempts = 3;

/** The items nearest to an embedding in one list, each by its nearest part. Those below the score `wantedFrom` are left out. */
export async function nearest({ items }: { items: ItemTable }, index: ModalityIndex, leaf: Leaf & { wantedFrom: number }, query: Query): Promise<Neighbors> {
  const { embedding, filter, kind = 'embedding' } = query;
  if (index.isDivided && !leaf.after && !query.exact && !query.within) index.recall.note({ embedding, kind, ...(filter && { filter }) });
  for (let attempt = 1; ; attempt++) {
    const excluded = query.excludeIds?.map((id) => items.keyOf(index.owner.collection, id) ?? 0);
    const { ranking, exact } = await new LeafSearch(index, query, {
      // One more than asked for tells whether there is more.
      size: leaf.limit + 1,
      ...(leaf.after ? { after: leaf.after } : {}),
      ...(leaf.minScore === undefined ? {} : { minScore: leaf.minScore }),
      ...(excluded ? { excluded: new Set(excluded) } : {}),
      idOf: (item) => items.idOf(item),
    }).run();
    const found = ranking.best.slice(0, leaf.limit).filter(({ score }) => score >= leaf.wantedFrom);
    const byKey = items.byEmbeddings(found.map(({ key }) => key));
    const rows = found.map(({ key, score }) => ({ row: byKey.get(key), score }));
    // An item that went while the others were compared would leave a gap, and one replaced would stand there twice, or although it is left out.
    const isLeftOut = ({ id }: ItemRow): boolean => query.excludeIds?.includes(id) ?? false;
    const isSettled = rows.every(({ row }) => row && !isLeftOut(row));
    if (!isSettled && attempt < attempts) continue;
    const neighbors = rows.flatMap(({ row, score }): Neighbor[] => (row && !isLeftOut(row) ? [{ id: row.id, score, item: itemOf(items, row) }] : []));
    return { neighbors, exact, more: ranking.best.length > found.length };
  }
}

export function itemOf(items: ItemTable, row: ItemRow): Neighbor['item'] {
  try {
    return items.toItem(row);
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_ready') return { problem: error.message };
    throw error;
  }
}

export type Query = Omit<NearestRequest, 'leaves' | 'most' | 'fingerprint' | 'required'> & {
  /** Of these embeddings alone, as they are when it is asked. */
  within?: () => Promise<KeySet>;
};

interface Found {
  ranking: Ranking;
  exact: boolean;
  /** The share of all embeddings that the filter lets through. */
  selectivity: number;
}

/** One search in one list: with what matches the filter, or all; or with those of the nearest cells, where there are many. */
export class LeafSearch {
  readonly #index: ModalityIndex;
  readonly #query: Query;
  readonly #rules: RankingRules;

  constructor(index: ModalityIndex, query: Query, rules: RankingRules) {
    this.#index = index;
    this.#query = query;
    this.#rules = rules;
  }

  async run(): Promise<Found> {
    const { embedding } = this.#query;
    const { vectors, scope } = this.#index;
    const seenUpTo = scope.newestKey();
    const keys = await this.#keys();
    const selectivity = keys ? Math.min(1, keys.size / scope.total) : 1;
    const ranking = new Ranking(this.#rules);
    const share = this.#share(keys?.size, selectivity);
    const isEnough = share !== undefined && (await this.#probe(ranking, share, keys));
    if (!isEnough) await vectors.scan(embedding, ranking, { ...scope, keys });
    // An item that was replaced meanwhile is no longer where it was, and its new key not among those that matched.
    if (keys && scope.newestKey() > seenUpTo) await vectors.scanBehind(embedding, ranking, seenUpTo, { ...scope, keys: await this.#keys() });
    return { ranking, exact: isEnough !== 'some', selectivity };
  }

  async #keys(): Promise<KeySet | undefined> {
    const { filter, within } = this.#query;
    const matching = filter && (await this.#index.matchingKeys.of(filter));
    const wanted = await within?.();
    return matching && wanted ? matching.and(wanted) : (matching ?? wanted);
  }

  /** Whether all was looked at, or enough; false where what matches lies elsewhere than what is near. */
  async #probe(ranking: Ranking, share: number, keys: KeySet | undefined): Promise<'all' | 'some' | false> {
    const isBounded = this.#rules.minScore !== undefined;
    const { isAll, looked } = await this.#index.vectors.probe(this.#query.embedding, ranking, { ...this.#index.scope, keys, share, isBounded });
    if (isAll) return 'all';
    return looked >= share * leastOfShare && (ranking.full || isBounded) && 'some';
  }

  /** Of what matches, how much to look at; `undefined`: all. */
  #share(matching: number | undefined, selectivity: number): number | undefined {
    const { isDivided, recall } = this.#index;
    if (this.#query.exact || !isDivided || (matching !== undefined && matching <= narrow)) return undefined;
    const { after, size, excluded } = this.#rules;
    // The nearest of a part are as far away as so many more of all.
    return recall.share(this.#query.kind ?? 'embedding', ((after?.rank ?? 0) + size - 1 + (excluded?.size ?? 0)) / selectivity);
  }
}

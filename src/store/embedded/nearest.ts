import type { Box } from '../../domain/tiles.js';
import { MixspaceError } from '../../errors.js';
import type { Leaf, NearestRequest, Neighbor, Neighbors } from '../vector-index.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { KeySet } from './key-set.js';
import type { ModalityIndex } from './modality-index.js';
import { Passed, Ranking, type Offers, type RankingRules } from './ranking.js';
import type { EmbeddingTable } from './embedding-table.js';

/** Matches of a filter up to which they are compared one by one, whatever else is known of them. */
const narrow = 20_000;
/** Of the share of what matches that is to be looked at, so much suffices: more than chance leaves out. */
const leastOfShare = 0.7;
const attempts = 3;

/** The items nearest to an embedding in one list, each by its nearest part. Those below the score `wantedFrom` are left out. */
export async function nearest({ items, embeddings }: { items: ItemTable; embeddings: EmbeddingTable }, index: ModalityIndex, leaf: Leaf & { wantedFrom: number }, query: Query): Promise<Neighbors> {
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
    const rows = found.map(({ key, score }) => ({ ...ownerOf(embeddings, index, key, byKey.get(key)), score }));
    // An item that went while the others were compared would leave a gap, and one replaced would stand there twice, or although it is left out.
    const isLeftOut = ({ id }: ItemRow): boolean => query.excludeIds?.includes(id) ?? false;
    const isSettled = rows.every(({ row }) => row && !isLeftOut(row));
    if (!isSettled && attempt < attempts) continue;
    const neighbors = rows.flatMap(({ row, score, box }): Neighbor[] => (row && !isLeftOut(row) ? [{ id: row.id, score, ...(box && { box }), item: itemOf(items, row) }] : []));
    return { neighbors, exact, more: ranking.best.length > found.length };
  }
}

/** The item of an embedding and, of a tile, where it lies; nothing where it has gone meanwhile, or is damaged. */
export function ownerOf(embeddings: EmbeddingTable, { owner }: Pick<ModalityIndex, 'owner'>, key: number, found: { row: ItemRow; part: number } | undefined): { row?: ItemRow; box?: Box | undefined } {
  if (!found || found.part === 0) return { ...(found && { row: found.row }) };
  const tile = embeddings.byKey(key, owner.space);
  return tile ? { row: found.row, box: tile.box } : {};
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
    const { after, excluded = [] } = this.#rules;
    // Of an item that stands before the place, another part may lie behind it.
    const passed = after && this.#index.hasParts ? new Passed({ ...this.#rules, after }) : undefined;
    if (passed) await this.#compare(passed, true);
    const ranking = new Ranking(passed ? { ...this.#rules, excluded: new Set([...excluded, ...passed.items]) } : this.#rules);
    return { ranking, ...(await this.#compare(ranking, this.#rules.minScore !== undefined)) };
  }

  /** `isBounded`: there is a score below which none is wanted. */
  async #compare(ranking: Offers, isBounded: boolean): Promise<Omit<Found, 'ranking'>> {
    const { embedding } = this.#query;
    const { vectors, scope } = this.#index;
    const seenUpTo = scope.newestKey();
    const keys = await this.#keys();
    const selectivity = keys ? Math.min(1, keys.size / scope.total) : 1;
    const share = this.#share(keys?.size, selectivity);
    const isEnough = share !== undefined && (await this.#probe(ranking, { share, keys, isBounded }));
    if (!isEnough) await vectors.scan(embedding, ranking, { ...scope, keys });
    // An item that was replaced meanwhile is no longer where it was, and its new key not among those that matched.
    if (keys && scope.newestKey() > seenUpTo) await vectors.scanBehind(embedding, ranking, seenUpTo, { ...scope, keys: await this.#keys() });
    return { exact: isEnough !== 'some', selectivity };
  }

  async #keys(): Promise<KeySet | undefined> {
    const { filter, within } = this.#query;
    const matching = filter && (await this.#index.matchingKeys.of(filter));
    const wanted = await within?.();
    return matching && wanted ? matching.and(wanted) : (matching ?? wanted);
  }

  /** Whether all was looked at, or enough; false where what matches lies elsewhere than what is near. */
  async #probe(ranking: Offers, { share, keys, isBounded }: { share: number; keys: KeySet | undefined; isBounded: boolean }): Promise<'all' | 'some' | false> {
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

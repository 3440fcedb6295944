import { MixspaceError } from '../../errors.js';
import type { Leaf, NearestRequest, Neighbor, Neighbors } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { KeySet } from './key-set.js';
import type { ModalityIndex } from './modality-index.js';
import { Ranking, similarity, type RankingRules } from './ranking.js';
import type { ScanScope } from './vectors.js';

/** Places from which on the graph's search list would be longer than comparing with everything is worth. */
const deepestRank = 1_000;
/** Matches of a filter up to which they are compared one by one instead of sought in the graph; or the share of all embeddings, where these are not in memory. */
const narrow = { inMemory: 50_000, fromDisk: 512, shareFromDisk: 0.05 } as const;
/** The graph is asked for more than is needed: its last neighbors are its least certain. */
const slack = 16;
const attempts = 3;

/**
 * The items nearest to an embedding in one list, each by its nearest part: among the graph's, and exactly among what the
 * graph does not hold yet. Those below the score `wantedFrom` are left out.
 */
export async function nearest({ items, embeddings }: { items: ItemTable; embeddings: EmbeddingTable }, index: ModalityIndex, leaf: Leaf & { wantedFrom: number }, query: Query): Promise<Neighbors> {
  for (let attempt = 1; ; attempt++) {
    const excluded = query.excludeIds?.map((id) => items.keyOf(index.owner.collection, id) ?? 0);
    const { ranking, exact } = await new LeafSearch(embeddings, index, query, {
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

function itemOf(items: ItemTable, row: ItemRow): Neighbor['item'] {
  try {
    return items.toItem(row);
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_ready') return { problem: error.message };
    throw error;
  }
}

type Query = Omit<NearestRequest, 'leaves' | 'most' | 'fingerprint'>;

interface Found {
  ranking: Ranking;
  exact: boolean;
}

class LeafSearch {
  readonly #embeddings: EmbeddingTable;
  readonly #index: ModalityIndex;
  readonly #query: Query;
  readonly #rules: RankingRules;

  constructor(embeddings: EmbeddingTable, index: ModalityIndex, query: Query, rules: RankingRules) {
    this.#embeddings = embeddings;
    this.#index = index;
    this.#query = query;
    this.#rules = rules;
  }

  async run(): Promise<Found> {
    const { filter, exact } = this.#query;
    const matching = filter && (await this.#index.matchingKeys.of(filter));
    if (matching && this.#isNarrow(matching.size)) return this.#compared(matching);
    const approximate = exact ? undefined : await this.#throughGraph(matching);
    return approximate ?? this.#compared(matching);
  }

  #isNarrow(matching: number): boolean {
    const { count, vectors } = this.#index;
    if (matching <= narrow.fromDisk) return true;
    return vectors.fits(count) ? matching <= narrow.inMemory : matching < count * narrow.shareFromDisk;
  }

  /** Of all embeddings, or of those alone that match. */
  async #compared(matching?: KeySet): Promise<Found> {
    const ranking = new Ranking(this.#rules);
    await this.#scan(ranking, { after: 0, expected: this.#index.count }, matching);
    return { ranking, exact: true };
  }

  /** `undefined` when the graph is missing or gives too few to be sure of a full page. */
  async #throughGraph(matching?: KeySet): Promise<Found | undefined> {
    const { graph, recall } = this.#index;
    const { embedding } = this.#query;
    const { after, size, minScore, excluded } = this.#rules;
    const needed = (after?.rank ?? 0) + size + (excluded?.size ?? 0);
    if (!graph || needed > deepestRank || recall.effort === Infinity) return undefined;
    if (!matching && !after) recall.note(embedding);

    const ranking = new Ranking(this.#rules);
    const { through, alive } = graph;
    const nearest = graph.nearest(embedding, needed + slack, { accepts: matching && ((key) => matching.has(key)), effort: recall.effort });
    let worst = 1;
    for (const key of nearest) {
      const row = this.#embeddings.byKey(key, this.#index.owner.space);
      if (!row) continue;
      const score = similarity(embedding, row.embedding);
      worst = Math.min(worst, score);
      ranking.offer({ key, item: row.item, score });
    }
    const enough = ranking.full || (minScore !== undefined && worst < minScore) || nearest.length === alive;
    if (!enough) return undefined;
    const { count } = this.#index;
    if (alive < count) await this.#scan(ranking, { after: through, expected: count - alive }, matching);
    return { ranking, exact: nearest.length === alive };
  }

  #scan(ranking: Ranking, part: Pick<ScanScope, 'after' | 'expected'>, keys?: KeySet): Promise<void> {
    return this.#index.vectors.scan(this.#query.embedding, ranking, { ...part, total: this.#index.count, ...(keys ? { keys } : {}) });
  }
}

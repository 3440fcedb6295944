import { MixspaceError } from '../../errors.js';
import type { Leaf, NearestRequest, Neighbor, Neighbors } from '../vector-index.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemRow, ItemTable } from './item-table.js';
import type { ModalityIndex } from './modality-index.js';
import { Ranking, similarity, type RankingRules } from './ranking.js';

/** Places from which on the graph's search list would be longer than comparing with everything is worth. */
const deepestRank = 1_000;
/** The share of items below which a filter's matches are compared one by one instead of sought in the graph. */
const narrowShare = 0.05;
/** The graph is asked for more than is needed: its last neighbors are its least certain. */
const slack = 16;
const attempts = 3;

/** The items nearest to an embedding in one list, each by its nearest part: among the graph's, and exactly among what the graph does not hold yet. */
export async function nearest({ items, embeddings }: { items: ItemTable; embeddings: EmbeddingTable }, index: ModalityIndex, leaf: Leaf, query: Query): Promise<Neighbors> {
  const rules: RankingRules = {
    // One more than asked for tells whether there is more.
    size: leaf.limit + 1,
    ...(leaf.after ? { after: leaf.after } : {}),
    ...(leaf.minScore === undefined ? {} : { minScore: leaf.minScore }),
    ...(query.excludeIds ? { excludeIds: new Set(query.excludeIds) } : {}),
  };
  for (let attempt = 1; ; attempt++) {
    const { ranking, exact } = await new LeafSearch(embeddings, index, query, rules).run();
    const rows = ranking.best.slice(0, leaf.limit).map(({ key, score }) => ({ row: items.byEmbedding(key), score }));
    // An item that went while the others were compared would leave a gap, and one replaced would stand there twice.
    if (rows.some(({ row }) => row === undefined) && attempt < attempts) continue;
    const neighbors = rows.flatMap(({ row, score }): Neighbor[] => (row ? [{ id: row.id, score, item: itemOf(items, row) }] : []));
    return { neighbors, exact, more: ranking.best.length > leaf.limit };
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

type Query = Omit<NearestRequest, 'leaves' | 'fingerprint'>;

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
    const narrow = matching && (matching.size <= 512 || matching.size < this.#index.count * narrowShare);
    if (narrow) return this.#among(matching);
    const approximate = exact ? undefined : await this.#throughGraph(matching);
    return approximate ?? this.#everything(matching);
  }

  async #among(keys: ReadonlySet<number>): Promise<Found> {
    const ranking = new Ranking(this.#rules);
    await this.#index.vectors.scanKeys(this.#query.embedding, ranking, keys);
    return { ranking, exact: true };
  }

  async #everything(matching?: ReadonlySet<number>): Promise<Found> {
    const ranking = new Ranking(this.#rules);
    await this.#scan(ranking, 0, this.#index.count, matching);
    return { ranking, exact: true };
  }

  /** `undefined` when the graph is missing or gives too few to be sure of a full page. */
  async #throughGraph(matching?: ReadonlySet<number>): Promise<Found | undefined> {
    const { graph } = this.#index;
    const { embedding } = this.#query;
    const { after, size, minScore, excludeIds } = this.#rules;
    const needed = (after?.rank ?? 0) + size + (excludeIds?.size ?? 0);
    if (!graph || needed > deepestRank) return undefined;

    const ranking = new Ranking(this.#rules);
    const { through, alive } = graph;
    const nearest = graph.nearest(embedding, needed + slack, matching && ((key) => matching.has(key)));
    let worst = 1;
    for (const key of nearest) {
      const row = this.#embeddings.byKey(key, this.#index.owner.space);
      if (!row) continue;
      const score = similarity(embedding, row.embedding);
      worst = Math.min(worst, score);
      ranking.offer(key, row.id, score);
    }
    const enough = ranking.full || (minScore !== undefined && worst < minScore) || nearest.length === alive;
    if (!enough) return undefined;
    await this.#scan(ranking, through, this.#index.count - alive, matching);
    return { ranking, exact: nearest.length === alive };
  }

  #scan(ranking: Ranking, after: number, expected: number, matching?: ReadonlySet<number>): Promise<void> {
    return this.#index.vectors.scan(this.#query.embedding, ranking, {
      after,
      expected,
      total: this.#index.count,
      ...(matching ? { accepts: (key) => matching.has(key) } : {}),
    });
  }
}

import type { Match, SearchAnswer, SearchRequest } from '../store.js';
import type { EmbeddingTable } from './embedding-table.js';
import type { ItemTable } from './item-table.js';
import type { ModalityIndex } from './modality-index.js';
import { Ranking, similarity, type RankingRules } from './ranking.js';

/** Places from which on the graph's search list would be longer than comparing with everything is worth. */
const deepestRank = 1_000;
/** The share of items below which a filter's matches are compared one by one instead of sought in the graph. */
const narrowShare = 0.05;
/** The graph is asked for more than is needed: its last neighbors are its least certain. */
const slack = 16;
const attempts = 3;

/** Finds the items nearest to an embedding, each by its nearest part: among the graph's, and exactly among what the graph does not hold yet. */
export async function search({ items, embeddings }: { items: ItemTable; embeddings: EmbeddingTable }, indexes: ModalityIndex[], request: SearchRequest): Promise<SearchAnswer> {
  const rules: RankingRules = {
    // One more than asked for tells whether there is more.
    size: request.limit + 1,
    ...(request.after ? { after: request.after } : {}),
    ...(request.minScore === undefined ? {} : { minScore: request.minScore }),
    ...(request.excludeIds ? { excludeIds: new Set(request.excludeIds) } : {}),
  };
  for (let attempt = 1; ; attempt++) {
    const ranking = new Ranking(rules);
    let exact = true;
    for (const index of indexes) {
      const found = await new ModalitySearch(embeddings, index, request, rules).run();
      ranking.merge(found.ranking);
      exact &&= found.exact;
    }
    const rows = ranking.best.slice(0, request.limit).map(({ key, score }) => ({ row: items.byEmbedding(key), score }));
    // An item that went while the others were compared would leave a gap, and one replaced would stand there twice.
    if (rows.some(({ row }) => row === undefined) && attempt < attempts) continue;
    const matches = rows.flatMap(({ row, score }): Match[] => (row ? [{ item: items.toItem(row), score }] : []));
    return { matches, exact, more: ranking.best.length > request.limit };
  }
}

interface Found {
  ranking: Ranking;
  exact: boolean;
}

class ModalitySearch {
  readonly #embeddings: EmbeddingTable;
  readonly #index: ModalityIndex;
  readonly #request: SearchRequest;
  readonly #rules: RankingRules;

  constructor(embeddings: EmbeddingTable, index: ModalityIndex, request: SearchRequest, rules: RankingRules) {
    this.#embeddings = embeddings;
    this.#index = index;
    this.#request = request;
    this.#rules = rules;
  }

  async run(): Promise<Found> {
    const { filter, exact } = this.#request;
    const matching = filter && (await this.#index.filterKeys.of(filter));
    const narrow = matching && (matching.size <= 512 || matching.size < this.#index.count * narrowShare);
    if (narrow) return this.#among(matching);
    const approximate = exact ? undefined : await this.#throughGraph(matching);
    return approximate ?? this.#everything(matching);
  }

  async #among(keys: ReadonlySet<number>): Promise<Found> {
    const ranking = new Ranking(this.#rules);
    await this.#index.vectors.scanKeys(this.#request.embedding, ranking, keys);
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
    const { embedding, after, minScore, excludeIds } = this.#request;
    const needed = (after?.rank ?? 0) + this.#rules.size + (excludeIds?.length ?? 0);
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
    return this.#index.vectors.scan(this.#request.embedding, ranking, {
      after,
      expected,
      total: this.#index.count,
      ...(matching ? { accepts: (key) => matching.has(key) } : {}),
    });
  }
}

import { compareCodePoints } from '../../domain/code-point-order.js';
import type { QueryKind } from '../../domain/recall.js';
import { toItem } from '../stored-item.js';
import type { Leaf, Neighbor } from '../vector-index.js';
import type { Session } from './database.js';
import { toBox } from './embeddings.js';
import { toStoredItem } from './items.js';
import { planOf, type LeafPlan } from './leaf-plan.js';
import { byGraph, comparingAll, comparingMatching, type Row, type Statement, type Wanted } from './leaf-statements.js';
import type { List } from './lists.js';
import type { Selectivities } from './selectivity.js';

/** Beyond what was asked for: one that tells whether there is more, and one that tells that the last has no equal. */
const beyond = 2;
/** Where a list's end was uncertain it is so many times as long the next time. */
const growth = 8;

export interface LeafQuery extends Omit<Wanted, 'after'> {
  kind?: QueryKind | undefined;
  exact?: boolean | undefined;
}

/** The best in full order; `exact`: provably so. At most one more than the leaf's limit. */
export interface Found {
  best: Row[];
  exact: boolean;
}

/** One search in one list. Inside the caller's transaction, whose settings it changes. */
export class LeafSearch {
  readonly #session: Session;
  readonly #list: List;
  readonly #leaf: Leaf;
  readonly #wanted: Wanted;

  constructor(session: Session, list: List, leaf: Leaf, query: LeafQuery) {
    this.#session = session;
    this.#list = list;
    this.#leaf = leaf;
    this.#wanted = { ...query, after: leaf.after };
  }

  async run(plan: LeafPlan): Promise<Found> {
    const near = plan.way === 'graph' ? await this.#byGraph(plan) : undefined;
    if (near) return { best: near, exact: false };
    return { best: await this.#comparing(), exact: true };
  }

  /** `undefined` where it did not come to so many. */
  async #byGraph({ ef, visits, most }: LeafPlan & { way: 'graph' }): Promise<Row[] | undefined> {
    await this.#session.execute(
      `SET LOCAL enable_sort = off; SET LOCAL hnsw.ef_search = ${ef}; SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.max_scan_tuples = ${visits}; SET LOCAL hnsw.scan_mem_multiplier = 8`,
    );
    const { limit, minScore = -Infinity } = this.#leaf;
    const { filter, after, excluded } = this.#wanted;
    // Behind the first candidates, or by rounded embeddings, some come late: strict_order would drop them.
    const isFirst = !filter && !after && excluded.length === 0 && this.#list.graph === 'full';
    const first = (isFirst ? 1 : 2) * limit + beyond;
    for (const count of [first, growth * first]) {
      const rows = await this.#rows(byGraph(this.#list, this.#wanted, count, Math.ceil((most * count) / first)));
      if (rows.length < count) return undefined;
      const end = Math.min(...rows.map(({ seen }) => seen!));
      const certain = this.#inOrder(rows).filter(({ score }) => score > end);
      if (certain.length > limit || end < minScore) return certain.slice(0, limit + 1);
    }
    return undefined;
  }

  async #comparing(): Promise<Row[]> {
    await this.#session.execute('SET LOCAL enable_sort = on');
    const { limit, minScore } = this.#leaf;
    const { filter, required = [] } = this.#wanted;
    let least = minScore;
    if (!filter && required.length === 0) {
      const count = limit + beyond;
      const rows = await this.#rows(comparingAll(this.#list, this.#wanted, count));
      const inOrder = this.#inOrder(rows);
      const end = rows.length < count ? -Infinity : Math.min(...rows.map(({ score }) => score));
      const certain = inOrder.filter(({ score }) => score > end);
      if (certain.length > limit || end === -Infinity || end < (minScore ?? -Infinity)) return certain.slice(0, limit + 1);
      // Equals that stand before the place took some of the places.
      if (inOrder.length > limit) least = Math.max(end, minScore ?? -1);
    }
    return this.#inOrder(await this.#rows(comparingMatching(this.#list, this.#wanted, limit + 1, least)));
  }

  async #rows({ sql, values }: Statement): Promise<Row[]> {
    return this.#session.rows<Row>(sql, values);
  }

  /** Each item once; those behind the place, with the least score. */
  #inOrder(rows: Row[]): Row[] {
    const { after, minScore = -Infinity } = this.#leaf;
    const isBehind = ({ score, id }: Row): boolean => !after || score < after.score || (score === after.score && compareCodePoints(id, after.id) > 0);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return [...byId.values()].filter((row) => row.score >= minScore && isBehind(row)).sort((a, b) => b.score - a.score || compareCodePoints(a.id, b.id));
  }
}

export function toNeighbor({ score, part, box, seen: _seen, ...row }: Row): Neighbor {
  return { id: row.id, score, ...(part > 0 && box !== null && { box: toBox(box) }), item: toItem(toStoredItem(row)) };
}

/** How to search a leaf: what it costs is reckoned before. */
export async function planLeaf(session: Session, { list, leaf, query, selectivities, graphFrom }: { list: List; leaf: Leaf; query: LeafQuery; selectivities: Selectivities; graphFrom: number }): Promise<LeafPlan> {
  const { filter, required = [], excluded, exact, kind = 'embedding' } = query;
  if (required.length > 0) return { way: 'matching' };
  if (exact || list.graph === null || list.embeddings < graphFrom) return { way: filter ? 'matching' : 'all' };
  const depth = (leaf.after?.rank ?? 0) + leaf.limit + excluded.length;
  const question = { embeddings: list.embeddings, dimension: list.collection.dimension, depth, kind };
  // Where so many are wanted, no filter makes the graph the quicker way.
  const plan = planOf(question);
  return filter && plan.way === 'graph' ? planOf({ ...question, selectivity: await selectivities.of(session, list, filter) }) : filter ? { way: 'matching' } : plan;
}

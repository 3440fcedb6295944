import type { Filter } from '../../domain/filter.js';
import type { Session } from './database.js';
import { compileFilter } from './filter.js';
import { drawnItems, type List } from './lists.js';
import { itemsOf } from './tables.js';

/** Items that are looked at. */
const drawn = 400;
const knownForMs = 30_000;
const mostKnown = 1_000;

/** What a filter lets through of a list, roughly. */
export interface Selectivity {
  /** Above 0, at most 1. */
  share: number;
  /** An index leads to what it lets through. */
  isIndexed: boolean;
}

/** Measured on some items of each list, and remembered for a while: it decides how a search goes about it, and never what it finds. */
export class Selectivities {
  readonly #known = new Map<string, Selectivity & { at: number }>();

  async of(session: Session, list: List, filter: Filter): Promise<Selectivity> {
    const name = `${list.table} ${JSON.stringify(filter)}`;
    const known = this.#known.get(name);
    if (known && performance.now() - known.at < knownForMs) return known;
    const measured = { ...(await measure(session, list, filter)), at: performance.now() };
    this.#known.delete(name);
    this.#known.set(name, measured);
    if (this.#known.size > mostKnown) this.#known.delete(this.#known.keys().next().value!);
    return measured;
  }
}

async function measure(session: Session, { collection, table }: List, filter: Filter): Promise<Selectivity> {
  const values: unknown[] = [];
  const condition = compileFilter(filter, values);
  const items = itemsOf(collection.key);
  const { all, passed } = (await session.row<{ all: number; passed: number }>(
    `SELECT count(*) AS "all", count(*) FILTER (WHERE passes) AS passed
       FROM (SELECT (SELECT ${condition} FROM ${items} WHERE key = sample.item) AS passes FROM (${drawnItems(table, drawn, 'lo + floor(random() * (hi - lo + 1))::bigint')}) AS sample) AS judged`,
    values,
  ))!;
  const plan = await session.row<{ 'QUERY PLAN': object }>(`EXPLAIN (FORMAT JSON) SELECT key FROM ${items} WHERE ${condition}`, values);
  // So many more or fewer are as likely by chance.
  return { share: Math.min(1, (passed + 0.5) / (all + 1)), isIndexed: JSON.stringify(plan).includes('Bitmap Index Scan') };
}

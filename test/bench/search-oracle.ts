import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CloudItem } from './shifted-cloud.js';

export const limit = 10;
/** What a score may differ by that is added up in another order. */
const rounding = 1e-6;

export interface ItemFilter {
  name: string;
  /** As a search of the service says it; left out: every item. */
  body?: Record<string, unknown>;
  /** Where it is all of one group, which. */
  group?: number;
  accepts: (item: CloudItem) => boolean;
}

interface Wanted {
  /** Places of a page that there are items for. */
  places: number;
  /** Of each query, the score of the page's last place. */
  floors: number[];
}

/** What searches must find, by comparing each query with every item. */
export class SearchOracle {
  readonly #items: CloudItem[];
  readonly #queries: number[][];
  readonly #wanted = new Map<ItemFilter, Wanted>();

  private constructor(items: CloudItem[], queries: number[][]) {
    this.#items = items;
    this.#queries = queries;
  }

  static async of(items: CloudItem[], queries: number[][], filters: ItemFilter[]): Promise<SearchOracle> {
    const oracle = new SearchOracle(items, queries);
    const all = filters.map((filter) => {
      const rows = Uint32Array.from(items.flatMap((item, row) => (filter.accepts(item) ? [row] : [])));
      const wanted: Wanted = { places: Math.min(limit, rows.length), floors: [] };
      oracle.#wanted.set(filter, wanted);
      return { rows, wanted };
    });
    for (const query of queries) {
      const scores = Float32Array.from(items, ({ embedding }) => score(query, embedding));
      for (const { rows, wanted } of all) wanted.floors.push(scoreAtPlace(wanted.places, scores, rows));
      await nextTurn();
    }
    return oracle;
  }

  /** The share that answers, rows of items by query, have of what is nearest. Answers to queries that it does not know are left alone. */
  recall(filter: ItemFilter, answers: number[][]): number {
    const { places, floors } = this.#wanted.get(filter)!;
    let hits = 0;
    for (const [i, query] of this.#queries.entries()) {
      for (const row of new Set(answers[i])) {
        const item = this.#items[row]!;
        if (filter.accepts(item) && score(query, item.embedding) >= floors[i]! - rounding) hits++;
      }
    }
    return hits / (places * this.#queries.length);
  }
}

function score(query: number[], embedding: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < embedding.length; i++) sum += query[i]! * embedding[i]!;
  return sum;
}

function scoreAtPlace(places: number, scores: Float32Array, rows: Uint32Array): number {
  const highest = new Float32Array(places).fill(-Infinity);
  for (const row of rows) {
    if (!(scores[row]! > highest[0]!)) continue;
    highest[0] = scores[row]!;
    highest.sort();
  }
  return highest[0] ?? Infinity;
}

import { compareCodePoints } from '../../domain/code-point-order.js';
import { compareIn, orderValueOf, type OrderValue } from '../../domain/field-order.js';
import { fieldValueOf } from './field-value.js';
import type { SortPlace } from './going.js';
import { joined } from './lexical/join.js';
import type { FoundByWords } from './lexical/lexical.js';
import type { NearList } from './near.js';
import type { Order } from './order.js';
import type { Match } from './plan.js';

export interface Sort {
  field: string;
  descending: boolean;
}

/** What is relevant, in the order of a field. */
export function sortedOrder(near: NearList, worded: FoundByWords | undefined, sort: Sort): Order<Match> {
  return async ({ limit, place, counted = limit }) => {
    const relevant = await near.relevant(counted);
    const all = worded ? joined(relevant.matches, worded.matches) : relevant.matches;
    const { matches, next } = sortedPage(all, sort, { limit, after: place && 'sorted' in place ? place.sorted : undefined });
    return { matches, exact: relevant.exact && (worded?.complete ?? true), leftOut: relevant.leftOut, ...(next ? { next: { sorted: next } } : {}) };
  };
}

/** A page of matches in the order of a field, as listings have it; of equal values by id. */
function sortedPage(matches: Match[], { field, descending }: Sort, { limit, after }: { limit: number; after: SortPlace | undefined }): { matches: Match[]; next?: SortPlace } {
  const compareValues = compareIn(descending);
  const compare = (a: [OrderValue, string], b: [OrderValue, string]): number => compareValues({ value: a[0], key: 0 }, { value: b[0], key: 0 }) || compareCodePoints(a[1], b[1]);
  const placed = matches.map((match) => ({ match, place: [orderValueOf(fieldValueOf(match.item, field), descending), match.item.id] as [OrderValue, string] })).sort((a, b) => compare(a.place, b.place));
  const behind = after === undefined ? placed : placed.filter(({ place }) => compare(place, [after[0] ?? undefined, after[1]]) > 0);
  const page = behind.slice(0, limit);
  const last = page.at(-1)?.place;
  return { matches: page.map(({ match }) => match), ...(behind.length > page.length && last ? { next: [last[0] ?? null, last[1]] } : {}) };
}

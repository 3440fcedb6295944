import type { Scalar } from '../../domain/filter.js';
import type { Item } from '../../store/catalog.js';
import { fieldValueOf } from './field-value.js';
import type { Order, OrderPage } from './order.js';
import type { Group } from './plan.js';

/** Matches that are looked at for groups, at most. */
const mostLookedAt = 5_000;
const mostAtOnce = 1_000;
const leastAtOnce = 100;
/** Of the first look, for each group that is wanted. */
const perGroup = 4;

/** Of each value of a field the first match of an order; one without a value stands for itself. */
export function groupedBy<M extends { item: Item; group?: Group }>(order: Order<M>, field: string): Order<M> {
  return async ({ limit, place, counted = limit }) => {
    const from = place && 'grouped' in place ? place.grouped : 0;
    const to = from + limit;
    const heads: M[] = [];
    const byValue = new Map<string, Group>();
    let looked = 0;
    let next: OrderPage<M>['next'];
    let exact = true;
    let leftOut: number | undefined;
    do {
      const atOnce = looked === 0 ? Math.min(mostAtOnce, Math.max(leastAtOnce, perGroup * to)) : mostAtOnce;
      const page = await order({ limit: Math.min(atOnce, mostLookedAt - looked), place: next, counted: from + counted });
      for (const match of page.matches) {
        const value = groupValueOf(match.item, field);
        const known = value === undefined ? undefined : byValue.get(keyOf(value));
        if (known) {
          known.more++;
          continue;
        }
        const group = value === undefined ? undefined : { value, more: 0 };
        if (group) byValue.set(keyOf(group.value), group);
        heads.push(group ? { ...match, group } : match);
      }
      looked += page.matches.length;
      exact &&= page.exact;
      leftOut ??= page.leftOut;
      next = page.next;
    } while (next && heads.length < to && looked < mostLookedAt);
    const hasMore = heads.length > to || (next !== undefined && looked < mostLookedAt);
    return { matches: heads.slice(from, to), exact, leftOut, groups: { looked, complete: next === undefined }, ...(hasMore ? { next: { grouped: to } } : {}) };
  };
}

const keyOf = (value: Scalar): string => JSON.stringify(value);

/** Of a list the first scalar. */
function groupValueOf(item: Item, field: string): Scalar | undefined {
  return [fieldValueOf(item, field)].flat().find((each): each is Scalar => each === null || ['string', 'number', 'boolean'].includes(typeof each));
}

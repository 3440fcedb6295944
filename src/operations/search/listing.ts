import { sortOf } from '../../contract/filter.js';
import type { SearchRequest } from '../../contract/search.js';
import type { Filter } from '../../domain/filter.js';
import type { Item } from '../../store/catalog.js';
import type { Context } from '../context.js';
import type { Order } from './order.js';

const newestFirst = '-$item.taken_at';

/** Of a search that has nothing to search for: items that its filter matches, in the order asked for. */
export function listedOrder({ catalog }: Context, name: string, { sort, filter }: { sort: SearchRequest['sort']; filter?: Filter }): Order<{ item: Item }> {
  return async ({ limit, place }) => {
    const { items, next } = await catalog.listItems(name, { sort: sortOf(sort ?? newestFirst), limit, ...(filter && { filter }), ...(place && 'listed' in place && { after: place.listed }) });
    return { matches: items.map((item) => ({ item })), exact: true, leftOut: 0, ...(next ? { next: { listed: next } } : {}) };
  };
}

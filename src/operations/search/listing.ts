import { sortOf } from '../../contract/filter.js';
import type { SearchRequest } from '../../contract/search.js';
import type { Filter } from '../../domain/filter.js';
import type { Item, ListPlace } from '../../store/catalog.js';
import type { Context } from '../context.js';

const newestFirst = '-$item.taken_at';

/** A page of a search that has nothing to search for: items that its filter matches, in the order asked for. */
export async function listed({ catalog }: Context, name: string, { sort, limit, filter, after }: { sort: SearchRequest['sort']; limit: number; filter?: Filter; after?: ListPlace }): Promise<{ items: Item[]; next?: ListPlace }> {
  return catalog.listItems(name, { sort: sortOf(sort ?? newestFirst), limit, ...(filter && { filter }), ...(after && { after }) });
}

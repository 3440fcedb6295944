import type { Filter } from '../domain/filter.js';
import type { Modality } from '../domain/modality.js';
import { MixspaceError } from '../errors.js';
import type { Item } from '../store/catalog.js';
import type { Context } from './context.js';

/** Items listed at once. */
const pageItems = 1_000;
/** What a job holds of each item in memory is some hundred bytes. */
const mostItems = 1_000_000;

/** Those of the items that match and have an embedding, by id, each as `note` has it. @throws MixspaceError `unprocessable`: too many. */
export async function inventory<T>(context: Context, collection: string, { signal, ...what }: { modality?: Modality; filter?: Filter; signal: AbortSignal }, note: (item: Item) => T): Promise<T[]> {
  const filter = conditionOf(what);
  const found: T[] = [];
  for (let after: Awaited<ReturnType<Context['catalog']['listItems']>>['next']; ; ) {
    signal.throwIfAborted();
    const { items, next } = await context.catalog.listItems(collection, { limit: pageItems, ...(filter && { filter }), ...(after && { after }) });
    for (const item of items) if (item.unembedded === undefined) found.push(note(item));
    if (found.length > mostItems) throw new MixspaceError('unprocessable', `At most ${mostItems} items are taken at once: a filter says which.`, { param: 'filter' });
    if (next === undefined) return found;
    after = next;
  }
}

/** Of a modality, and as the filter says. */
export function conditionOf({ modality, filter }: { modality?: Modality; filter?: Filter }): Filter | undefined {
  if (modality === undefined) return filter;
  const own: Filter = { '$item.modality': modality };
  return filter === undefined ? own : { $and: [own, filter] };
}

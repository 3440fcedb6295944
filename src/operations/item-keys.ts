/** Items by their keys: whole numbers below 2^32 that stay an item's own as long as the store is this one. */
import type { Item as Told } from '../contract/items.js';
import { MixspaceError } from '../errors.js';
import { mapLimited } from '../map-limited.js';
import type { Context } from './context.js';
import { getItem } from './items.js';

const mostKey = 2 ** 32 - 1;
const readAtOnce = 16;

/** In the order of the ids; 0 where there is no such item. */
export async function keysOf(context: Context, collection: string, ids: string[]): Promise<number[]> {
  return [...(await context.catalog.keysOfIds(collection, ids))];
}

/** In the order of the keys; those that are no item's here are left out. */
export async function itemsWithKeys(context: Context, collection: string, keys: number[]): Promise<{ key: number; item: Told }[]> {
  const possible = keys.filter((key) => Number.isInteger(key) && key > 0 && key <= mostKey);
  const ids = await context.catalog.idsOfKeys(collection, Uint32Array.from(possible));
  const found = await mapLimited(ids, readAtOnce, async (id) => (id === '' ? undefined : getItem(context, collection, id).catch(unlessGone)));
  return found.flatMap((item, i) => (item ? [{ key: possible[i]!, item }] : []));
}

function unlessGone(error: unknown): undefined {
  if (error instanceof MixspaceError && error.code === 'not_found') return undefined;
  throw error;
}

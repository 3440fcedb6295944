import type { Sort } from '../contract/filter.js';
import type { Facets, Item as Told, ItemEmbeddings, ItemEmbeddingsRequest, ItemPage, ItemPatch, ItemSources } from '../contract/items.js';
import { limits } from '../contract/limits.js';
import { matchesAll, type Filter } from '../domain/filter.js';
import type { Box } from '../domain/tiles.js';
import { MixspaceError } from '../errors.js';
import type { Item, ListPlace, Picture } from '../store/catalog.js';
import type { Context } from './context.js';
import { encoded } from './embed/encoding-formats.js';
import { checkMetadata } from './input/limits.js';
import { placeIn } from './place-in.js';

const pageSize = 100;
const facetSize = 20;

export async function itemsExist(context: Context, collection: string, ids: string[]): Promise<{ missing: string[] }> {
  const there = new Set((await context.catalog.present(collection, ids)).map(({ id }) => id));
  return { missing: ids.filter((id) => !there.has(id)) };
}

export async function listItems(context: Context, collection: string, request: { filter?: Filter; sort?: Sort; limit?: number; cursor?: string }): Promise<ItemPage> {
  const { filter, sort, limit = pageSize, cursor } = request;
  // A place in an order is of this collection's own keys.
  const order = sort && { ...sort, of: (await context.catalog.getCollection(collection)).createdAt };
  const scope = ['items', collection, filter ?? null, ...(order ? [order] : [])];
  const after = cursor === undefined ? undefined : ((await context.cursors.open(cursor, scope)) as ListPlace);
  const { items, next } = await context.catalog.listItems(collection, { limit, ...(filter && { filter }), ...(sort && { sort }), ...(after && { after }) });
  return { items: items.map((item) => toldItem(collection, item)), ...(next ? { next_cursor: await context.cursors.seal(next, scope) } : {}) };
}

export async function facets(context: Context, collection: string, { limit = facetSize, ...request }: { fields: string[]; filter?: Filter; limit?: number }): Promise<Facets> {
  return { facets: await context.catalog.countValues(collection, { limit, ...request }) };
}

export async function itemEmbeddings(context: Context, collection: string, { ids, encoding_format = 'float' }: ItemEmbeddingsRequest): Promise<ItemEmbeddings> {
  const { fingerprint, items } = await context.catalog.getEmbeddings(collection, ids);
  const there = new Set(items.map(({ id }) => id));
  return {
    fingerprint,
    data: items.flatMap(({ id, modality, parts, boxes }) => parts.map((part, i) => ({ id, modality, ...(parts.length > 1 ? { part: i } : {}), ...boxIn(boxes[i]), embedding: encoded(part, encoding_format) as string | number[] }))),
    missing: ids.filter((id) => !there.has(id)),
  };
}

const boxIn = (box: Box | undefined): { box?: [number, number, number, number] } => (box ? { box: [...box] } : {});

export async function getItem(context: Context, collection: string, id: string): Promise<Told> {
  return toldItem(collection, await context.catalog.getItem(collection, id));
}

export async function patchItem(context: Context, collection: string, id: string, { metadata, sources }: ItemPatch): Promise<Told> {
  checkMetadata(context, metadata);
  if (sources === undefined) return toldItem(collection, await context.catalog.setMetadata(collection, id, metadata!));
  const { add = [], remove = [] } = sources;
  return toldItem(collection, await context.catalog.changeSources(collection, id, { add, remove, ...(metadata && { metadata }) }));
}

export async function itemSources(context: Context, collection: string, id: string, { limit = pageSize, cursor }: { limit?: number; cursor?: string }): Promise<ItemSources> {
  const scope = ['sources', collection, id];
  const from = (await placeIn(context.cursors, cursor, scope)) ?? 0;
  const { sources } = await context.catalog.getItem(collection, id);
  const next = from + limit;
  return { sources: sources.slice(from, next), ...(sources.length > next ? { next_cursor: await context.cursors.seal([next], scope) } : {}) };
}

export async function deleteItem(context: Context, collection: string, id: string): Promise<void> {
  await context.catalog.deleteItem(collection, id);
}

export async function deleteItems(context: Context, collection: string, request: { filter?: Filter; all?: boolean }): Promise<{ deleted: number }> {
  const { filter } = request;
  const isUnbounded = filter === undefined || matchesAll(filter);
  if (isUnbounded && !request.all) {
    const what = filter === undefined ? 'Say which items: a filter' : 'This filter leaves nothing out: send one that does';
    throw new MixspaceError('invalid_request', `${what}, or all=true for every one.`, { param: 'filter' });
  }
  if (!isUnbounded && request.all) throw new MixspaceError('invalid_request', 'A filter and all=true contradict each other.', { param: 'all' });
  return { deleted: await (isUnbounded ? context.catalog.deleteItems(collection) : context.catalog.deleteItems(collection, filter)) };
}

export async function itemImage(context: Context, collection: string, id: string, size: 'thumbnail' | 'original'): Promise<Picture> {
  return context.catalog.getPicture(collection, id, size);
}

export const imageUrlOf = (collection: string, id: string): string => `/v1/collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(id)}/image`;

/** What listings and matches tell alike of an item. */
export function toldOf(collection: string, item: Item): Omit<Told, 'content_hash' | 'not_embedded' | 'created_at' | 'updated_at'> {
  return {
    id: item.id,
    modality: item.modality,
    ...(item.text === undefined ? {} : { text: item.text }),
    metadata: item.metadata,
    sources: item.sources.slice(0, limits.toldSources),
    ...(item.sources.length > limits.toldSources ? { source_count: item.sources.length } : {}),
    ...(item.width === undefined ? {} : { width: item.width }),
    ...(item.height === undefined ? {} : { height: item.height }),
    ...(item.takenAt === undefined ? {} : { taken_at: item.takenAt }),
    ...(item.exif === undefined ? {} : { exif: item.exif }),
    ...(item.hasImage ? { image_url: imageUrlOf(collection, item.id) } : {}),
  };
}

export function toldItem(collection: string, item: Item): Told {
  return { ...toldOf(collection, item), content_hash: item.contentHash, ...(item.unembedded === undefined ? {} : { not_embedded: item.unembedded }), created_at: item.createdAt, updated_at: item.updatedAt };
}

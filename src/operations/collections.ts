import type { Collection as Told, NewCollection } from '../contract/collections.js';
import { MixspaceError } from '../errors.js';
import type { Collection } from '../store/store.js';
import { modelOf, type Context } from './context.js';

export const defaultCollection = 'default';

export async function createCollection(context: Context, request: NewCollection): Promise<Told> {
  const model = context.encoder.model(request.model);
  const created = await context.store.createCollection({
    name: request.name,
    model: model.id,
    fingerprint: model.fingerprint,
    dimension: model.dimension,
    originals: request.originals ?? 'keep',
    ...(request.description === undefined ? {} : { description: request.description }),
  });
  return told(context, created);
}

/** The collection `default` is always there: made at start with the default model where it is missing. */
export async function ensureDefaultCollection(context: Context): Promise<void> {
  const there = await context.store.listCollections();
  if (!there.some((collection) => collection.name === defaultCollection)) await createCollection(context, { name: defaultCollection });
}

export async function listCollections(context: Context): Promise<{ collections: Told[] }> {
  return { collections: (await context.store.listCollections()).map((collection) => told(context, collection)) };
}

export async function getCollection(context: Context, name: string): Promise<Told> {
  return told(context, await context.store.getCollection(name));
}

export async function deleteCollection(context: Context, name: string): Promise<void> {
  if (name === defaultCollection) throw new MixspaceError('conflict', `The collection "${defaultCollection}" is always there; delete its items instead.`);
  await context.store.deleteCollection(name);
}

function told(context: Context, collection: Collection): Told {
  const { image, text } = collection.counts;
  return {
    name: collection.name,
    description: collection.description ?? null,
    model: collection.model,
    model_available: modelOf(context, collection) !== undefined,
    fingerprint: collection.fingerprint,
    dimensions: collection.dimension,
    originals: collection.originals,
    created_at: collection.createdAt,
    counts: { image, text, total: image + text },
    bytes: collection.bytes,
    graph: collection.graph,
  };
}

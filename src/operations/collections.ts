import type { Collection as Told, CollectionPatch, NewCollection, PatchedCollection } from '../contract/collections.js';
import { total } from '../domain/modality.js';
import { MixspaceError, toMixspaceError } from '../errors.js';
import type { CollectionDescription } from '../store/catalog.js';
import { hasModel, modelChecked, withoutModel } from './collection-model.js';
import type { Context, JobContext } from './context.js';
import { findingsOf } from './findings.js';
import { toldReembedding } from './reembed/reembed.js';
import { wantTiles } from './tiles/tiles.js';

export const defaultCollection = 'default';

export async function createCollection(context: JobContext, request: NewCollection): Promise<Told> {
  const model = await context.models.model(request.model);
  const created = await context.catalog.createCollection({
    name: request.name,
    model: model.id,
    fingerprint: model.fingerprint,
    dimension: model.dimension,
    originals: request.originals ?? 'keep',
    ...(request.description === undefined ? {} : { description: request.description }),
    ...(request.text_fields === undefined ? {} : { textFields: request.text_fields }),
    ...(request.tiles === undefined ? {} : { tiles: request.tiles }),
  });
  return told(context, created);
}

/**
 * At start: the collection `default` is always there, made with the default model where it is missing, or empty and of
 * a model that has gone. Whatever else was made with a model that has gone is told by name, as soon as that is known.
 * `isShared`: other services use the store too, and may have its model or be filling it: it stays.
 */
export async function settleCollections(context: JobContext, isShared: boolean): Promise<void> {
  const there = await context.catalog.listCollections();
  const byDefault = there.find(({ name }) => name === defaultCollection);
  const isEmpty = byDefault !== undefined && total(byDefault.counts) === 0;
  if (isEmpty) await modelChecked(context, byDefault);
  const isIdle = isEmpty && !isShared && !hasModel(context, byDefault);
  if (isIdle) await context.catalog.deleteCollection(defaultCollection);
  if (isIdle || byDefault === undefined) {
    await createCollection(context, { name: defaultCollection }).catch((error: unknown) => {
      // Another service made it a moment ago.
      if (!isShared || toMixspaceError(error).code !== 'conflict') throw error;
    });
  }
  for (const collection of there) if (!isIdle || collection !== byDefault) tellWithoutModel(context, collection).catch((error: unknown) => context.log('warn', `Whether the model of collection "${collection.name}" is here is not known.`, { reason: toMixspaceError(error).message }));
}

async function tellWithoutModel(context: Context, collection: CollectionDescription): Promise<void> {
  await modelChecked(context, collection);
  if (hasModel(context, collection)) return;
  const { name, model } = collection;
  context.log('warn', `Collection "${name}" (${total(collection.counts)} items) was made with model "${model}", which is not here any more. ${withoutModel}`, { collection: name, model });
}

export async function listCollections(context: JobContext): Promise<{ collections: Told[] }> {
  return { collections: await Promise.all((await context.catalog.listCollections()).map((collection) => told(context, collection))) };
}

export async function getCollection(context: JobContext, name: string): Promise<Told> {
  return told(context, await context.catalog.describeCollection(name));
}

export async function patchCollection(context: JobContext, name: string, { text_fields: fields, tiles }: CollectionPatch): Promise<PatchedCollection> {
  if (fields !== undefined) await context.catalog.setTextFields(name, fields);
  const job = tiles === undefined ? undefined : await wantTiles(context, name, tiles);
  return { ...(await told(context, await context.catalog.describeCollection(name))), ...(job === undefined ? {} : { job }) };
}

export async function deleteCollection(context: JobContext, name: string): Promise<void> {
  if (name === defaultCollection) throw new MixspaceError('conflict', `The collection "${defaultCollection}" is always there; delete its items instead.`);
  await context.catalog.deleteCollection(name);
  await context.jobs.endOf(name);
}

async function told(context: JobContext, collection: CollectionDescription): Promise<Told> {
  return {
    name: collection.name,
    description: collection.description ?? null,
    model: collection.model,
    model_available: hasModel(context, collection),
    fingerprint: collection.fingerprint,
    dimensions: collection.dimension,
    originals: collection.originals,
    text_fields: collection.textFields,
    tiles: collection.tiles,
    full_text: { state: collection.unread === 0 ? 'ready' : 'building', waiting: collection.unread },
    created_at: collection.createdAt,
    counts: { ...collection.counts, total: total(collection.counts) },
    parts: collection.parts,
    not_embedded: collection.unembedded,
    bytes: collection.bytes,
    graph: collection.graph,
    recall: collection.recall,
    findings: await findingsOf(context, collection.name),
    ...(await toldReembedding(context, collection)),
  };
}

import type { ListedModel, ModelDescription } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Collection } from '../store/catalog.js';
import type { Context } from './context.js';

/** What a collection's owner can do when its model has gone. */
export const withoutModel = 'Nothing is lost: it lists, gives its pictures and searches by item or embedding. To search it by words or pictures and to add to it, put that model\'s own files back into the models directory, or embed it again with one that is here: `mixspace reembed COLLECTION --model MODEL`.';

/** The model that made a collection's embeddings, after its check; `conflict` when it has gone, changed or cannot be used. */
export async function requireModel(context: Context, collection: Collection): Promise<ModelDescription> {
  await modelChecked(context, collection);
  const { description, problem } = listedModel(context, collection) ?? {};
  if (description?.fingerprint === collection.fingerprint) return description;
  const gone = description ? `whose files are others now (space ${description.fingerprint})` : 'which is not here any more';
  const why = problem === undefined ? gone : `which cannot be used (${problem})`;
  throw new MixspaceError('conflict', `Collection "${collection.name}" was made with model "${collection.model}" (space ${collection.fingerprint}), ${why}. ${withoutModel}`);
}

/** Whether a collection's model is here, as far as it is known: one whose check is still to come is taken to be. */
export function hasModel(context: Context, collection: Collection): boolean {
  const listed = listedModel(context, collection);
  if (!listed || listed.problem !== undefined) return false;
  return listed.description === undefined || listed.description.fingerprint === collection.fingerprint;
}

/** Waits until nothing about a collection's model is still to be found out. */
export async function modelChecked(context: Context, collection: Collection): Promise<void> {
  await context.models.model(collection.model).catch(() => undefined);
}

function listedModel(context: Context, collection: Collection): ListedModel | undefined {
  return context.models.list().find(({ id }) => id === collection.model);
}

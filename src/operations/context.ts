import type { Encoder, ListedModel, ModelDescription, Models } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Catalog, Collection } from '../store/catalog.js';
import type { VectorIndex } from '../store/vector-index.js';
import type { Log } from '../telemetry.js';
import type { Cursors } from './cursors.js';
import type { Reembeddings } from './reembedding.js';

/** What every operation works with, and jobs do. */
export interface Context {
  models: Models;
  encoder: Encoder;
  catalog: Catalog;
  index: VectorIndex;
  /** `picture`, `text` and `metadata` in bytes; the others count a request's entries. */
  limits: { picture: number; text: number; metadata: number; inputs: number; items: number; labels: number };
  /** Real paths of the folders whose files may be named by path. */
  roots: string[];
  fetch: { allow: string[]; timeoutMs: number };
  /** Those that run in this process. */
  reembeddings: Reembeddings;
  cursors: Cursors;
  log: Log;
  /** Seconds of one stage, for the metrics. */
  stage: (name: string, seconds: number) => void;
}

/** What operations that start long work, tell of it or end it have besides. */
export interface JobContext extends Context {
  jobs: Jobs;
}

/** The caller of an operation: aborted when it hangs up. */
export interface Caller {
  signal: AbortSignal;
}

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

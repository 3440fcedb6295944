import type { Encoder, ModelDescription } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Collection, Store } from '../store/store.js';
import type { Log } from '../telemetry.js';
import type { Reembeddings } from './reembedding.js';

/** What every operation works with. */
export interface Context {
  encoder: Encoder;
  store: Store;
  /** `picture`, `text` and `metadata` in bytes; the others count a request's entries. */
  limits: { picture: number; text: number; metadata: number; inputs: number; items: number; labels: number };
  /** Real paths of the folders whose files may be named by path. */
  roots: string[];
  fetch: { allow: string[]; timeoutMs: number };
  /** Those under way in this process. */
  reembeddings: Reembeddings;
  log: Log;
  /** Seconds of one stage, for the metrics. */
  stage: (name: string, seconds: number) => void;
}

/** The caller of an operation: aborted when it hangs up. */
export interface Caller {
  signal: AbortSignal;
}

/** What a collection's owner can do when its model has gone. */
export const withoutModel = 'Nothing is lost: it lists, gives its pictures and searches by item or embedding. To search it by words or pictures and to add to it, put that model\'s package back into the models directory, or embed it again with one that is here: `mixspace reembed COLLECTION --model MODEL`.';

/** The model that made a collection's embeddings; `conflict` when it has gone or changed. */
export function requireModel(context: Context, collection: Collection): ModelDescription {
  const model = modelOf(context, collection);
  if (model) return model;
  throw new MixspaceError(
    'conflict',
    `Collection "${collection.name}" was made with model "${collection.model}" (space ${collection.fingerprint}), which is not here any more. ${withoutModel}`,
  );
}

export function modelOf(context: Context, collection: Collection): ModelDescription | undefined {
  return context.encoder.models().find((model) => model.id === collection.model && model.fingerprint === collection.fingerprint);
}

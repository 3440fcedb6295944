import { MixspaceApiError, type MixspaceClient } from '../../../client/index.js';
import { isUnauthorized, sentenceOf } from '../../shell/errors.js';

export interface Deleted {
  done: number;
  failures: { id: string; reason: string }[];
}

/**
 * One by one, so that one that cannot be deleted holds up no other; one that had gone already is done.
 * @param onProgress called after each.
 * @throws MixspaceApiError where a key is asked for.
 */
export async function deleteItems(client: MixspaceClient, { collection, ids, signal }: { collection: string; ids: string[]; signal: AbortSignal }, onProgress: (sofar: Deleted) => void): Promise<Deleted> {
  let sofar: Deleted = { done: 0, failures: [] };
  for (const id of ids) {
    const failure = await client.deleteItem(collection, id, { signal }).then(
      () => undefined,
      (error: unknown) => {
        signal.throwIfAborted();
        if (isUnauthorized(error)) throw error;
        return error instanceof MixspaceApiError && error.status === 404 ? undefined : { id, reason: sentenceOf(error) };
      },
    );
    sofar = failure ? { ...sofar, failures: [...sofar.failures, failure] } : { ...sofar, done: sofar.done + 1 };
    onProgress(sofar);
  }
  return sofar;
}

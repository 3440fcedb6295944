/** Takes in the pictures under folders of this machine, by their paths, without a request. */
import type { ItemOutcome } from '../contract/items.js';
import { MixspaceError } from '../errors.js';
import { mapLimited } from '../map-limited.js';
import { listPictures, sorted, type Known, type LeftOut, type WalkRules } from '../picture-files.js';
import type { Context } from './context.js';
import { ingest } from './ingest.js';
import { whenThereIsRoom } from './when-there-is-room.js';

export interface TakenIn {
  found: number;
  created: number;
  /** Already there: the picture was found in one more place. */
  updated: number;
  /** Already there, from this very place. */
  known: number;
  failures: { file: string; reason: string }[];
  leftOut: LeftOut;
}

/** Pictures that are hashed, and looked up, together. */
const lookedUpAtOnce = 256;
const takenAtOnce = 64;
const batchesInFlight = 2;

/**
 * Takes in what the collection lacks; files that it has from the same place are only read. The paths must lie under the
 * context's roots.
 * @throws MixspaceError `not_found` (a path, or the collection), `invalid_request` (the rules), `disk_full`, `not_ready`; whatever `signal` was aborted with.
 */
export async function ingestFolders(context: Context, collection: string, paths: string[], { signal, rules = {} }: { signal: AbortSignal; rules?: WalkRules | undefined }): Promise<TakenIn> {
  const { pictures, leftOut } = await listPictures(paths, signal, { rules });
  const taken: TakenIn = { found: pictures.length, created: 0, updated: 0, known: 0, failures: [], leftOut };
  const batchFiles = Math.min(takenAtOnce, context.limits.items);
  for (let from = 0; from < pictures.length; from += lookedUpAtOnce) {
    signal.throwIfAborted();
    const { lacking, known: there, failures } = await sorted(pictures.slice(from, from + lookedUpAtOnce), known(context, collection));
    taken.known += there.length;
    taken.failures.push(...failures);
    const batches = Array.from({ length: Math.ceil(lacking.length / batchFiles) }, (_, i) => lacking.slice(i * batchFiles, (i + 1) * batchFiles));
    await mapLimited(batches, batchesInFlight, async (batch) => {
      const outcomes = await whenThereIsRoom(() => ingest(context, collection, batch.map(({ file }) => ({ source: file, content: { path: file } })), { signal }), signal);
      batch.forEach(({ file }, index) => note(taken, file, outcomes.items[index]!));
    });
  }
  return taken;
}

function known({ catalog }: Context, collection: string): Known {
  return {
    there: async (ids) => new Set((await catalog.present(collection, ids)).map(({ id }) => id)),
    sourcesOf: async (id) => {
      try {
        return (await catalog.getItem(collection, id)).sources;
      } catch (error) {
        if (error instanceof MixspaceError && error.code === 'not_found') return [];
        throw error;
      }
    },
  };
}

function note(taken: TakenIn, file: string, { status, error }: ItemOutcome): void {
  if (status === 'failed') taken.failures.push({ file, reason: error?.message ?? 'The service does not say why.' });
  else if (status === 'unchanged') taken.known++;
  else taken[status]++;
}

/** A backup's collections are taken into the running service: it is verified while it comes, and then a job takes in its items. */
import { CollectionName } from '../contract/shared.js';
import type { RestoreResponse } from '../contract/jobs.js';
import type { BackupManifest } from '../domain/backup.js';
import { total } from '../domain/modality.js';
import { MixspaceError, toMixspaceError, traceOf } from '../errors.js';
import type { JobEnd, JobKind, JobWork } from '../jobs/kind.js';
import type { RestoreChoice, StoreRestore } from '../store/store.js';
import { defaultCollection } from './collections.js';
import type { Context, JobContext } from './context.js';
import { toldJob } from './jobs.js';

const restoreJob = 'restore';

interface Parameters {
  /** The id of what was unpacked. */
  unpacked: string;
  collections: string[];
}

/**
 * `POST /v1/restore`. Answers once all of the archive has come and was verified. `wanted`: left out, all of its collections
 * but an empty `default`, and its classifiers.
 * @throws MixspaceError `not_found`: it holds none of the name; `conflict`: there is one of the name, or another backup is being
 * restored; `invalid_request`: no backup, cut or damaged; `disk_full`, `overloaded`.
 */
export async function restore(context: JobContext, archive: AsyncIterable<Uint8Array>, wanted: string[] | undefined): Promise<RestoreResponse> {
  const unpacked = await context.restores.unpack(archive, async (held): Promise<RestoreChoice> => ({ collections: await chosen(context, held, wanted), classifiers: wanted === undefined }));
  try {
    const parameters: Parameters = { unpacked: unpacked.id, collections: unpacked.collections.map(({ name }) => name) };
    const { job } = await context.jobs.start(restoreJob, { parameters });
    return { job: toldJob(job) };
  } catch (error) {
    await unpacked.release();
    throw error;
  }
}

async function chosen({ catalog }: Context, held: BackupManifest['collections'], wanted: string[] | undefined): Promise<string[]> {
  const unknown = [...new Set(wanted)].filter((name) => !held.some((each) => each.name === name));
  if (unknown.length > 0) throw new MixspaceError('not_found', `The backup holds no collection ${listOf(unknown)}.`, { param: 'collections' });
  const names = new Set(wanted ?? held.filter(({ name, items }) => name !== defaultCollection || items > 0).map(({ name }) => name));
  const impossible = [...names].filter((name) => !CollectionName.safeParse(name).success);
  if (impossible.length > 0) throw new MixspaceError('invalid_request', `No collection can be called ${listOf(impossible)}.`);
  const there = (await catalog.listCollections()).filter(({ name, counts }) => names.has(name) && !(name === defaultCollection && total(counts) === 0));
  if (there.length === 0) return [...names];
  throw new MixspaceError('conflict', `There is a collection ${listOf(there.map(({ name }) => name))} already: delete it first, or name others of the backup in collections. Nothing was restored.`, { param: 'collections' });
}

const listOf = (names: string[]): string => names.map((name) => `"${name.slice(0, 100)}"`).join(', ');

export function restoreKind(context: Context): JobKind<Parameters> {
  const unpacked = ({ unpacked }: Parameters): StoreRestore | undefined => {
    const current = context.restores.current();
    return current?.id === unpacked ? current : undefined;
  };
  return {
    name: restoreJob,
    isPausable: false,
    isSingle: false,
    retriesFailures: false,
    run: async (work) => {
      const restoring = unpacked(work.job.parameters);
      if (!restoring) return { cancelled: 'Nothing was restored, and what was sent is not kept. Send the backup again.' };
      try {
        return await takeIn(context, restoring, work);
      } catch (error) {
        if (work.signal.aborted) throw error;
        const { code, message } = toMixspaceError(error);
        context.log(code === 'conflict' ? 'warn' : 'error', `A backup could not be restored. ${message}`, { job: work.job.id, code, cause: traceOf(error) });
        return { cancelled: `${message} Nothing was restored.` };
      } finally {
        await restoring.release();
      }
    },
    discard: async ({ parameters }) => unpacked(parameters)?.release(),
  };
}

async function takeIn({ log }: Context, restoring: StoreRestore, work: JobWork<Parameters>): Promise<JobEnd> {
  const { collections } = restoring;
  const all = collections.reduce((sum, { items }) => sum + items, 0);
  work.at({ done: 0, total: all });
  for (let isAll = false; !isAll; ) {
    work.signal.throwIfAborted();
    const some = await restoring.some();
    work.at({ done: some.items });
    isAll = some.isAll;
  }
  const missing = await restoring.originals();
  for (const name of missing) await work.failed({ what: 'file', name, reason: 'The picture was missing or damaged when the backup was taken.' });
  work.signal.throwIfAborted();
  const { taken, kept } = await restoring.publish([defaultCollection]);
  work.at({ done: all, failed: missing.length });
  log('info', `A backup was restored: ${all} items.`, { job: work.job.id, collections: collections.map(({ name }) => name), missing: missing.length, classifiers: taken.length });
  return { result: { collections, classifiers: taken, kept_classifiers: kept } };
}

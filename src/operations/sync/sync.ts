import { isDeepStrictEqual } from 'node:util';
import type { StartedJob } from '../../contract/duplicates.js';
import type { SyncRequest } from '../../contract/sync.js';
import { isUnderWay } from '../../domain/job.js';
import type { ToldJob } from '../../jobs/jobs.js';
import type { JobContext } from '../context.js';
import { toldJob } from '../jobs.js';
import { requireRules, type WalkRules } from '../../picture-files.js';
import { syncJob, type SyncParameters } from './job.js';
import { rootUnder } from './root.js';

const latest = 200;

/**
 * `POST .../sync`: a job makes the collection equal to what lies under the root.
 * @throws MixspaceError `not_found`: no such collection; `unprocessable`: the root is outside the server's, or cannot be reached; `overloaded`.
 */
export async function sync(context: JobContext, collection: string, { root: given, prune = false, dry_run: isDry = false, exclude, include }: SyncRequest): Promise<StartedJob> {
  await context.catalog.getCollection(collection);
  const rules: WalkRules = { ...(exclude && { exclude }), ...(include && { include }) };
  requireRules(rules);
  const root = await rootUnder(context, given);
  return { job: toldJob(await startSync(context, collection, { root, prune, isDry, rules })) };
}

/** One that waits to do the same is that one; what runs may have passed what has changed since. */
export async function startSync({ jobs }: JobContext, collection: string, parameters: SyncParameters, { orRunning = false } = {}): Promise<ToldJob> {
  const { jobs: some } = await jobs.list({ kind: syncJob, collections: [collection], states: orRunning ? ['waiting', 'running'] : ['waiting'], limit: latest });
  const same = some.find((job) => isUnderWay(job.state) && isSame(job.parameters as SyncParameters, parameters));
  return same ?? (await jobs.start(syncJob, { collection, parameters })).job;
}

const isSame = (a: SyncParameters, b: SyncParameters): boolean => a.root === b.root && a.prune === b.prune && a.isDry === b.isDry && isDeepStrictEqual(a.rules ?? {}, b.rules ?? {});

/** What `serve PATH` does: the collection is made equal to the folders, and kept so. */
import { hasEnded } from '../../domain/job.js';
import { toMixspaceError } from '../../errors.js';
import type { JobContext } from '../context.js';
import { addLeftOut, nothingLeftOut, type WalkRules } from '../../picture-files.js';
import type { SyncParameters, SyncResult } from './job.js';
import { outermost } from './plan.js';
import { startSync } from './sync.js';
import { FolderWatch, withheldSentence } from './watch.js';

export interface FollowOptions {
  collection: string;
  /** Absolute. */
  paths: string[];
  /** What of them is taken in. */
  rules?: WalkRules;
  /** Left out: they are looked at once. */
  watch?: { lookEveryMs: number };
}

/** All goes to the log. Resolves when there is nothing more to follow, or `signal` is aborted; never rejects. */
export async function followFolders(context: JobContext, { collection, paths, rules = {}, watch }: FollowOptions, signal: AbortSignal): Promise<void> {
  const { log } = context;
  const roots = outermost(paths);
  // What changes during the first look is noted by then.
  const watching = watch && new FolderWatch(context, { collection, roots, rules, ...watch });
  await watching?.open();
  log('info', 'Taking in pictures.', { paths: roots });
  const taken = { found: 0, created: 0, updated: 0, known: 0, changed: 0, moved: 0, removed: 0, unreachable: 0, failures: 0, leftOut: nothingLeftOut() };
  for (const root of roots) {
    try {
      const result = await syncedOnce(context, collection, { root, rules }, signal);
      if (!result) return;
      taken.found += result.found;
      taken.created += result.added;
      taken.updated += result.found_again;
      taken.known += result.unchanged;
      taken.changed += result.changed;
      taken.moved += result.moved;
      taken.removed += result.removed;
      taken.unreachable += result.unreachable.count;
      taken.failures += result.failed;
      addLeftOut(taken.leftOut, result.left_out);
      if (result.withheld.count > 0) log('warn', withheldSentence(root, result.withheld.count, result.withheld.of), { first: result.withheld.first });
    } catch (error) {
      if (signal.aborted) return;
      log('error', 'Taking in pictures ended early.', { root, reason: toMixspaceError(error).message });
    }
  }
  log('info', 'Pictures taken in.', taken);
  await watching?.run(signal);
}

/** Undefined where it was cancelled or stopped. @throws Error: why it failed. */
async function syncedOnce(context: JobContext, collection: string, what: Pick<SyncParameters, 'root' | 'rules'>, signal: AbortSignal): Promise<SyncResult | undefined> {
  const { jobs, log } = context;
  const { id } = await startSync(context, collection, { ...what, prune: false, isDry: false }, { orRunning: true });
  for await (const { type, job, ...event } of (await jobs.events(id, undefined, signal)) ?? []) {
    if (type === 'failure' && 'failure' in event) log('warn', `Not taken in: ${event.failure.name}`, { reason: event.failure.reason });
    if (job.state === 'paused') log('info', 'Taking in pictures is paused.', { job: id });
  }
  const job = await jobs.get(id);
  if (!hasEnded(job.state)) return undefined;
  if (job.state === 'failed') throw new Error(job.problem);
  return job.result as SyncResult | undefined;
}

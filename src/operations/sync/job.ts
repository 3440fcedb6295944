/** The job that makes a collection equal to what lies under a root. All that it knows lies in the store, where the next run finds what is left. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import type { LeftOut, WalkRules } from '../../picture-files.js';
import type { Context } from '../context.js';
import { look, noCounts, type Look, type LookCounts } from './look.js';
import type { Unreached } from './plan.js';
import { placeOfDisks } from './machine.js';
import { rootUnder } from './root.js';

export const syncJob = 'sync';

export interface SyncParameters {
  /** Absolute. */
  root: string;
  prune: boolean;
  isDry: boolean;
  rules?: WalkRules;
}

/** What came of it, as it is told. */
export interface SyncResult extends LookCounts {
  root: string;
  dry_run: boolean;
  found: number;
  unchanged: number;
  deleted_items: number;
  failed: number;
  /** Files seen before that cannot be reached now; the first of them. */
  unreachable: { count: number; first: Unreached[] };
  /** Files no longer there, of how many, because of which nothing was removed; the first of them. */
  withheld: { count: number; of: number; first: string[] };
  /** The first of those that were removed, or would be. */
  gone: string[];
  left_out: LeftOut;
}

/** Looks at files that were still being written, until they are told as failed. */
const mostLooks = 30;
const named = 20;
const leastPauseMs = 250;

export function syncKind(context: Context): JobKind<SyncParameters> {
  return {
    name: syncJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: true,
    place: async () => placeOfDisks(context.sync.machine),
    run: (work) => context.syncTurns.take(work.job.collection!, work.signal, () => run(context, work)),
  };
}

async function run(context: Context, work: JobWork<SyncParameters>): Promise<JobEnd> {
  const { prune, isDry, rules } = work.job.parameters;
  const collection = work.job.collection!;
  const root = await rootUnder(context, work.job.parameters.root);
  const counts: LookCounts = { ...noCounts, ...(work.job.checkpoint as LookCounts | undefined) };
  let [done, failed, total] = [0, 0, 0];
  const fail = async (failure: Unreached): Promise<void> => {
    failed++;
    await work.failed({ what: 'file', name: failure.file, reason: failure.reason });
  };
  let first: Look | undefined;
  let only: string[] | undefined;
  const pauseMs = Math.max(leastPauseMs, context.sync.quietMs);
  for (let looks = 0; looks < mostLooks; looks++) {
    const now = await look(context, { collection, root, ...(rules && { rules }), prune, isDry, isSecond: () => looks > 0 || isDry, signal: work.signal, ...(only && { only }) }, {
      begin: (todo, unchanged) => {
        if (looks === 0) [done, total] = [unchanged, unchanged + todo];
        else total += todo;
        work.at({ done, failed, total });
      },
      taken: (count) => {
        done += count;
        work.at({ done, failed, total });
      },
      failed: fail,
    });
    for (const name of Object.keys(noCounts) as (keyof LookCounts)[]) counts[name] += now[name];
    if (!isDry) await work.save({ ...counts });
    first = first ? { ...first, withheld: [...first.withheld, ...now.withheld], unreachable: [...first.unreachable, ...now.unreachable], gone: [...first.gone, ...now.gone] } : now;
    only = now.again;
    if (only.length === 0 || isDry) break;
    await delay(pauseMs, undefined, { signal: work.signal });
  }
  if (isDry) counts.added += only?.length ?? 0;
  else for (const file of only ?? []) await fail({ file, reason: 'It is still being written to; the next look takes it in.' });
  work.at({ done, failed, total: Math.max(total, done + failed) });
  return { result: { ...told(first!, { root, dry_run: isDry, ...counts, failed }) } };
}

function told({ found, unchanged, deleted_items, unreachable, withheld, recorded, gone, leftOut }: Look, all: LookCounts & Pick<SyncResult, 'root' | 'dry_run' | 'failed'>): SyncResult {
  return {
    ...all,
    found,
    unchanged,
    deleted_items,
    unreachable: { count: unreachable.length, first: unreachable.slice(0, named) },
    withheld: { count: withheld.length, of: recorded, first: withheld.slice(0, named) },
    gone: gone.slice(0, named),
    left_out: leftOut,
  };
}

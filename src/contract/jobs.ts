import { z } from 'zod';
import { jobStates } from '../domain/job.js';
import { CollectionName } from './shared.js';
import { limits } from './limits.js';

/** What there is long work for. */
export const jobKinds = ['reembed', 'restore', 'sync', 'import', 'duplicates', 'clusters', 'classify', 'tiles', 'map', 'pull'] as const;
export const JobKind = z.enum(jobKinds).meta({ id: 'JobKind' });
export type JobKind = z.infer<typeof JobKind>;

export const JobState = z.enum(jobStates).meta({ id: 'JobState', description: '`done`, `failed` and `cancelled` have ended. One that failed keeps what it did and can be resumed.' });
export type JobState = z.infer<typeof JobState>;

export const Job = z
  .object({
    id: z.string(),
    kind: JobKind,
    collection: z.string().optional(),
    state: JobState,
    done: z.number().int(),
    total: z.number().int().optional().meta({ description: 'Left out while it is not known.' }),
    failed: z.number().int().meta({ description: '`/v1/jobs/{id}/failures` says what and why.' }),
    problem: z.string().nullable().meta({ description: 'Why it failed or was cancelled, where nobody asked for it.' }),
    created_at: z.string(),
    ended_at: z.string().optional(),
    seconds_left: z.number().int().optional().meta({ description: 'At the pace of the last minute.' }),
    result: z.record(z.string(), z.unknown()).optional().meta({ description: 'What came of it. Of `reembed`: model, fingerprint, embedded, not_embedded; of `restore`: collections, each with name and items, classifiers and kept_classifiers (those of a name that was there, and stays as it is); of `sync`: root, dry_run and, in files, found, unchanged, added, found_again (content of an item at one more path), changed, moved, removed, items_removed, deleted_items (files whose item was deleted: they stay out), failed, unreachable (count, first: file, reason), withheld (count, of, first: no longer there, so many that nothing was removed), gone (the first that were removed), left_out; of `import`: found, created, updated, unchanged, failed, left_out (how many entries that are no pictures, by kind); of `duplicates`: groups, superfluous, mirrored; of `clusters`: clusters, items; of `map`: items or, where further ones were placed, placed; of `pull`: id, model (its id here), commit, variants, files, bytes; of `tiles`: tiles, from_originals, from_thumbnails, unreachable, bytes, seconds; of `classify`: field, classified, none and, with a truth, accuracy and confusion: labels (the true ones), columns (what was said, null: none of them), rows of counts, unknown.' }),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof Job>;

export const RestoreResponse = z.object({ job: Job }).meta({ id: 'RestoreResponse', description: 'When the job is done the collections are there, all at once.' });
export type RestoreResponse = z.infer<typeof RestoreResponse>;

export const JobList = z
  .object({ jobs: z.array(Job).meta({ description: 'The newest first.' }), next_cursor: z.string().optional() })
  .meta({ id: 'JobList', description: 'Of the jobs that have ended, the newest thousand are kept.' });
export type JobList = z.infer<typeof JobList>;

export const JobFailure = z
  .object({
    id: z.string().optional().meta({ description: 'The item.' }),
    file: z.string().optional().meta({ description: 'The file, where it came to no item.' }),
    reason: z.string(),
  })
  .meta({ id: 'JobFailure' });
export type JobFailure = z.infer<typeof JobFailure>;

export const JobFailures = z
  .object({ failures: z.array(JobFailure), next_cursor: z.string().optional() })
  .meta({ id: 'JobFailures', description: 'Each item or file once, in the order in which they failed; the first ten thousand of a job are kept.' });
export type JobFailures = z.infer<typeof JobFailures>;

/** The data of each event. */
export const JobEventData = Job.extend({ failure: JobFailure.optional().meta({ description: 'Of the event `failure`: what failed.' }) }).meta({ id: 'JobEventData' });
export type JobEventData = z.infer<typeof JobEventData>;

export const jobEvents = ['progress', 'failure', 'end'] as const;
export type JobEventName = (typeof jobEvents)[number];

const page = {
  limit: z.string().regex(/^[1-9]\d{0,8}$/, 'limit is a whole number.').refine((text) => Number(text) <= limits.page, `limit is at most ${limits.page}.`).meta({ type: 'integer', minimum: 1, maximum: limits.page }).optional(),
  cursor: z.string().max(limits.cursorLength).optional(),
};
export const JobParams = z.object({ id: z.string().min(1).max(limits.jobIdLength) });
export const JobQuery = z.strictObject({ collection: CollectionName.optional(), kind: JobKind.optional(), state: JobState.optional(), ...page });
export const JobFailuresQuery = z.strictObject(page);

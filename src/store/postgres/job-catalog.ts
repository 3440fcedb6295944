import { hasEnded, jobStates } from '../../domain/job.js';
import type { JobCatalog, StoredFailure } from '../job-catalog.js';
import { changeFailures, insertJob, jobOf, jobsWhere, updateJob } from './jobs.js';
import type { Parts } from './parts.js';
import { fromStored, toStored } from './stored-text.js';

const endedStates = jobStates.filter(hasEnded);

export function jobCatalogOf({ database }: Parts): JobCatalog {
  return {
    putJob: (job, changes = {}) => database.write(async (session) => changeFailures(session, (await updateJob(session, job)) ?? (await insertJob(session, job)), changes)),
    getJob: (id) => database.session((session) => jobOf(session, id)),
    listJobs: ({ kind, collections, states, limit, before }) =>
      database.session(async (session) => {
        const jobs = await jobsWhere(
          session,
          `number < $1 AND ($2::text IS NULL OR kind = $2) AND ($3::text[] IS NULL OR collection = ANY($3)) AND ($4::text[] IS NULL OR state = ANY($4)) ORDER BY number DESC LIMIT $5`,
          [before ?? Number.MAX_SAFE_INTEGER, kind ?? null, collections ?? null, states ?? null, limit + 1],
        );
        return { jobs: jobs.slice(0, limit), more: jobs.length > limit };
      }),
    listJobFailures: (id, { limit, after = 0 }) =>
      database.session(async (session) => {
        const rows = await session.rows<StoredFailure>(
          'SELECT job_failures.number, what, name, reason FROM job_failures JOIN jobs ON jobs.number = job WHERE id = $1 AND job_failures.number > $2 ORDER BY job_failures.number LIMIT $3',
          [toStored(id), after, limit + 1],
        );
        return { failures: rows.slice(0, limit).map((row) => ({ ...row, name: fromStored(row.name), reason: fromStored(row.reason) })), more: rows.length > limit };
      }),
    pruneJobs: (keep) =>
      database.write(async (session) => {
        // What has been resumed meanwhile stays.
        await session.write(
          `DELETE FROM jobs WHERE state = ANY($1) AND number IN (
             SELECT number FROM (SELECT number, row_number() OVER newest AS place, sum(failures) OVER newest AS failures
                                   FROM (SELECT number, (SELECT count(*) FROM job_failures WHERE job = jobs.number) AS failures FROM jobs WHERE state = ANY($1)) AS counted
                                 WINDOW newest AS (ORDER BY number DESC)) AS placed
              WHERE place > $2 OR failures > $3)`,
          [endedStates, keep.jobs, keep.failures],
        );
      }),
  };
}

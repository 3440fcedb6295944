/** Jobs as rows. */
import type { JobState } from '../../domain/job.js';
import { keptFailures, type Job, type JobFailure, type StoredFailure, type StoredJob } from '../job-catalog.js';
import type { Session } from './database.js';
import { fromStored, toStored } from './stored-text.js';

interface Columns {
  number: number;
  id: string;
  kind: string;
  collection: string | null;
  state: JobState;
  parameters: string;
  checkpoint: string | null;
  done: number;
  total: number | null;
  failed: number;
  problem: string | null;
  result: string | null;
  created_at: string;
  ended_at: string | null;
  last_failure: number;
}

const columns = ['id', 'kind', 'collection', 'state', 'parameters', 'checkpoint', 'done', 'total', 'failed', 'problem', 'result', 'created_at', 'ended_at'] as const;
const places = columns.map((_, i) => `$${i + 1}`).join(', ');

/** What a statement selects of `jobs`: see `toJob`. */
export const jobColumns = `jobs.number, ${columns.map((name) => `jobs.${name}`).join(', ')}, (SELECT coalesce(max(job_failures.number), 0) FROM job_failures WHERE job = jobs.number) AS last_failure`;

const valuesOf = (job: Job): unknown[] => [
  job.id,
  job.kind,
  job.collection ?? null,
  job.state,
  JSON.stringify(job.parameters ?? null),
  job.checkpoint === undefined ? null : JSON.stringify(job.checkpoint),
  job.done,
  job.total ?? null,
  job.failed,
  job.problem === undefined ? null : toStored(job.problem),
  job.result === undefined ? null : JSON.stringify(job.result),
  job.createdAt,
  job.endedAt ?? null,
];

/** Of a row with the columns above. */
export function toJob(row: Columns): StoredJob {
  const { number, id, kind, collection, state, done, failed, total, problem, checkpoint, result, created_at: createdAt, ended_at: endedAt } = row;
  return {
    number,
    lastFailure: row.last_failure,
    id,
    kind,
    ...(collection === null ? {} : { collection }),
    state,
    done,
    failed,
    createdAt,
    parameters: JSON.parse(row.parameters) as unknown,
    ...(checkpoint === null ? {} : { checkpoint: JSON.parse(checkpoint) as unknown }),
    ...(total === null ? {} : { total }),
    ...(problem === null ? {} : { problem: fromStored(problem) }),
    ...(result === null ? {} : { result: JSON.parse(result) as Record<string, unknown> }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}

export async function jobOf(session: Session, id: string): Promise<StoredJob | undefined> {
  const row = await session.row<Columns>(`SELECT ${jobColumns} FROM jobs WHERE id = $1`, [toStored(id)]);
  return row && toJob(row);
}

/** By the conditions, of which the first is `$1`. */
export async function jobsWhere(session: Session, conditions: string, values: unknown[]): Promise<StoredJob[]> {
  return (await session.rows<Columns>(`SELECT ${jobColumns} FROM jobs WHERE ${conditions}`, values)).map(toJob);
}

/** Its number; undefined where there is none of the id. Others who write of it wait until the transaction ends. */
export async function updateJob(session: Session, job: Job): Promise<number | undefined> {
  const row = await session.row<{ number: number }>(`UPDATE jobs SET (${columns.join(', ')}) = ROW (${places}) WHERE id = $1 RETURNING number`, valuesOf(job));
  return row?.number;
}

export async function insertJob(session: Session, job: Job): Promise<number> {
  const changes = columns.slice(1).map((name) => `${name} = excluded.${name}`).join(', ');
  return (await session.row<{ number: number }>(`INSERT INTO jobs (${columns.join(', ')}) VALUES (${places}) ON CONFLICT (id) DO UPDATE SET ${changes} RETURNING number`, valuesOf(job)))!.number;
}

/** Of a job whose row the transaction has written: see `JobCatalog.putJob`. */
export async function changeFailures(session: Session, job: number, { forget = false, failures = [] }: { forget?: boolean; failures?: JobFailure[] }): Promise<StoredFailure[]> {
  if (forget) await session.write('DELETE FROM job_failures WHERE job = $1', [job]);
  if (failures.length === 0) return [];
  const { kept } = (await session.row<{ kept: number }>('SELECT count(*) AS kept FROM job_failures WHERE job = $1', [job]))!;
  // Each once, the first of the same thing.
  const once = new Map<string, JobFailure>();
  for (const failure of failures) {
    const key = keyOf({ what: failure.what, name: toStored(failure.name) });
    if (!once.has(key)) once.set(key, failure);
  }
  const each = [...once.values()];
  const added = await session.rows<{ number: number; what: string; name: string }>(
    `INSERT INTO job_failures (job, what, name, reason)
       SELECT $1, what, name, reason FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS new (what, name, reason, place)
        WHERE NOT EXISTS (SELECT FROM job_failures AS old WHERE old.job = $1 AND old.what = new.what AND md5(old.name) = md5(new.name))
        ORDER BY place LIMIT $5
       RETURNING number, what, name`,
    [job, each.map(({ what }) => what), each.map(({ name }) => toStored(name)), each.map(({ reason }) => toStored(reason)), Math.max(0, keptFailures - kept)],
  );
  return added.map(({ number, ...row }) => ({ number, ...once.get(keyOf(row))! })).sort((a, b) => a.number - b.number);
}

const keyOf = ({ what, name }: { what: string; name: string }): string => `${what} ${name}`;

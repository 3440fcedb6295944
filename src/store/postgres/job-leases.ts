import { isUnderWay, jobStates } from '../../domain/job.js';
import { MixspaceError } from '../../errors.js';
import { LeaseLost, type JobLeases, type LeasedJob, type Renewed, type Wish } from '../job-leases.js';
import type { Session } from './database.js';
import { changeFailures, insertJob, jobsWhere, jobOf, updateJob } from './jobs.js';
import type { Parts } from './parts.js';
import { isTaken } from './problems.js';
import { toStored } from './stored-text.js';

/** The first of the two numbers of advisory locks by which jobs that stand alone are started one after the other; the second is of the job's lock. */
const starting = 0x6d69_7873;
const retryAfterSeconds = 30;
const underWay = jobStates.filter(isUnderWay).map((state) => `'${state}'`).join(', ');
const lockOf = (row: string): string => `coalesce(${row}.lock, ${row}.kind || ' ' || coalesce(${row}.collection, ''))`;
const until = (ms: number): string => `now() + ${ms} * interval '1 millisecond'`;
const released = 'holder = NULL, held_until = NULL, has_lock = false, wish = NULL';

export function jobLeasesOf({ database, settings: { leaseMs } }: Parts): JobLeases {
  return {
    leaseMs,
    addJob: (job, { holder, lock, place, isSingle, most }) =>
      database.write(async (session) => {
        if (isSingle) {
          await session.row('SELECT pg_advisory_xact_lock($1, hashtext($2))', [starting, lock]);
          const [other] = await jobsWhere(session, `kind = $1 AND ${lockOf('jobs')} = $2 AND state IN (${underWay}) ORDER BY number LIMIT 1`, [job.kind, lock]);
          if (other) return { other };
        }
        const { count } = (await session.row<{ count: number }>(`SELECT count(*) AS count FROM jobs WHERE state IN (${underWay})`))!;
        if (count >= most) throw new MixspaceError('overloaded', `At most ${most} jobs may wait or run; try again when some have ended.`, { retryAfter: retryAfterSeconds });
        const number = await insertJob(session, job);
        const { token } = (await session.row<{ token: number }>(
          `UPDATE jobs SET lock = $2, place = $3, holder = $4, held_until = ${until(leaseMs)}, token = token + 1 WHERE number = $1 RETURNING token`,
          [number, lock, place ?? null, holder],
        ))!;
        return { job: { ...job, number, lastFailure: 0 }, token };
      }),
    leaseJob: (id, holder) =>
      database.write(async (session) => {
        const taken = await session.row<{ token: number }>(
          `UPDATE jobs SET holder = $2, held_until = ${until(leaseMs)}, token = token + 1, has_lock = false WHERE id = $1 AND (holder IS NULL OR held_until < now()) RETURNING token`,
          [toStored(id), holder],
        );
        const job = await jobOf(session, id);
        return taken && job ? { job, token: taken.token } : job && 'held';
      }),
    claimJobs: async (holder, { kinds, places, limit }) => {
      const mayRun = `state IN (${underWay}) AND kind = ANY($1) AND (place IS NULL OR place = ANY($2))`;
      const some = await database.session((session) => session.row(`SELECT FROM jobs WHERE ${mayRun} AND (holder IS NULL OR held_until < now()) LIMIT 1`, [kinds, places]));
      if (!some) return [];
      return unlessTaken([], () =>
        database.write(async (session) => {
          await releaseExpired(session);
          const free = await session.rows<{ number: number; lock: string }>(
            `SELECT number, ${lockOf('jobs')} AS lock FROM jobs
              WHERE ${mayRun} AND holder IS NULL AND NOT EXISTS (SELECT FROM jobs AS other WHERE other.has_lock AND other.lock = ${lockOf('jobs')})
              ORDER BY state = 'waiting', number LIMIT $3 FOR UPDATE SKIP LOCKED`,
            [kinds, places, limit],
          );
          const ofLocks = new Map<string, number>();
          for (const { number, lock } of free) if (!ofLocks.has(lock)) ofLocks.set(lock, number);
          const claimed: LeasedJob[] = [];
          for (const [lock, number] of ofLocks) {
            const { token } = (await session.row<{ token: number }>(`UPDATE jobs SET lock = $2, has_lock = true, holder = $3, held_until = ${until(leaseMs)}, token = token + 1 WHERE number = $1 RETURNING token`, [number, lock, holder]))!;
            claimed.push({ job: (await jobsWhere(session, 'number = $1', [number]))[0]!, token });
          }
          return claimed;
        }),
      );
    },
    lockJob: (id, token, places) =>
      unlessTaken(false, () =>
        database.write(async (session) => {
          await releaseExpired(session, id);
          const row = await session.row<{ number: number; lock: string; is_here: boolean }>(
            `SELECT number, ${lockOf('jobs')} AS lock, place IS NULL OR place = ANY($3) AS is_here FROM jobs WHERE id = $1 AND token = $2 AND holder IS NOT NULL FOR UPDATE`,
            [toStored(id), token, places],
          );
          if (!row) throw new LeaseLost(id);
          if (!row.is_here) return false;
          const before = await session.row(
            `SELECT FROM jobs WHERE ${lockOf('jobs')} = $1 AND number <> $2 AND (has_lock OR (state IN (${underWay}) AND holder IS NULL AND place IS NULL)) LIMIT 1`,
            [row.lock, row.number],
          );
          if (!before) await session.write('UPDATE jobs SET lock = $2, has_lock = true WHERE number = $1', [row.number, row.lock]);
          return !before;
        }),
      ),
    putJob: (job, token, { release = false, ...changes } = {}) =>
      database.write(async (session) => {
        const held = await session.row<{ number: number }>(`SELECT number FROM jobs WHERE id = $1 AND token = $2 AND holder IS NOT NULL FOR UPDATE`, [job.id, token]);
        if (!held) throw new LeaseLost(job.id);
        await updateJob(session, job);
        const kept = await changeFailures(session, held.number, changes);
        if (release) await session.write(`UPDATE jobs SET ${released} WHERE number = $1`, [held.number]);
        return kept;
      }),
    releaseJob: async (id, token) => void (await database.write((session) => session.write(`UPDATE jobs SET ${released} WHERE id = $1 AND token = $2 AND holder IS NOT NULL`, [id, token]))),
    removeJob: async (id, token) => void (await database.write((session) => session.write('DELETE FROM jobs WHERE id = $1 AND token = $2 AND holder IS NOT NULL', [id, token]))),
    renewLeases: (holder) =>
      database.write(async (session) => {
        const rows = await session.rows<{ id: string; token: number; wish: Wish | null }>(`UPDATE jobs SET held_until = ${until(leaseMs)} WHERE holder = $1 RETURNING id, token, wish`, [holder]);
        return rows.map(({ id, token, wish }): Renewed => ({ id, token, ...(wish === null ? {} : { wish }) }));
      }),
    wishJob: async (id, wish) => void (await database.write((session) => session.write(`UPDATE jobs SET wish = $2 WHERE id = $1 AND holder IS NOT NULL AND (wish IS NULL OR $2 = 'cancel')`, [id, wish]))),
  };
}

/** What is wished of a job is carried out by who takes it over. */
async function releaseExpired(session: Session, but?: string): Promise<void> {
  await session.write('UPDATE jobs SET holder = NULL, held_until = NULL, has_lock = false WHERE held_until < now() AND ($1::text IS NULL OR id <> $1)', [but ?? null]);
}

/** Two replicas took jobs of one lock in the same moment: one of them has. */
async function unlessTaken<T>(otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isTaken(error)) return otherwise;
    throw error;
  }
}

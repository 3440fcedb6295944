import { hasEnded, jobStates, type JobState } from '../../domain/job.js';
import { keptFailures, type Job, type JobFailure, type JobQuery, type StoredFailure, type StoredJob } from '../job-catalog.js';
import { jobChecksum } from './checksums.js';
import type { Commits } from './commits.js';
import type { Database } from './database.js';

interface Columns {
  id: string;
  kind: string;
  collection: string | null;
  state: string;
  parameters: string;
  checkpoint: string | null;
  done: number;
  total: number | null;
  failed: number;
  problem: string | null;
  result: string | null;
  created_at: string;
  ended_at: string | null;
}

interface Row extends Columns {
  number: number;
  checksum: number;
  last_failure: number;
}

const columns = ['id', 'kind', 'collection', 'state', 'parameters', 'checkpoint', 'done', 'total', 'failed', 'problem', 'result', 'created_at', 'ended_at', 'checksum'] as const;
const select = `SELECT number, ${columns.join(', ')}, (SELECT coalesce(max(job_failures.number), 0) FROM job_failures WHERE job = jobs.number) AS last_failure FROM jobs`;
const ended = jobStates.filter(hasEnded).map((state) => `'${state}'`).join(', ');

function toColumns(job: Job): Columns {
  return {
    id: job.id,
    kind: job.kind,
    collection: job.collection ?? null,
    state: job.state,
    parameters: JSON.stringify(job.parameters ?? null),
    checkpoint: job.checkpoint === undefined ? null : JSON.stringify(job.checkpoint),
    done: job.done,
    total: job.total ?? null,
    failed: job.failed,
    problem: job.problem ?? null,
    result: job.result === undefined ? null : JSON.stringify(job.result),
    created_at: job.createdAt,
    ended_at: job.endedAt ?? null,
  };
}

function toJob({ number, last_failure: lastFailure, checksum, ...row }: Row): StoredJob {
  const { id, kind, collection, done, failed, total, problem, checkpoint, result, created_at: createdAt, ended_at: endedAt } = row;
  const known = { number, lastFailure, id, kind, ...(collection === null ? {} : { collection }), done, failed, createdAt };
  if (checksum !== jobChecksum(row)) return { ...known, state: 'failed', parameters: null, problem: 'What the database says of this job is damaged.', isDamaged: true };
  return {
    ...known,
    state: row.state as JobState,
    parameters: JSON.parse(row.parameters) as unknown,
    ...(checkpoint === null ? {} : { checkpoint: JSON.parse(checkpoint) as unknown }),
    ...(total === null ? {} : { total }),
    ...(problem === null ? {} : { problem }),
    ...(result === null ? {} : { result: JSON.parse(result) as Record<string, unknown> }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}

export class JobTable {
  readonly #commits: Commits;
  readonly #put;
  readonly #get;
  readonly #list;
  readonly #countFailures;
  readonly #addFailure;
  readonly #forgetFailures;
  readonly #failures;
  readonly #ended;
  readonly #remove;

  constructor(database: Database, commits: Commits) {
    this.#commits = commits;
    this.#put = database
      .prepare<[Columns & { checksum: number }], number>(
        `INSERT INTO jobs (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})
           ON CONFLICT (id) DO UPDATE SET ${columns.slice(1).map((name) => `${name} = excluded.${name}`).join(', ')} RETURNING number`,
      )
      .pluck();
    this.#get = database.prepare<[string], Row>(`${select} WHERE id = ?`);
    this.#list = database.prepare<[{ kind: string | null; collections: string | null; states: string | null; before: number; limit: number }], Row>(
      `${select} WHERE number < @before AND (@kind IS NULL OR kind = @kind) AND (@collections IS NULL OR collection IN (SELECT value FROM json_each(@collections)))
         AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states))) ORDER BY number DESC LIMIT @limit`,
    );
    this.#countFailures = database.prepare<[number], number>('SELECT count(*) FROM job_failures WHERE job = ?').pluck();
    this.#addFailure = database
      .prepare<[number, string, string, string], number>('INSERT INTO job_failures (job, what, name, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number')
      .pluck();
    this.#forgetFailures = database.prepare<[number]>('DELETE FROM job_failures WHERE job = ?');
    this.#failures = database.prepare<[string, number, number], StoredFailure>(
      'SELECT job_failures.number, what, name, reason FROM job_failures JOIN jobs ON jobs.number = job WHERE id = ? AND job_failures.number > ? ORDER BY job_failures.number LIMIT ?',
    );
    this.#ended = database.prepare<[], { number: number; failures: number }>(
      `SELECT number, (SELECT count(*) FROM job_failures WHERE job = jobs.number) AS failures FROM jobs WHERE state IN (${ended}) ORDER BY number DESC`,
    );
    this.#remove = database.prepare<[number]>('DELETE FROM jobs WHERE number = ?');
  }

  put(job: Job, { forget = false, failures = [] }: { forget?: boolean; failures?: JobFailure[] } = {}): StoredFailure[] {
    return this.#commits.run(() => {
      const row = toColumns(job);
      const number = this.#put.get({ ...row, checksum: jobChecksum(row) })!;
      if (forget) this.#forgetFailures.run(number);
      return failures.length === 0 ? [] : this.#add(number, failures);
    });
  }

  #add(job: number, failures: JobFailure[]): StoredFailure[] {
    const added: StoredFailure[] = [];
    let kept = this.#countFailures.get(job)!;
    for (const failure of failures) {
      if (kept >= keptFailures) break;
      const number = this.#addFailure.get(job, failure.what, failure.name, failure.reason);
      if (number === undefined) continue;
      added.push({ number, ...failure });
      kept++;
    }
    return added;
  }

  get(id: string): StoredJob | undefined {
    const row = this.#get.get(id);
    return row && toJob(row);
  }

  list({ kind, collections, states, limit, before }: JobQuery): { jobs: StoredJob[]; more: boolean } {
    const rows = this.#list.all({ kind: kind ?? null, collections: collections === undefined ? null : JSON.stringify(collections), states: states === undefined ? null : JSON.stringify(states), before: before ?? Number.MAX_SAFE_INTEGER, limit: limit + 1 });
    return { jobs: rows.slice(0, limit).map(toJob), more: rows.length > limit };
  }

  failures(id: string, { limit, after = 0 }: { limit: number; after?: number }): { failures: StoredFailure[]; more: boolean } {
    const failures = this.#failures.all(id, after, limit + 1);
    return { failures: failures.slice(0, limit), more: failures.length > limit };
  }

  prune(keep: { jobs: number; failures: number }): void {
    let failures = 0;
    const beyond = this.#ended.all().filter((job, place) => (failures += job.failures) > keep.failures || place >= keep.jobs);
    if (beyond.length > 0) this.#commits.run(() => beyond.forEach(({ number }) => this.#remove.run(number)));
  }
}

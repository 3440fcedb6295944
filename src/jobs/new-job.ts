import { randomBytes } from 'node:crypto';
import type { Job, JobCatalog, StoredJob } from '../store/job-catalog.js';
import type { JobKind } from './kind.js';

const pageJobs = 200;

export function newJob(kind: string, collection: string | undefined, parameters: unknown): Job {
  return { id: `${kind}-${randomBytes(6).toString('hex')}`, kind, ...(collection === undefined ? {} : { collection }), state: 'waiting', parameters, done: 0, failed: 0, createdAt: new Date().toISOString() };
}

export function lockOf({ kind, job }: { kind: JobKind | undefined; job: Job }): string {
  return kind?.lock?.(job) ?? `${job.kind} ${job.collection ?? ''}`;
}

/** All that wait or run by their rows, the oldest first. */
export async function jobsUnderWay(catalog: JobCatalog): Promise<StoredJob[]> {
  const found: StoredJob[] = [];
  for (let before: number | undefined; ; ) {
    const { jobs, more } = await catalog.listJobs({ states: ['waiting', 'running'], limit: pageJobs, ...(before === undefined ? {} : { before }) });
    found.unshift(...jobs.reverse());
    if (!more) return found;
    before = found[0]!.number;
  }
}

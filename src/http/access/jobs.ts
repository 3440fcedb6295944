import type { Job } from '../../contract/jobs.js';
import { MixspaceError } from '../../errors.js';
import { requireScope, type Access } from './access.js';

/** A job of a collection that the key does not reach is not there. @throws MixspaceError `not_found` */
export function requireSeen({ collections }: Access, job: Job): Job {
  if (collections && !(job.collection !== undefined && collections.has(job.collection))) throw new MixspaceError('not_found', `There is no job "${job.id}".`);
  return job;
}

/** What works for the whole service is moved by who may start it. @throws MixspaceError `not_found`, `forbidden` */
export function requireMovable(access: Access, job: Job): Job {
  requireSeen(access, job);
  if (job.collection === undefined) requireScope(access, 'admin');
  return job;
}

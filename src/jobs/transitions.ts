import { isUnderWay } from '../domain/job.js';
import { MixspaceError } from '../errors.js';
import type { StoredJob } from '../store/job-catalog.js';
import type { JobKind } from './kind.js';

export type Move = 'pause' | 'resume' | 'cancel';

const past: Record<Move, string> = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' };

/** The one place that says what can be done with a job in which state: whether there is something to do. @throws MixspaceError `conflict`. */
export function isMove(move: Move, job: StoredJob, kind: JobKind | undefined): boolean {
  const refused = (why: string): MixspaceError => new MixspaceError('conflict', `Job "${job.id}" cannot be ${past[move]}: ${why}`);
  const { state } = job;
  if (job.isDamaged) throw refused('what the database says of it is damaged.');
  if (state === 'done') throw refused('it is done.');
  if (move === 'cancel') return state !== 'cancelled';
  if (state === 'cancelled') throw refused('it is cancelled. Start another one.');
  if (kind === undefined) throw refused(`this service knows no jobs of kind "${job.kind}".`);
  if (move === 'resume') return !isUnderWay(state);
  if (state === 'failed') throw refused('it has failed, and stands still. Resuming it tries again.');
  if (!kind.isPausable) throw refused(`jobs of kind "${job.kind}" can only be cancelled.`);
  return state !== 'paused';
}

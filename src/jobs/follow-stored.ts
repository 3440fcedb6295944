/** What happens to a job, seen from its row: whoever runs it may be another replica. */
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../domain/job.js';
import { MixspaceError } from '../errors.js';
import type { StoredFailure, StoredJob } from '../store/job-catalog.js';
import { endId, type JobEvent } from './events.js';

const failuresAtOnce = 100;
/** Milliseconds between two looks. */
const everyMs = { here: 200, elsewhere: 1_000 };

export interface Followed {
  get(): Promise<StoredJob & { secondsLeft?: number }>;
  failures(request: { limit: number; after: number }): Promise<{ failures: StoredFailure[] }>;
  /** It runs in this process: to look costs nothing. */
  isHere(): boolean;
}

/** As `follow` tells it. */
export async function* followStored(followed: Followed, seen: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
  // Of one follower: what another one has seen of the progress is told again.
  const generation = `r${Date.now().toString(36)}`;
  const known = /^[0-9a-z]{1,16}-(\d{1,15})-\d{1,15}$/.exec(seen ?? '')?.[1];
  let failure = known === undefined ? undefined : Number(known);
  let told: string | undefined;
  for (let version = 1; !signal.aborted; ) {
    const job = await unlessAway(followed.get());
    if (job) {
      failure = Math.min(failure ?? job.lastFailure, job.lastFailure);
      const failures = job.lastFailure > failure ? ((await unlessAway(followed.failures({ limit: failuresAtOnce, after: failure })))?.failures ?? []) : [];
      for (const each of failures) {
        failure = each.number;
        yield { type: 'failure', id: `${generation}-${failure}-${version}`, job, failure: each };
      }
      if (failures.length > 0) continue;
      if (hasEnded(job.state)) return yield { type: 'end', id: endId(job), job };
      const { state, done, total, failed } = job;
      const now = JSON.stringify([state, done, total, failed]);
      if (now !== told) {
        told = now;
        version++;
        yield { type: 'progress', id: `${generation}-${failure}-${version}`, job };
      }
    }
    await delay(followed.isHere() ? everyMs.here : everyMs.elsewhere, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Undefined while the store cannot be asked: it is looked at again. */
async function unlessAway<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'not_ready') return undefined;
    throw error;
  }
}

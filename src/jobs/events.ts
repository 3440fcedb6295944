import { setTimeout as delay } from 'node:timers/promises';
import type { StoredFailure, StoredJob } from '../store/job-catalog.js';
import type { LiveJob } from './live-job.js';

/** `id`: from there it goes on for who has seen it. */
export type JobEvent = { id: string; job: StoredJob & { secondsLeft?: number } } & ({ type: 'progress' | 'end' } | { type: 'failure'; failure: StoredFailure });

/** Milliseconds between two events of progress: what changes meanwhile is one. */
const tellEveryMs = 200;
const failuresAtOnce = 100;

interface Place {
  failure: number;
  /** Undefined: the present state is still to be told. */
  version: number | undefined;
}

/** The id of the last event of a job that has ended: nothing comes after it. */
export const endId = (job: StoredJob): string => `end-${job.lastFailure}-${Date.parse(job.endedAt ?? job.createdAt)}`;

/**
 * What happens to a job from here on, or from behind the event `seen`, until it has ended or the caller has gone. The
 * present state comes first. Nothing is kept for who is slow: of progress the latest is told, failures are looked up.
 */
export async function* follow(live: LiveJob, seen: string | undefined, signal: AbortSignal): AsyncGenerator<JobEvent, void, undefined> {
  const place = placeOf(live, seen);
  while (!signal.aborted) {
    const failures = await live.failuresBehind(place.failure, failuresAtOnce);
    for (const failure of failures) {
      place.failure = failure.number;
      yield { type: 'failure', id: idOf(live, place), job: live.told(), failure };
    }
    if (failures.length > 0) continue;
    // Whatever is said of a place beyond the last failure: it is not beyond those to come.
    place.failure = Math.min(place.failure, live.lastFailure);
    if (live.hasEnded && !live.isSettling) return yield { type: 'end', id: endId(live.job), job: live.told() };
    if (live.hasEnded || place.version === live.version) await live.changed(signal);
    else {
      place.version = live.version;
      yield { type: 'progress', id: idOf(live, place), job: live.told() };
      await delay(tellEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

const idOf = ({ generation }: LiveJob, { failure, version }: Place): string => `${generation}-${failure}-${version ?? 0}`;

function placeOf(live: LiveJob, seen: string | undefined): Place {
  const [, generation, failure, version] = /^([0-9a-z]{1,16})-(\d{1,15})-(\d{1,15})$/.exec(seen ?? '') ?? [];
  if (generation === undefined) return { failure: live.lastFailure, version: undefined };
  return { failure: Number(failure), version: generation === live.generation ? Number(version) : undefined };
}

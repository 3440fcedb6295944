import { useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../../../contract/jobs.js';
import { followJob } from '../../shell/follow-job.js';
import { useSession } from '../../shell/session.js';

export const isUnderWay = ({ state }: Pick<Job, 'state'>): boolean => state === 'waiting' || state === 'running';
export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

/**
 * A job by its events, until it has ended; undefined until the first one.
 * @param isFollowed false: nothing is asked.
 * @param onEnd called once, with how it ended; not for one that had ended before.
 */
export function useFollowedJob(id: string | undefined, { isFollowed = true, onEnd }: { isFollowed?: boolean; onEnd?: (job: Job) => void } = {}): Job | undefined {
  const { client } = useSession();
  const [followed, setFollowed] = useState<Job>();
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    if (id === undefined || !isFollowed) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const follow = async (): Promise<void> => {
      for await (const { type, job } of followJob(client, id, signal)) {
        setFollowed(job);
        if (type === 'end') end.current?.(job);
      }
    };
    // What cannot be followed stands as it was told.
    follow().catch(() => {});
    return () => leaving.abort();
  }, [client, id, isFollowed]);
  return followed?.id === id ? followed : undefined;
}

import { useEffect, useRef, useState } from 'preact/hooks';
import { MixspaceApiError } from '../../../client/index.js';
import type { Job } from '../../../contract/jobs.js';
import { isPassing } from '../../shell/errors.js';
import { growingPause } from '../../shell/growing-pause.js';
import { useSession } from '../../shell/session.js';

export const isUnderWay = ({ state }: Pick<Job, 'state'>): boolean => state === 'waiting' || state === 'running';
export const hasEnded = ({ state }: Pick<Job, 'state'>): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

/**
 * A job by its events, until it has ended; undefined until the first one. A stream that breaks off is taken up again behind
 * the last event, however long the service is gone.
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
      let after: string | undefined;
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          for await (const { type, id: seen, job } of client.followJob(id, { signal, ...(after === undefined ? {} : { after }) })) {
            if (signal.aborted) return;
            attempt = 0;
            after = seen;
            setFollowed(job);
            if (type === 'end') end.current?.(job);
          }
          return;
        } catch (error) {
          if (signal.aborted || (error instanceof MixspaceApiError && !isPassing(error))) return;
        }
        await new Promise((resolve) => setTimeout(resolve, growingPause(attempt)));
      }
    };
    void follow();
    return () => leaving.abort();
  }, [client, id, isFollowed]);
  return followed?.id === id ? followed : undefined;
}

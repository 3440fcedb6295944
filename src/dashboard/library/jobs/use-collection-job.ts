import { useState } from 'preact/hooks';
import type { Job } from '../../../contract/jobs.js';
import { useSession } from '../../shell/session.js';
import { useAsked } from '../asking.js';
import { hasEnded, useFollowedJob } from './use-followed-job.js';

/**
 * The newest job of a kind in a collection, as it goes on; undefined where there is none.
 * @returns `show`: a job that was started, or changed, here.
 */
export function useCollectionJob(collection: string, kind: Job['kind'], onEnd: (job: Job) => void): { job: Job | undefined; show: (job: Job) => void } {
  const { client } = useSession();
  const [shown, setShown] = useState<Job>();
  const listed = useAsked(async (signal) => (await client.jobs({ collection, kind, limit: '1' }, { signal })).jobs[0], [client, collection, kind]);
  const known = shown ?? listed.value;
  const isFollowed = known !== undefined && !hasEnded(known);
  const followed = useFollowedJob(known?.id, {
    isFollowed,
    onEnd: (job) => {
      setShown(job);
      onEnd(job);
    },
  });
  return { job: isFollowed ? (followed ?? known) : known, show: setShown };
}

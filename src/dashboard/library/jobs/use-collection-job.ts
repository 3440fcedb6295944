import { useState } from 'preact/hooks';
import type { Job } from '../../../contract/jobs.js';
import { useSession } from '../../shell/session.js';
import { useAsked } from '../asking.js';
import { hasEnded, useFollowedJob } from './use-followed-job.js';

/** As `useNewestJob`, of a collection. */
export const useCollectionJob = (collection: string, kind: Job['kind'], onEnd: (job: Job) => void): NewestJob => useNewestJob({ collection, kind }, onEnd);

interface NewestJob {
  job: Job | undefined;
  /** A job that was started, or changed, here. */
  show: (job: Job) => void;
}

/** The newest job of a kind, as it goes on; undefined where there is none. */
export function useNewestJob({ collection, kind }: { collection?: string; kind: Job['kind'] }, onEnd: (job: Job) => void): NewestJob {
  const { client } = useSession();
  const [shown, setShown] = useState<Job>();
  const listed = useAsked(async (signal) => (await client.jobs({ ...(collection === undefined ? {} : { collection }), kind, limit: '1' }, { signal })).jobs[0], [client, collection, kind]);
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

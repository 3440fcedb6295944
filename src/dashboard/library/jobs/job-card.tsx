import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../../contract/jobs.js';
import { useAnnouncements } from '../../shell/announcements.js';
import { When } from '../facts.js';
import { useFigures } from '../figures.js';
import { Failures } from './failures.js';
import { JobProgress } from './job-progress.js';
import { useOutcome } from './outcome.js';
import { hasEnded, useFollowedJob } from './use-followed-job.js';
import { useJobTexts } from './words.js';

/** One job. `isFollowed`: as it goes on; else as it was listed. */
export function JobCard({ listed, isFollowed, onChanged }: { listed: Job; isFollowed: boolean; onChanged: () => void }) {
  const words = useJobTexts();
  const figures = useFigures();
  const { say } = useAnnouncements();
  const [told, setTold] = useState<Job>();
  const kind = words.kinds[listed.kind] ?? listed.kind;
  const followed = useFollowedJob(listed.id, {
    isFollowed,
    onEnd: ({ state }) => {
      say(words.isNow(kind, words.states[state]));
      onChanged();
    },
  });
  // The list is younger than what was told before it.
  useEffect(() => setTold(undefined), [listed, followed]);
  const job = told ?? (isFollowed && followed ? followed : listed);
  const outcome = useOutcome(job, figures);
  return (
    <li class="card job" data-state={job.state}>
      <div class="card-head">
        <h3>
          {kind}
          {job.collection !== undefined && <span class="quiet"> · {job.collection}</span>}
        </h3>
        <span class={`state ${job.state}`}>{words.states[job.state]}</span>
      </div>
      <p class="quiet">
        {words.began} <When time={job.created_at} />
        {job.ended_at !== undefined && (
          <>
            , {words.ended} <When time={job.ended_at} />
          </>
        )}
      </p>
      <JobProgress
        job={job}
        onChanged={(next) => {
          setTold(next);
          say(words.isNow(kind, words.states[next.state]));
          onChanged();
        }}
      />
      {job.problem !== null && <p class="reason">{job.problem}</p>}
      {outcome !== undefined && hasEnded(job) && <p class="outcome">{outcome}</p>}
      {job.failed > 0 && <Failures job={job.id} failed={hasEnded(job) ? job.failed : 0} />}
    </li>
  );
}

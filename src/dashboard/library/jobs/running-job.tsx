import type { Job } from '../../../contract/jobs.js';
import { Failures } from './failures.js';
import { JobProgress } from './job-progress.js';
import { useJobTexts } from './words.js';

/** A job where its outcome is looked at: as long as there is something to say of it. */
export function RunningJob({ job, onChanged }: { job: Job | undefined; onChanged: (job: Job) => void }) {
  const words = useJobTexts();
  if (!job || job.state === 'done' || job.state === 'cancelled') return null;
  return (
    <div class="card job" data-state={job.state}>
      <div class="card-head">
        <h4>{words.kinds[job.kind] ?? job.kind}</h4>
        <span class={`state ${job.state}`}>{words.states[job.state]}</span>
      </div>
      <JobProgress job={job} onChanged={onChanged} />
      {job.problem !== null && <p class="reason">{job.problem}</p>}
      {job.failed > 0 && job.state === 'failed' && <Failures job={job.id} failed={job.failed} />}
    </div>
  );
}

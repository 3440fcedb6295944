import type { MixspaceClient } from '../../../client/index.js';
import type { Job } from '../../../contract/jobs.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction } from '../asking.js';
import { useFigures } from '../figures.js';
import { hasEnded, isUnderWay } from './use-followed-job.js';
import { useJobTexts } from './words.js';

/** How far a job is, and what can be done with it. `onChanged`: somebody paused, resumed or cancelled it here. */
export function JobProgress({ job, onChanged }: { job: Job; onChanged: (job: Job) => void }) {
  const { client } = useSession();
  const words = useJobTexts();
  const { count, bytes, seconds } = useFigures();
  const much = job.kind === 'pull' ? bytes : count;
  const { run, isBusy, error } = useAction();
  const { id, state, done, failed, total, seconds_left: left } = job;
  const tell = (call: (client: MixspaceClient, id: string, signal: AbortSignal) => Promise<Job>) => () => void run(async (signal) => onChanged(await call(client, id, signal)));
  const pause = tell((to, which, signal) => to.pauseJob(which, { signal }));
  const resume = tell((to, which, signal) => to.resumeJob(which, { signal }));
  const cancel = tell((to, which, signal) => to.cancelJob(which, { signal }));
  const said = [words.done(much(done), total === undefined ? undefined : much(total)), ...(failed > 0 ? [words.failed(count(failed))] : []), ...(left === undefined || !isUnderWay(job) ? [] : [words.left(seconds(left))])];
  return (
    <div class="job-progress">
      {!hasEnded(job) && <progress aria-label={words.progress} max={total ?? 1} {...(total === undefined && isUnderWay(job) ? {} : { value: done + failed })} />}
      <p>{said.join(' · ')}</p>
      <div class="actions">
        {isUnderWay(job) && job.kind !== 'restore' && (
          <button type="button" disabled={isBusy} onClick={pause}>
            {words.pause}
          </button>
        )}
        {(state === 'paused' || state === 'failed') && (
          <button type="button" disabled={isBusy} onClick={resume}>
            {words.resume}
          </button>
        )}
        {!hasEnded(job) && (
          <button type="button" disabled={isBusy} onClick={cancel}>
            {words.cancel}
          </button>
        )}
      </div>
      <Problem error={error} />
    </div>
  );
}

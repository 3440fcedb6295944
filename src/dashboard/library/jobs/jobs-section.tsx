import { useEffect, useState } from 'preact/hooks';
import type { Job, JobState } from '../../../contract/jobs.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import type { PageProps } from '../../shell/page-props.js';
import { useAskedWhileSeen } from '../../shell/seen.js';
import { given, useAction, useAsked } from '../asking.js';
import { useSectionTexts } from '../sections.js';
import { JobCard } from './job-card.js';
import { isUnderWay } from './use-followed-job.js';
import { useJobTexts } from './words.js';

const pageSize = '20';
/** Browsers keep six connections to a service, and a stream holds one. */
const mostFollowed = 2;
/** Events tell of what is followed; only of what is not, and of what somebody else begins, the list is looked at. */
const quietMs = 15_000;
const busyMs = 4_000;
const states: JobState[] = ['running', 'waiting', 'paused', 'failed', 'done', 'cancelled'];

/** All jobs, the newest first; those that run as they go on. */
export function JobsSection({ address, go }: PageProps) {
  const { client } = useSession();
  const words = useJobTexts();
  const { jobs: heading } = useSectionTexts();
  const state = states.find((each) => each === address.query.get('state'));
  const query = given({ limit: pageSize, state });
  const { value, error, isRetried, isLoading, again } = useAsked((signal) => client.jobs(query, { signal }), [client, state]);
  const [older, setOlder] = useState<{ jobs: Job[]; cursor: string | undefined }>();
  const more = useAction();
  useEffect(() => setOlder(undefined), [state]);

  const newest = value?.jobs ?? [];
  const jobs = [...newest, ...(older?.jobs ?? []).filter(({ id }) => newest.every((each) => each.id !== id))];
  const cursor = older ? older.cursor : value?.next_cursor;
  const underWay = jobs.filter(isUnderWay);
  useAskedWhileSeen(underWay.length > mostFollowed ? busyMs : quietMs, () => isLoading || again());
  const followed = new Set(underWay.toSorted((one, other) => Number(other.state === 'running') - Number(one.state === 'running')).slice(0, mostFollowed).map(({ id }) => id));
  const load = (): void =>
    void more.run(async (signal) => {
      const page = await client.jobs({ ...query, cursor: cursor! }, { signal });
      setOlder((before) => ({ jobs: [...(before?.jobs ?? []), ...page.jobs], cursor: page.next_cursor }));
    });
  return (
    <section aria-busy={isLoading && !value}>
      <div class="section-head">
        <h2>{heading}</h2>
        <label>
          <span>{words.ofState}</span>
          <select value={state ?? ''} onChange={(event) => go({ query: { section: 'jobs', state: event.currentTarget.value || undefined } })}>
            <option value="">{words.all}</option>
            {states.map((each) => (
              <option key={each} value={each}>
                {words.states[each]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Problem error={error ?? more.error} isRetried={isRetried} onAgain={again} />
      {value && jobs.length === 0 && <p class="quiet">{words.none}</p>}
      <ul class="cards">
        {jobs.map((job) => (
          <JobCard key={job.id} listed={job} isFollowed={followed.has(job.id)} onChanged={again} />
        ))}
      </ul>
      {cursor !== undefined && (
        <button type="button" disabled={more.isBusy} onClick={load}>
          {words.more}
        </button>
      )}
    </section>
  );
}

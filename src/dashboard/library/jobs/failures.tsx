import { useState } from 'preact/hooks';
import type { JobFailure } from '../../../contract/jobs.js';
import { Problem } from '../../shell/problem.js';
import { useSession } from '../../shell/session.js';
import { useAction, useAsked } from '../asking.js';
import { useJobTexts } from './words.js';

const pageSize = '50';

/** What a job could not do, asked for when it is opened. `failed`: how many, so that new ones are shown too. */
export function Failures({ job, failed }: { job: string; failed: number }) {
  const words = useJobTexts();
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="failures" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{words.failures}</summary>
      {isOpen && <List key={failed} job={job} />}
    </details>
  );
}

function List({ job }: { job: string }) {
  const { client } = useSession();
  const words = useJobTexts();
  const { value, error, isRetried, again } = useAsked((signal) => client.jobFailures(job, { limit: pageSize }, { signal }), [client, job]);
  const [further, setFurther] = useState<{ failures: JobFailure[]; cursor: string | undefined }>();
  const more = useAction();
  const failures = [...(value?.failures ?? []), ...(further?.failures ?? [])];
  const cursor = further ? further.cursor : value?.next_cursor;
  const load = (): void =>
    void more.run(async (signal) => {
      const page = await client.jobFailures(job, { limit: pageSize, cursor: cursor! }, { signal });
      setFurther((before) => ({ failures: [...(before?.failures ?? []), ...page.failures], cursor: page.next_cursor }));
    });
  return (
    <>
      {!value && !error && <p>{words.loading}</p>}
      {value && failures.length === 0 && <p>{words.noFailures}</p>}
      <ul>
        {failures.map(({ id, file, reason }, index) => (
          <li key={index}>
            <b>
              <bdi>{id ?? file}</bdi>
            </b>
            : <bdi>{reason}</bdi>
          </li>
        ))}
      </ul>
      <Problem error={error ?? more.error} isRetried={isRetried} onAgain={error === undefined ? undefined : again} />
      {cursor !== undefined && (
        <button type="button" disabled={more.isBusy} onClick={load}>
          {words.more}
        </button>
      )}
    </>
  );
}

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Job } from '../../contract/jobs.js';
import { followJob } from '../shell/follow-job.js';
import { Problem } from '../shell/problem.js';
import { useSession } from '../shell/session.js';
import { useLanguage } from '../shell/language.js';
import type { MapSource } from './map-source.js';
import { counted, useMapTexts } from './words.js';

export interface Making {
  job?: Job;
  error?: unknown;
  isStarting: boolean;
  /** `place`: only those that came since. */
  make: (how?: { place?: true }) => void;
  stop: () => void;
}

const isOpen = (state: Job['state']): boolean => state === 'waiting' || state === 'running' || state === 'paused';

/** The job that makes a collection's map: one that runs already is found and followed. */
export function useMaking(source: MapSource, onMade: () => void): Making {
  const { client } = useSession();
  const [state, setState] = useState<Omit<Making, 'make' | 'stop'>>({ isStarting: false });
  const leaving = useRef(new AbortController());
  const { collection } = source;

  const follow = useCallback(
    async (first: Job, signal: AbortSignal): Promise<void> => {
      setState({ job: first, isStarting: false });
      for await (const { type, job } of followJob(client, first.id, signal)) {
        setState({ job, isStarting: false });
        if (type === 'end' && job.state === 'done') onMade();
      }
    },
    [client, onMade],
  );
  const fail = (error: unknown): void => void (leaving.current.signal.aborted || setState({ error, isStarting: false }));

  useEffect(() => {
    const { signal } = (leaving.current = new AbortController());
    client
      .jobs({ collection }, { signal })
      .then(async ({ jobs }) => {
        const running = jobs.find(({ kind, state: at }) => kind === 'map' && isOpen(at));
        if (running) await follow(running, signal);
      })
      // Whether one runs is only good to know; what fails here fails where something is asked for.
      .catch(() => {});
    return () => leaving.current.abort();
  }, [client, collection, follow]);

  return {
    ...state,
    make: (how = {}) => {
      setState({ isStarting: true });
      source.make(how).then((job) => follow(job, leaving.current.signal)).catch(fail);
    },
    stop: () => void (state.job && client.cancelJob(state.job.id).catch(fail)),
  };
}

/** How far it is, or why there is nothing of it. */
export function MakingPanel({ making }: { making: Making }) {
  const words = useMapTexts();
  const language = useLanguage();
  const { job, error, make, stop } = making;
  if (error !== undefined) return <Problem error={error} onAgain={() => make()} />;
  if (!job) return null;
  if (isOpen(job.state)) {
    const { done, total, seconds_left: seconds } = job;
    return (
      <section class="panel map-making" aria-label={words.making}>
        <p>
          {words.making}
          {total !== undefined && total > 0 ? `: ${words.progress(counted(language, done), counted(language, total))}` : ' …'}
          {seconds !== undefined && <span class="quiet"> {words.secondsLeft(seconds)}</span>}
        </p>
        <progress aria-label={words.making} {...(total === undefined || total === 0 ? {} : { max: total, value: done })} />
        <button type="button" onClick={stop}>
          {words.stop}
        </button>
        {job.failed > 0 && <p>{words.failures(job.failed)}</p>}
      </section>
    );
  }
  if (job.state === 'done') return job.failed > 0 ? <p class="quiet">{words.failures(job.failed)}</p> : null;
  return (
    <div class="panel problem" role="alert">
      <p>
        {job.state === 'cancelled' ? words.wasStopped : words.failed} {job.problem}
      </p>
    </div>
  );
}

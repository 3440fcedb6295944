/** A job gives every item of the collection its label. */
import { useEffect, useState } from 'preact/hooks';
import type { ClassifyCollectionRequest } from '../../contract/classifiers.js';
import type { Collection } from '../../contract/collections.js';
import type { Job, JobEventData } from '../../contract/jobs.js';
import { useFigures } from '../items/figures.js';
import type { ShownItem } from '../items/picture.js';
import { useAnnouncements } from '../shell/announcements.js';
import type { ChangeQuery } from '../shell/change-query.js';
import { useKeptText } from '../shell/kept-text.js';
import { Problem } from '../shell/problem.js';
import { followJob } from '../shell/follow-job.js';
import { useSession } from '../shell/session.js';
import { useLoaded } from '../shell/use-loaded.js';
import { JobResult } from './job-result.js';
import { useClassifyTexts } from './words.js';

interface WholeCollectionProps {
  collection: Collection;
  query: URLSearchParams;
  change: ChangeQuery;
  /** What the items are classified by; undefined: nothing yet. */
  by: Pick<ClassifyCollectionRequest, 'labels' | 'classifier' | 'templates'> | undefined;
  onTake: (items: ShownItem[]) => void;
}

export function WholeCollection({ collection, query, change, by, onTake }: WholeCollectionProps) {
  const words = useClassifyTexts();
  const { count } = useFigures();
  const { client } = useSession();
  const id = query.get('job') ?? undefined;
  const field = useKeptText(query, change, { name: 'field', otherwise: 'label' });
  const truth = useKeptText(query, change, { name: 'truth' });
  const [failed, setFailed] = useState<{ error: unknown; again: () => void }>();
  const [isStarting, setStarting] = useState(false);
  const followed = useFollowed(id);
  const { job } = followed;
  const isRunning = job !== undefined && (job.state === 'running' || job.state === 'waiting' || job.state === 'paused');
  const fields = useLoaded(async (signal) => fieldsOf((await client.itemPage(collection.name, { limit: 50 }, { signal })).items), [client, collection.name]);

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setFailed(undefined);
    try {
      await work();
    } catch (error) {
      setFailed({ error, again: () => void attempt(work) });
    }
  };
  const start = (): Promise<void> =>
    attempt(async () => {
      field.settle();
      truth.settle();
      setStarting(true);
      try {
        const started = await client.classifyCollection(collection.name, { ...by!, field: field.typed.trim(), abstain: 'auto', ...(truth.typed.trim() === '' ? {} : { truth: truth.typed.trim() }) });
        change({ job: started.id, field: field.typed, truth: truth.typed || undefined });
      } finally {
        setStarting(false);
      }
    });

  return (
    <section class="whole" aria-labelledby="whole-title">
      <h2 id="whole-title">{words.whole}</h2>
      <p class="quiet">{words.wholeHint(count(collection.counts.total))}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label>
          <span>{words.field}</span>
          <input type="text" required maxlength={512} value={field.typed} autocomplete="off" spellcheck={false} onInput={(event) => field.type(event.currentTarget.value)} onBlur={field.settle} />
        </label>
        <label>
          <span>{words.truth}</span>
          <input type="text" maxlength={512} value={truth.typed} list="fields" autocomplete="off" spellcheck={false} title={words.truthHint} onInput={(event) => truth.type(event.currentTarget.value)} onBlur={truth.settle} />
        </label>
        <datalist id="fields">
          {fields.value?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <button type="submit" class="primary" disabled={!by || isRunning || isStarting || !collection.model_available}>
          {words.start}
        </button>
        {isRunning && (
          <button type="button" onClick={() => void attempt(async () => followed.tell(await client.cancelJob(job.id)))}>
            {words.stop}
          </button>
        )}
      </form>
      {!collection.model_available && <p class="quiet">{words.needsModel}</p>}
      <Problem error={failed?.error} onAgain={failed?.again} />
      <Problem error={followed.error} onAgain={followed.again} />
      {job && <Progress job={job} onResume={() => void attempt(async () => followed.resumed(await client.resumeJob(job.id)))} />}
      {job && !isRunning && (job.done > 0 || job.state === 'done') && <JobResult key={`${job.id} ${job.state}`} collection={collection.name} job={job} field={(job.result?.['field'] as string | undefined) ?? field.text.trim()} truth={(job.result?.['truth'] as string | undefined) ?? undefined} onTake={onTake} />}
    </section>
  );
}

function Progress({ job, onResume }: { job: Job; onResume: () => void }) {
  const words = useClassifyTexts();
  const { count } = useFigures();
  const { client } = useSession();
  const failures = useLoaded(async (signal) => (job.failed === 0 ? [] : (await client.jobFailures(job.id, { limit: '20' }, { signal })).failures), [client, job.id, job.failed]);
  const isRunning = job.state === 'running';
  return (
    <div class="job">
      {(isRunning || job.state === 'waiting' || job.state === 'paused') && (
        <p>
          <progress max={job.total ?? 1} {...(job.total === undefined ? {} : { value: job.done + job.failed })} aria-label={words.whole} />
          <span>
            {isRunning ? words.progress(count(job.done), job.total === undefined ? undefined : count(job.total)) : words.waiting}
            {isRunning && job.seconds_left !== undefined && ` · ${words.secondsLeft(job.seconds_left)}`}
          </span>
        </p>
      )}
      {job.state === 'done' && <p role="status">{words.done(count(job.done), count(Number(job.result?.['none'] ?? 0)))}</p>}
      {job.state === 'cancelled' && <p role="status">{words.stopped(count(job.done))}</p>}
      {job.state === 'failed' && (
        <div class="panel problem" role="alert">
          <p>
            {words.failedJob} {job.problem}
          </p>
          <button type="button" onClick={onResume}>
            {words.goOn}
          </button>
        </div>
      )}
      {job.failed > 0 && (
        <details>
          <summary>{words.failures(count(job.failed))}</summary>
          <ul>
            {failures.value?.map((failure, index) => (
              <li key={index}>
                <bdi>{failure.id ?? failure.file}</bdi>: {failure.reason}
              </li>
            ))}
          </ul>
          <Problem error={failures.error} onAgain={failures.again} />
        </details>
      )}
    </div>
  );
}

interface Followed {
  job?: JobEventData | Job;
  error?: unknown;
  again: () => void;
  tell: (job: Job) => void;
  /** It runs once more: its events are taken up again. */
  resumed: (job: Job) => void;
}

/** A job as its events tell it, until it has ended. */
function useFollowed(id: string | undefined): Followed {
  const { client } = useSession();
  const { say } = useAnnouncements();
  const words = useClassifyTexts();
  const { count } = useFigures();
  const [state, setState] = useState<{ job?: JobEventData | Job; error?: unknown }>({});
  const [times, setTimes] = useState(0);
  useEffect(() => setState({}), [id]);
  useEffect(() => {
    if (id === undefined) return;
    const leaving = new AbortController();
    const follow = async (): Promise<void> => {
      // An ended job has no events any more.
      const now = await client.job(id, { signal: leaving.signal });
      setState({ job: now });
      if (now.ended_at !== undefined) return;
      for await (const { job, type } of followJob(client, id, leaving.signal)) {
        // One that was stopped here may still be told of as it was before.
        setState((before) => (type !== 'end' && before.job?.id === job.id && before.job.ended_at !== undefined ? before : { job }));
        if (type === 'end') say(job.state === 'done' ? words.done(count(job.done), count(Number(job.result?.['none'] ?? 0))) : words.stopped(count(job.done)));
      }
    };
    follow().catch((error: unknown) => leaving.signal.aborted || setState((before) => ({ ...before, error })));
    return () => leaving.abort();
  }, [client, id, times]);
  const again = (): void => setTimes((before) => before + 1);
  return {
    // Of another one, for the moment in which the address changes.
    ...(state.job === undefined || state.job.id === id ? state : {}),
    again: () => {
      setState({});
      again();
    },
    tell: (job) => setState({ job }),
    resumed: (job) => {
      setState({ job });
      again();
    },
  };
}

/** Names of fields that some items have, whose value is a text. */
function fieldsOf(items: ShownItem[]): string[] {
  const names = items.flatMap(({ metadata }) => Object.entries(metadata).flatMap(([name, value]) => (typeof value === 'string' ? [name] : [])));
  return [...new Set(names)].slice(0, 50);
}

import type { Job as Told, JobEventData, JobEventName, JobFailure, JobFailures, JobList, JobKind } from '../contract/jobs.js';
import type { JobState } from '../domain/job.js';
import type { ToldJob } from '../jobs/jobs.js';
import type { StoredFailure } from '../store/job-catalog.js';
import type { Caller, JobContext } from './context.js';
import { placeIn } from './place-in.js';

const pageSize = 100;

export interface JobEvent {
  event: JobEventName;
  id: string;
  data: JobEventData;
}

interface Page {
  limit?: number;
  cursor?: string;
}

export async function listJobs({ jobs, cursors }: JobContext, request: Page & { collections?: string[] | undefined; kind?: JobKind | undefined; state?: JobState | undefined }): Promise<JobList> {
  const { collections, kind, state, limit = pageSize } = request;
  const scope = ['jobs', collections ?? null, kind ?? null, state ?? null];
  const before = await placeIn(cursors, request.cursor, scope);
  const found = await jobs.list({
    limit,
    ...(before === undefined ? {} : { before }),
    ...(collections === undefined ? {} : { collections }),
    ...(kind === undefined ? {} : { kind }),
    ...(state === undefined ? {} : { states: [state] }),
  });
  const last = found.jobs.at(-1);
  return { jobs: found.jobs.map(toldJob), ...(found.more && last ? { next_cursor: await cursors.seal([last.number], scope) } : {}) };
}

export async function getJob({ jobs }: JobContext, id: string): Promise<Told> {
  return toldJob(await jobs.get(id));
}

export async function pauseJob({ jobs }: JobContext, id: string): Promise<Told> {
  return toldJob(await jobs.pause(id));
}

export async function resumeJob({ jobs }: JobContext, id: string): Promise<Told> {
  return toldJob(await jobs.resume(id));
}

export async function cancelJob({ jobs }: JobContext, id: string): Promise<Told> {
  return toldJob(await jobs.cancel(id));
}

export async function listJobFailures({ jobs, cursors }: JobContext, id: string, { limit = pageSize, cursor }: Page): Promise<JobFailures> {
  const scope = ['job failures', id];
  const after = await placeIn(cursors, cursor, scope);
  const { failures, more } = await jobs.failures(id, { limit, ...(after === undefined ? {} : { after }) });
  const last = failures.at(-1);
  return { failures: failures.map(toldFailure), ...(more && last ? { next_cursor: await cursors.seal([last.number], scope) } : {}) };
}

/** What happens to a job from now on, or from behind the event that was `seen` last; undefined where nothing comes behind that. */
export async function followJob({ jobs }: JobContext, id: string, seen: string | undefined, { signal }: Caller): Promise<AsyncIterable<JobEvent> | undefined> {
  const events = await jobs.events(id, seen, signal);
  return events && told(events);
}

async function* told(events: NonNullable<Awaited<ReturnType<JobContext['jobs']['events']>>>): AsyncGenerator<JobEvent, void, undefined> {
  for await (const event of events) {
    yield { event: event.type, id: event.id, data: { ...toldJob(event.job), ...(event.type === 'failure' ? { failure: toldFailure(event.failure) } : {}) } };
  }
}

export function toldJob(job: ToldJob): Told {
  return {
    id: job.id,
    kind: job.kind as JobKind,
    ...(job.collection === undefined ? {} : { collection: job.collection }),
    state: job.state,
    done: job.done,
    ...(job.total === undefined ? {} : { total: job.total }),
    failed: job.failed,
    problem: job.problem ?? null,
    created_at: job.createdAt,
    ...(job.endedAt === undefined ? {} : { ended_at: job.endedAt }),
    ...(job.secondsLeft === undefined ? {} : { seconds_left: job.secondsLeft }),
    ...(job.result === undefined ? {} : { result: job.result }),
  };
}

function toldFailure({ what, name, reason }: StoredFailure): JobFailure {
  return what === 'item' ? { id: name, reason } : { file: name, reason };
}

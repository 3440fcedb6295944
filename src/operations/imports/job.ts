/** The job that takes in an archive, a list of URLs or a folder. Where it is lies in its checkpoint; what it did again is known by its content. */
import type { Jobs } from '../../jobs/jobs.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import type { Context } from '../context.js';
import { placeOfDisks } from '../sync/machine.js';
import { ingest } from '../ingest.js';
import { whenThereIsRoom } from '../when-there-is-room.js';
import { openSource, type ImportParameters } from './open-source.js';
import { countLeftOut, type LeftOutCounts, type Refusal, type Step } from './step.js';

export const importJob = 'import';

const atOnce = { steps: 64, bytes: 64e6 };
const pageJobs = 200;

interface Counts {
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  leftOut: LeftOutCounts;
}

interface Checkpoint extends Counts {
  /** Of what was imported when it was written. */
  stamp: string;
  /** Steps that are done. */
  at: number;
}

export function importKind(context: Context): JobKind<ImportParameters> {
  const release = async ({ from }: ImportParameters): Promise<void> => {
    if ('upload' in from) await context.imports.uploads.remove(from.upload);
  };
  return {
    name: importJob,
    isPausable: true,
    isSingle: false,
    retriesFailures: false,
    place: async ({ parameters: { from } }) => ('upload' in from ? context.imports.uploads.place() : placeOfDisks(context.sync.machine)),
    run: async (work) => {
      const end = await run(context, work);
      await release(work.job.parameters);
      return end;
    },
    discard: ({ parameters }) => release(parameters),
  };
}

/** At start: what was sent for jobs that have ended, or never began. */
export async function sweepUploads({ imports }: Context, jobs: Jobs): Promise<void> {
  const ids = new Set(await imports.uploads.ids());
  for (let before: number | undefined; ids.size > 0; ) {
    const page = await jobs.list({ kind: importJob, states: ['waiting', 'running', 'paused', 'failed'], limit: pageJobs, ...(before === undefined ? {} : { before }) });
    for (const { parameters } of page.jobs) {
      const from = (parameters as ImportParameters | null)?.from;
      if (from && 'upload' in from) ids.delete(from.upload);
    }
    before = page.jobs.at(-1)?.number;
    if (!page.more) break;
  }
  for (const id of ids) await imports.uploads.remove(id);
}

async function run(context: Context, work: JobWork<ImportParameters>): Promise<JobEnd> {
  const { signal } = work;
  const name = work.job.collection!;
  const source = await openSource(context, work.job.parameters, signal);
  try {
    const before = work.job.checkpoint as Checkpoint | undefined;
    const goesOn = before?.stamp === source.stamp;
    let at = goesOn ? before.at : 0;
    const counts: Counts = goesOn ? { created: before.created, updated: before.updated, unchanged: before.unchanged, failed: before.failed, leftOut: before.leftOut } : { created: 0, updated: 0, unchanged: 0, failed: 0, leftOut: { ...source.leftOut } };
    const found = (): number => counts.created + counts.updated + counts.unchanged + counts.failed;
    const tell = (): void => work.at({ done: found() - counts.failed, failed: counts.failed, total: Math.max(source.total - (at - found()), found()) });
    const fail = async ({ name: file, reason }: Refusal): Promise<void> => {
      counts.failed++;
      await work.failed({ what: 'file', name: file, reason });
    };
    tell();
    for await (const steps of ahead(batches(source.steps(at)))) {
      signal.throwIfAborted();
      for (const step of steps) {
        if ('leftOut' in step) countLeftOut(counts.leftOut, step.leftOut);
        else if ('reason' in step) await fail(step);
        else for (const problem of step.problems ?? []) await work.failed({ what: 'file', ...problem });
      }
      const taken = steps.filter((step) => 'entry' in step);
      if (taken.length > 0) {
        const { items } = await whenThereIsRoom(() => ingest(context, name, taken.map(({ entry }) => entry), { signal, priority: 'bulk' }), signal);
        for (const [index, { status, error }] of items.entries()) {
          if (status === 'failed') await fail({ name: taken[index]!.name, reason: error?.message ?? 'It is not known why.' });
          else counts[status]++;
        }
      }
      at += steps.length;
      tell();
      await work.save({ ...counts, stamp: source.stamp, at } satisfies Checkpoint);
    }
    const { leftOut, ...numbers } = counts;
    return { result: { found: found(), ...numbers, left_out: leftOut } };
  } finally {
    await source.close();
  }
}

async function* batches(steps: AsyncIterable<Step>): AsyncGenerator<Step[]> {
  let batch: Step[] = [];
  let bytes = 0;
  for await (const step of steps) {
    batch.push(step);
    bytes += 'bytes' in step ? step.bytes : 0;
    if (batch.length < atOnce.steps && bytes < atOnce.bytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The next is read while one is worked on. */
async function* ahead<T>(all: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = all.next();
  try {
    for (;;) {
      const result = await next;
      if (result.done) return;
      next = all.next();
      // What goes wrong is met when it is its turn.
      next.catch(() => undefined);
      yield result.value;
    }
  } finally {
    await next.catch(() => undefined);
    await all.return(undefined);
  }
}

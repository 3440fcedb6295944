/** What a job of embedding a collection again does. Its outcomes lie in the store, where the next run finds what is left to do. */
import { total } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { JobEnd, JobKind, JobWork } from '../../jobs/kind.js';
import { keptFailures } from '../../store/job-catalog.js';
import type { ReembeddingTarget } from '../../store/reembedding-catalog.js';
import type { Context } from '../context.js';
import { cutAll } from '../tiles/cut-all.js';
import { embedAgain } from './rounds.js';
import { reembedJob } from './reembed.js';
import { Run } from './runs.js';

/** Milliseconds between two looks at the store's own counts. */
const countEveryMs = 500;

export function reembedKind(context: Context): JobKind<ReembeddingTarget> {
  return {
    name: reembedJob,
    isPausable: true,
    isSingle: true,
    retriesFailures: true,
    begin: ({ collection, parameters }) => context.catalog.startReembedding(collection!, parameters),
    run: (work) => new Reembedding(context, work).run(),
    discard: async ({ collection }) => {
      if ((await context.catalog.describeCollection(collection!)).reembedding) await context.catalog.discardReembedding(collection!);
    },
  };
}

/** At start: what was begun before there were jobs, or by a service that ended in that moment, gets one. */
export async function adoptReembeddings({ catalog }: Context, jobs: Jobs): Promise<void> {
  for (const { name, counts, reembedding } of await catalog.listCollections()) {
    if (!reembedding) continue;
    const job = await jobs.find(reembedJob, name);
    if (job && job.state !== 'done' && job.state !== 'cancelled') continue;
    const { model, fingerprint, dimension, fromThumbnails, skipImpossible, state, problem, startedAt, done, impossible } = reembedding;
    const ended = problem === undefined ? {} : { problem, endedAt: new Date().toISOString() };
    await jobs.import(reembedJob, {
      collection: name,
      state: state === 'running' ? 'running' : problem === undefined ? 'paused' : 'failed',
      parameters: { model, fingerprint, dimension, fromThumbnails, skipImpossible } satisfies ReembeddingTarget,
      createdAt: startedAt,
      done,
      failed: impossible,
      total: total(counts),
      ...(state === 'running' ? {} : ended),
    });
  }
}

class Reembedding {
  readonly #context: Context;
  readonly #work: JobWork<ReembeddingTarget>;
  readonly #name: string;
  readonly #target: ReembeddingTarget;
  #countedAt = -Infinity;

  constructor(context: Context, work: JobWork<ReembeddingTarget>) {
    this.#context = context;
    this.#work = work;
    this.#name = work.job.collection!;
    this.#target = work.job.parameters;
  }

  run(): Promise<JobEnd> {
    const run = new Run(this.#work.signal, async (_, impossible) => {
      for (const { id, reason } of impossible) await this.#work.failed({ what: 'item', name: id, reason });
      await this.#count();
    });
    return this.#context.reembeddings.during(this.#name, run, () => this.#toItsEnd(run));
  }

  async #toItsEnd(run: Run): Promise<JobEnd> {
    const { catalog } = this.#context;
    const [name, target] = [this.#name, this.#target];
    if (this.#work.isRestarted) {
      const left = await this.#goOn();
      if (left) return left;
    }
    await this.#tellImpossible();
    await this.#count();
    const outcome = await embedAgain(this.#context, name, target, run);
    if (outcome === 'done') {
      run.freeWrites();
      return this.#done();
    }
    const { reembedding } = await catalog.describeCollection(name);
    this.#countedAt = -Infinity;
    await this.#count();
    throw new MixspaceError('conflict', `${reembedding?.impossible} items cannot be embedded again. With skip_impossible (--skip) they stay without being found by searches.`);
  }

  async #done(): Promise<JobEnd> {
    await this.#cutRest();
    const { model, fingerprint, unembedded, counts } = await this.#context.catalog.describeCollection(this.#name);
    const all = total(counts);
    const rest = unembedded > 0 ? ` ${unembedded} items have no embedding there: they are kept, and searches do not find them.` : '';
    this.#context.log('info', `Collection "${this.#name}" has gone over to model "${model}".${rest}`, { collection: this.#name, model });
    this.#work.at({ done: all - unembedded, total: all, failed: unembedded });
    return { result: { model, fingerprint, embedded: all - unembedded, not_embedded: unembedded } };
  }

  /** Pictures that came over with other tiles than the collection wants by now. */
  async #cutRest(): Promise<void> {
    const { tiles } = await this.#context.catalog.getCollection(this.#name);
    if (tiles === 'none') return;
    await cutAll(this.#context, { collection: this.#name, tiles, signal: this.#work.signal }, { begin: () => undefined, cut: () => Promise.resolve() });
  }

  /** Once its model is checked. Answers how it has ended where nothing is left to be done. */
  async #goOn(): Promise<JobEnd | undefined> {
    const { models, log, catalog } = this.#context;
    const [name, { model, fingerprint }] = [this.#name, this.#target];
    const { signal } = this.#work;
    await Promise.race([models.model(model).catch(() => undefined), aborted(signal)]);
    signal.throwIfAborted();
    const collection = await catalog.describeCollection(name);
    const { reembedding } = collection;
    if (reembedding === undefined) return collection.fingerprint === fingerprint ? this.#done() : { cancelled: 'What was done was thrown away before the service ended.' };
    if (models.list().find(({ id }) => id === model)?.description?.fingerprint === fingerprint) {
      log('info', `Collection "${name}" goes on being embedded again with model "${model}"; ${reembedding.done} items are done.`, { collection: name, model });
      return undefined;
    }
    const problem = `Model "${model}" (space ${fingerprint}) is not here any more. Put it back and run it again, or discard what was done and take another model.`;
    log('warn', `Collection "${name}" cannot go on being embedded again. ${problem}`, { collection: name, model });
    throw new MixspaceError('conflict', problem);
  }

  /** Those found before: in an earlier run, or by a service that ended in between. */
  async #tellImpossible(): Promise<void> {
    for (const { id, reason } of await this.#context.catalog.listImpossible(this.#name, keptFailures)) await this.#work.failed({ what: 'item', name: id, reason });
  }

  async #count(): Promise<void> {
    if (performance.now() - this.#countedAt < countEveryMs) return;
    this.#countedAt = performance.now();
    const { counts, reembedding } = await this.#context.catalog.describeCollection(this.#name);
    if (reembedding) this.#work.at({ done: reembedding.done, failed: reembedding.impossible, total: total(counts) });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Embeds a collection again into another model's space; it searches as before until the end, when it goes over in one transaction. A view of one job. */
import type { ReembedPlan, ReembedRequest, ReembedResponse, Reembedding as Told } from '../../contract/reembed.js';
import { isUnderWay } from '../../domain/job.js';
import { total } from '../../domain/modality.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import type { ToldJob } from '../../jobs/jobs.js';
import type { Catalog, CollectionDescription } from '../../store/catalog.js';
import type { ReembeddingPlan, ReembeddingTarget } from '../../store/reembedding-catalog.js';
import type { Context, JobContext } from '../context.js';

export const reembedJob = 'reembed';
const toldImpossible = 10;

/** `POST /v1/collections/{name}/reembed`: tells the plan, and begins or goes on. */
export async function reembed(context: JobContext, name: string, request: ReembedRequest): Promise<ReembedResponse> {
  const { jobs, catalog } = context;
  const collection = await catalog.describeCollection(name);
  const { reembedding } = collection;
  const target = await targetOf(context, collection, request);
  if (reembedding && reembedding.fingerprint !== target.fingerprint) throw otherTarget(name, reembedding, target);
  if (!reembedding && target.fingerprint === collection.fingerprint && collection.unembedded === 0) {
    throw new MixspaceError('conflict', `Collection "${name}" is in the space of model "${target.model}" already, with all its items.`, { param: 'model' });
  }
  const before = await jobs.find(reembedJob, name);
  if (reembedding && before && isUnderWay(before.state)) return { ...(await toldReembedding(context, collection)), job: before.id };

  const plan = await catalog.planReembedding(name, target);
  const told = { plan: toldPlan(target, plan) };
  if (request.dry_run) return { ...told, ...(await toldReembedding(context, collection)) };
  if (plan.impossible > 0 && !target.skipImpossible) throw refused(collection, plan);
  const goesOn = reembedding !== undefined && (before?.state === 'paused' || before?.state === 'failed');
  const job = goesOn && before.isDamaged === undefined ? await jobs.resume(before.id, target) : await begin(context, name, target);
  // Another request may have begun one in between.
  const begun = job.parameters as ReembeddingTarget;
  if (begun.fingerprint !== target.fingerprint) throw otherTarget(name, begun, target);
  return { ...told, ...(await toldReembedding(context, await catalog.describeCollection(name))), job: job.id };
}

async function begin({ jobs, catalog }: JobContext, name: string, target: ReembeddingTarget): Promise<ToldJob> {
  for (;;) {
    const { job, isNew } = await jobs.start(reembedJob, { collection: name, parameters: target });
    if (isNew || (await catalog.describeCollection(name)).reembedding) return job;
    // The collection has gone over, and the job is about to say so.
    await jobs.ended(job.id);
  }
}

/** `GET /v1/collections/{name}/reembed`. @throws MixspaceError `not_found` when there is none. */
export async function getReembedding(context: JobContext, name: string): Promise<ReembedResponse> {
  const { reembedding } = await toldReembedding(context, await underWay(context, name));
  const job = await context.jobs.find(reembedJob, name);
  return { reembedding: { ...reembedding!, first_impossible: await context.catalog.listImpossible(name, toldImpossible) }, ...(job === undefined ? {} : { job: job.id }) };
}

/** `DELETE /v1/collections/{name}/reembed`. @throws MixspaceError `not_found` when there is none. */
export async function stopReembedding(context: JobContext, name: string, discard: boolean): Promise<ReembedResponse> {
  await underWay(context, name);
  const job = await context.jobs.find(reembedJob, name);
  if (job && discard) await context.jobs.cancel(job.id).catch(unlessEnded);
  else if (job && isUnderWay(job.state)) await context.jobs.pause(job.id).catch(unlessEnded);
  const collection = await context.catalog.describeCollection(name);
  // It was done before it could be stopped.
  if (!collection.reembedding) return {};
  if (discard) {
    await context.catalog.discardReembedding(name);
    return {};
  }
  return toldReembedding(context, collection);
}

/** It came to an end by itself. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof MixspaceError && error.code === 'conflict')) throw error;
}

/** How far a collection is on its way into another space: its target and counts as the store has them, the rest as its job. */
export async function toldReembedding({ jobs, catalog }: JobContext, { name, counts, reembedding }: CollectionDescription): Promise<{ reembedding?: Told }> {
  if (!reembedding) return {};
  const { model, fingerprint, dimension, done, impossible, fromThumbnails, skipImpossible, startedAt } = reembedding;
  const job = await jobs.find(reembedJob, name);
  // Where it has gone over since the collection was looked at, it is told as it was then.
  const runs = job !== undefined && (isUnderWay(job.state) || (job.state === 'done' && (await hasGoneOver(catalog, name))));
  return {
    reembedding: {
      model,
      fingerprint,
      dimensions: dimension,
      state: runs ? 'running' : 'stopped',
      problem: runs ? null : (job?.problem ?? null),
      total: total(counts),
      done,
      impossible,
      from_thumbnails: fromThumbnails,
      skip_impossible: skipImpossible,
      started_at: startedAt,
      ...(job?.secondsLeft === undefined ? {} : { seconds_left: job.secondsLeft }),
    },
  };
}

/** Or is not there any more. */
const hasGoneOver = (catalog: Catalog, name: string): Promise<boolean> => catalog.describeCollection(name).then(({ reembedding }) => !reembedding, () => true);

async function underWay(context: Context, name: string): Promise<CollectionDescription> {
  const collection = await context.catalog.describeCollection(name);
  if (!collection.reembedding) throw new MixspaceError('not_found', `Collection "${name}" is not being embedded again.`);
  return collection;
}

async function targetOf(context: Context, collection: CollectionDescription, request: ReembedRequest): Promise<ReembeddingTarget> {
  const { id, fingerprint, dimension } = await modelFor(context, collection, request.model);
  const before = collection.reembedding;
  return {
    model: id,
    fingerprint,
    dimension,
    fromThumbnails: request.from_thumbnails ?? before?.fromThumbnails ?? false,
    skipImpossible: request.skip_impossible ?? before?.skipImpossible ?? false,
  };
}

async function modelFor(context: Context, collection: CollectionDescription, wanted: string | undefined): Promise<ModelDescription> {
  const { models } = context;
  if (wanted !== undefined) return models.model(wanted);
  if (collection.reembedding) return models.model(collection.reembedding.model);
  const own = await models.model(collection.model).catch(() => undefined);
  return own && (own.fingerprint !== collection.fingerprint || collection.unembedded > 0) ? own : models.defaultModel;
}

function otherTarget(name: string, { model, fingerprint }: ReembeddingTarget, wanted: ReembeddingTarget): MixspaceError {
  const discard = `(mixspace reembed ${name} --discard)`;
  const why =
    wanted.model === model
      ? `began to be embedded again with other files of model "${model}" (space ${fingerprint}, now ${wanted.fingerprint}): put those back, or discard what was done ${discard}.`
      : `is being embedded again with model "${model}" already: let it finish, or stop and discard it ${discard}.`;
  return new MixspaceError('conflict', `Collection "${name}" ${why}`, { param: 'model' });
}

function toldPlan({ model, fingerprint, dimension }: ReembeddingTarget, plan: ReembeddingPlan): ReembedPlan {
  return { model, fingerprint, dimensions: dimension, items: plan.items, kept: plan.kept, from_thumbnails: plan.fromThumbnails, impossible: plan.impossible, first_impossible: plan.first };
}

function refused({ name }: CollectionDescription, { items, impossible, first }: ReembeddingPlan): MixspaceError {
  const some = first.slice(0, 3).map(({ id, reason }) => `"${id}" (${reason})`).join(', ');
  return new MixspaceError(
    'conflict',
    `${impossible} of the ${items} items of collection "${name}" cannot be embedded again: ${some}${impossible > 3 ? ', ...' : ''}. ` +
      'With skip_impossible (--skip) they stay with all they hold, but searches do not find them; from_thumbnails (--from-thumbnails) takes the thumbnail where there is no original.',
    { param: 'skip_impossible' },
  );
}

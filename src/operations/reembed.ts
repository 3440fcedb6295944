/** Embeds a collection again into another model's space; it searches as before until the end, when it goes over in one transaction. */
import type { ReembedPlan, ReembedRequest, ReembedResponse } from '../contract/reembed.js';
import type { ModelDescription } from '../encoder/encoder.js';
import { MixspaceError, toMixspaceError } from '../errors.js';
import type { Collection, CollectionDescription, ReembeddingPlan, ReembeddingTarget } from '../store/store.js';
import type { Context } from './context.js';
import { embedAgain } from './embed-again.js';
import type { Run } from './reembedding.js';

const toldImpossible = 10;

/** `POST /v1/collections/{name}/reembed`: tells the plan, and begins or goes on. */
export async function reembed(context: Context, name: string, request: ReembedRequest): Promise<ReembedResponse> {
  const collection = await context.store.describeCollection(name);
  const { reembedding } = collection;
  const target = await targetOf(context, collection, request);
  if (reembedding && reembedding.fingerprint !== target.fingerprint) throw otherTarget(name, reembedding, target);
  if (!reembedding && target.fingerprint === collection.fingerprint && collection.unembedded === 0) {
    throw new MixspaceError('conflict', `Collection "${name}" is in the space of model "${target.model}" already, with all its items.`, { param: 'model' });
  }
  if (context.reembeddings.run(name)) return context.reembeddings.told(collection);

  const plan = await context.store.planReembedding(name, target);
  const told = { plan: toldPlan(target, plan) };
  if (request.dry_run) return { ...told, ...context.reembeddings.told(collection) };
  if (plan.impossible > 0 && !target.skipImpossible) throw refused(collection, plan);
  await context.store.startReembedding(name, target);
  begin(context, name, target);
  return { ...told, ...context.reembeddings.told(await context.store.describeCollection(name)) };
}

/** `GET /v1/collections/{name}/reembed`. @throws MixspaceError `not_found` when there is none. */
export async function getReembedding(context: Context, name: string): Promise<ReembedResponse> {
  const { reembedding } = context.reembeddings.told(await underWay(context, name));
  return { reembedding: { ...reembedding!, first_impossible: await context.store.listImpossible(name, toldImpossible) } };
}

/** `DELETE /v1/collections/{name}/reembed`. @throws MixspaceError `not_found` when there is none. */
export async function stopReembedding(context: Context, name: string, discard: boolean): Promise<ReembedResponse> {
  await underWay(context, name);
  await context.reembeddings.run(name)?.stop();
  const { reembedding } = await context.store.describeCollection(name);
  // It was done before it could be stopped.
  if (!reembedding) return {};
  if (discard) await context.store.discardReembedding(name);
  else if (reembedding.state === 'running') await context.store.stopReembedding(name);
  return context.reembeddings.told(await context.store.describeCollection(name));
}

/** At start: what the end of the service interrupted goes on, as soon as its model is checked. */
export async function resumeReembeddings(context: Context): Promise<void> {
  for (const { name, reembedding } of await context.store.listCollections()) {
    if (reembedding?.state === 'running') context.reembeddings.begin(name, (run) => resume(context, name, reembedding.model, run));
  }
}

/** Is told as running while the check of its model is waited for. */
async function resume(context: Context, name: string, model: string, run: Run): Promise<void> {
  await Promise.race([context.encoder.model(model).catch(() => undefined), aborted(run.signal)]);
  if (run.signal.aborted) return;
  const listed = context.encoder.models().find(({ id }) => id === model);
  const reembedding = (await context.store.describeCollection(name).catch(() => undefined))?.reembedding;
  // Stopped meanwhile, by whoever asked or with the service.
  if (reembedding?.state !== 'running' || (listed && !listed.description && listed.problem === undefined)) return;
  if (listed?.description?.fingerprint === reembedding.fingerprint) {
    context.log('info', `Collection "${name}" goes on being embedded again with model "${model}"; ${reembedding.done} items are done.`, { collection: name, model });
    return runToItsEnd(context, name, reembedding, run);
  }
  const problem = `Model "${model}" (space ${reembedding.fingerprint}) is not here any more. Put it back and run it again, or discard what was done and take another model.`;
  context.log('warn', `Collection "${name}" cannot go on being embedded again. ${problem}`, { collection: name, model });
  await context.store.stopReembedding(name, problem).catch(() => undefined);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function begin(context: Context, name: string, target: ReembeddingTarget): void {
  if (!context.reembeddings.run(name)) context.reembeddings.begin(name, (run) => runToItsEnd(context, name, target, run));
}

async function runToItsEnd(context: Context, name: string, target: ReembeddingTarget, run: Run): Promise<void> {
  const { model } = target;
  try {
    const outcome = await embedAgain(context, name, target, run);
    if (outcome === 'done') {
      const { unembedded } = await context.store.describeCollection(name);
      const rest = unembedded > 0 ? ` ${unembedded} items have no embedding there: they are kept, and searches do not find them.` : '';
      return context.log('info', `Collection "${name}" has gone over to model "${model}".${rest}`, { collection: name, model });
    }
    const { reembedding } = await context.store.describeCollection(name);
    await context.store.stopReembedding(name, `${reembedding?.impossible} items cannot be embedded again. With skip_impossible (--skip) they stay without being found by searches.`);
  } catch (error) {
    await takeDown(context, name, model, error, run);
  }
}

async function takeDown(context: Context, name: string, model: string, error: unknown, run: Run): Promise<void> {
  const { code, message } = toMixspaceError(error);
  const isGone = (await context.store.describeCollection(name).catch(() => undefined))?.reembedding === undefined;
  if (run.signal.aborted || isGone) return;
  context.log('error', `Embedding collection "${name}" again with model "${model}" has stopped; run it again to go on.`, { collection: name, model, code, reason: message, cause: error instanceof MixspaceError ? String(error.cause ?? '') : String((error as Error)?.stack ?? error) });
  context.reembeddings.failed(name, message);
  // On a full disk this is no use either; then it goes on at the next start.
  await context.store.stopReembedding(name, message).catch(() => undefined);
}

async function underWay(context: Context, name: string): Promise<CollectionDescription> {
  const collection = await context.store.describeCollection(name);
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
  const { encoder } = context;
  if (wanted !== undefined) return encoder.model(wanted);
  if (collection.reembedding) return encoder.model(collection.reembedding.model);
  const own = await encoder.model(collection.model).catch(() => undefined);
  return own && (own.fingerprint !== collection.fingerprint || collection.unembedded > 0) ? own : encoder.defaultModel;
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

function refused({ name }: Collection, { items, impossible, first }: ReembeddingPlan): MixspaceError {
  const some = first.slice(0, 3).map(({ id, reason }) => `"${id}" (${reason})`).join(', ');
  return new MixspaceError(
    'conflict',
    `${impossible} of the ${items} items of collection "${name}" cannot be embedded again: ${some}${impossible > 3 ? ', ...' : ''}. ` +
      'With skip_impossible (--skip) they stay with all they hold, but searches do not find them; from_thumbnails (--from-thumbnails) takes the thumbnail where there is no original.',
    { param: 'skip_impossible' },
  );
}

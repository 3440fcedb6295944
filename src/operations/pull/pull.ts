import type { PullableModels, PullPlan, PullRequest, PullResponse } from '../../contract/pull.js';
import { MixspaceError } from '../../errors.js';
import type { ModelSource, PulledModel } from '../../hub/model-source.js';
import type { Caller, JobContext } from '../context.js';
import { toldJob } from '../jobs.js';
import { pullJob } from './job.js';

/** `GET /v1/models/pull`. `isAllowed`: the caller may, where anyone may. */
export async function pullableModels({ hub }: JobContext, isAllowed: boolean): Promise<PullableModels> {
  const models = hub && isAllowed ? await hub.recommended() : [];
  return {
    allowed: hub !== undefined && isAllowed,
    models: models.map(({ id, folder, title, license, licenseName, mustBeAccepted, imageSize, bytes, imagenet, flickr }) => ({
      id,
      ...(folder === undefined ? {} : { folder }),
      title,
      license: licenseName ?? license,
      must_be_accepted: mustBeAccepted,
      image_size: imageSize ?? null,
      bytes: bytes ?? null,
      imagenet: imagenet ?? null,
      flickr: flickr ?? null,
    })),
  };
}

/**
 * `POST /v1/models/pull`: what it would mean and, unless that alone was asked for, the job that does it; none where all of it is there.
 * @throws MixspaceError `forbidden`; `unprocessable`: its license must be agreed to; `conflict`: embeddings of the model of that name
 * would no longer fit; and what the hub's plan throws.
 */
export async function pullModel(context: JobContext, { id, variant, folder, as, accept_license: accepts, replace, dry_run: dry }: PullRequest, { signal }: Caller): Promise<PullResponse> {
  const found = await requireHub(context.hub).plan({ id, ...(variant === undefined ? {} : { variants: [variant].flat() }), ...(folder === undefined ? {} : { folder }), ...(as === undefined ? {} : { as }) }, signal);
  const plan = toldPlan(found);
  if (dry || found.isComplete) return { plan };
  if (found.mustBeAccepted && !accepts) throw new MixspaceError('unprocessable', `${found.licenseSentence} \`accept_license: true\` agrees to it.`, { param: 'accept_license' });
  if ((found.changesEmbeddings || found.mended.length > 0) && !replace) {
    const what = found.changesEmbeddings ? 'collections made with it would have to be embedded again' : `these of its files are not as they were pulled: ${found.mended.join(', ')}`;
    throw new MixspaceError('conflict', `There is a model ${plan.name}, and ${what}. \`replace: true\` goes on all the same; \`as\` gives this one another name.`, { param: 'replace' });
  }
  const { job } = await context.jobs.start(pullJob, { parameters: found.chosen });
  return { plan, job: toldJob(job) };
}

function requireHub(hub: ModelSource | undefined): ModelSource {
  if (!hub) throw new MixspaceError('forbidden', 'Models are not pulled by this service: MIXSPACE_HUB=yes allows it.');
  return hub;
}

const toldPlan = ({ chosen, license, licenseSentence, mustBeAccepted, files, bytes, bytesToCome, isComplete, changesEmbeddings, mended }: PulledModel): PullPlan => ({
  id: chosen.id,
  name: chosen.name,
  commit: chosen.commit,
  variants: chosen.variants,
  license: license ?? null,
  license_text: licenseSentence,
  must_be_accepted: mustBeAccepted,
  files,
  bytes,
  bytes_to_come: bytesToCome,
  complete: isComplete,
  changes_embeddings: changesEmbeddings,
  mended,
});

import { z } from 'zod';
import { Job } from './jobs.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const Variant = z.string().min(1).max(limits.variantLength, `A variant's name has at most ${limits.variantLength} characters.`);

export const PullRequest = z
  .strictObject({
    id: z.string().min(1, 'id names a model on the hub.').max(limits.hubIdLength, `id has at most ${limits.hubIdLength} characters.`).meta({ description: 'The model on the hub, `owner/name`; with `@REVISION` at a branch, tag or commit.' }),
    variant: maybe(z.union([Variant, list(Variant).min(1).max(limits.variants, `At most ${limits.variants} variants.`)])).meta({ description: 'fp32, fp16, q8, q4, q4f16 or bnb4; of several the first is used. Left out: those that are there, or fp32.' }),
    folder: maybe(z.string().min(1).max(limits.hubFolderLength, `folder has at most ${limits.hubFolderLength} characters.`)).meta({ description: 'Where the model lies, in a repository that holds several.' }),
    as: maybe(z.string().min(1).max(limits.modelNameLength, `as has at most ${limits.modelNameLength} characters.`)).meta({ description: "The model's id here. Left out: the last part of the folder, or of the hub's name." }),
    accept_license: maybe(z.boolean()).meta({ description: 'true: agrees to a license that is not known to be free for any use.' }),
    replace: maybe(z.boolean()).meta({ description: 'true: also where embeddings of the model of this name would no longer fit, or files of it were changed.' }),
    dry_run: maybe(z.boolean()).meta({ description: 'true: the plan alone; nothing is begun.' }),
  })
  .meta({ id: 'PullRequest' });
export type PullRequest = z.infer<typeof PullRequest>;

export const PullPlan = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: "The model's id here." }),
    commit: z.string(),
    variants: z.array(z.string()),
    license: z.string().nullable(),
    license_text: z.string().meta({ description: 'What it is, what it asks, where it can be read.' }),
    must_be_accepted: z.boolean().meta({ description: '`accept_license: true` is needed.' }),
    files: z.number().int(),
    bytes: z.number().int(),
    bytes_to_come: z.number().int().meta({ description: 'Of them, those that are not there yet.' }),
    complete: z.boolean().meta({ description: 'All of it is there: there is no job.' }),
    changes_embeddings: z.boolean().meta({ description: 'Embeddings of the model of this name would no longer fit: `replace: true` is needed.' }),
    mended: z.array(z.string()).meta({ description: 'Files that are not as they were pulled: `replace: true` is needed.' }),
  })
  .meta({ id: 'PullPlan' });
export type PullPlan = z.infer<typeof PullPlan>;

export const PullResponse = z.object({ plan: PullPlan, job: Job.optional().meta({ description: 'Its `done` and `total` are bytes.' }) }).meta({ id: 'PullResponse' });
export type PullResponse = z.infer<typeof PullResponse>;

const percent = z.number().nullable();
export const PullableModels = z
  .object({
    allowed: z.boolean().meta({ description: 'The caller may pull models. Where not, none is listed.' }),
    models: z
      .array(
        z.object({
          id: z.string(),
          folder: z.string().optional(),
          title: z.string(),
          license: z.string(),
          must_be_accepted: z.boolean(),
          image_size: z.number().int().nullable(),
          bytes: z.number().int().nullable().meta({ description: 'Of fp32, roughly.' }),
          imagenet: percent.meta({ description: 'Zero-shot, top 1, per cent, as published.' }),
          flickr: percent.meta({ description: 'Flickr30k, text to picture, recall at 1, per cent, as published.' }),
        }),
      )
      .meta({ description: 'Known to be good, the best for most uses first; any other of the hub can be named as well.' }),
  })
  .meta({ id: 'PullableModels' });
export type PullableModels = z.infer<typeof PullableModels>;

import { z } from 'zod';
import { Filter } from './filter.js';
import { Job } from './jobs.js';
import { limits } from './limits.js';
import { Modality } from './shared.js';
import { maybe } from './zod-helpers.js';

export const keepRules = ['largest', 'sharpest', 'oldest', 'newest'] as const;
export const KeepRule = z.enum(keepRules).meta({ id: 'KeepRule', description: 'Which of a group to keep. `largest`: most pixels (of texts, most characters), then sharpness; `sharpest`: the reverse; `oldest`, `newest`: by when it was taken in. Ties: the first by time, then by id.' });
export type KeepRule = z.infer<typeof KeepRule>;

export const DuplicatesRequest = z
  .strictObject({
    threshold: maybe(z.number().min(0.5, 'threshold is at least 0.5.').max(1, 'threshold is at most 1.')).meta({ description: 'How alike two must be: pictures by what can be seen (default 0.9), texts, and pictures without a thumbnail, by the cosine of their embeddings (default 0.98).' }),
    filter: maybe(Filter).meta({ description: 'Only among items that match.' }),
    modality: maybe(Modality).meta({ description: 'Only among these.' }),
    keep: maybe(KeepRule).meta({ description: 'Default `largest`.' }),
  })
  .meta({ id: 'DuplicatesRequest' });
export type DuplicatesRequest = z.infer<typeof DuplicatesRequest>;

export const StartedJob = z.object({ job: Job }).meta({ id: 'StartedJob', description: 'Its result is there when the job is done; until then the one before it is told.' });
export type StartedJob = z.infer<typeof StartedJob>;

export const DuplicateItem = z
  .object({
    id: z.string(),
    modality: Modality,
    width: z.number().int().optional(),
    height: z.number().int().optional(),
    sharpness: z.number().optional().meta({ description: 'Variance of the Laplacian of the thumbnail: compare it within a group alone.' }),
    similarity: z.number().meta({ description: 'To the nearest other of the group, 0..1.' }),
    evidence: z.enum(['content', 'pixels', 'embedding']).meta({ description: 'By what: the same bytes; the pictures laid over each other; the cosine of the embeddings alone.' }),
    keep: z.boolean(),
    image_url: z.string().optional(),
  })
  .meta({ id: 'DuplicateItem' });
export type DuplicateItem = z.infer<typeof DuplicateItem>;

export const DuplicateGroup = z
  .object({
    id: z.string(),
    size: z.number().int(),
    mirrored: z.boolean().meta({ description: 'Two groups or items that are mirror images of each other, by one of each: nothing of it is superfluous, `keep` is true for both.' }),
    reason: z.enum(['size', 'sharpness', 'age', 'mirrored']).meta({ description: 'What decided which to keep; `age`: all else is equal.' }),
    items: z.array(DuplicateItem).meta({ description: `The one to keep first; at most ${limits.groupItems} of them, all by \`/duplicates/{id}\`.` }),
  })
  .meta({ id: 'DuplicateGroup' });
export type DuplicateGroup = z.infer<typeof DuplicateGroup>;

export const Duplicates = z
  .object({
    job: z.string(),
    at: z.string().meta({ description: 'When it was found.' }),
    threshold: z.number().optional().meta({ description: 'As it was asked for.' }),
    keep: KeepRule,
    items: z.number().int().meta({ description: 'How many were compared.' }),
    groups: z.array(DuplicateGroup).meta({ description: 'The largest first, mirror images last. Items that have gone since are left out.' }),
    total: z.number().int().meta({ description: 'Groups, mirror images not counted.' }),
    superfluous: z.number().int().meta({ description: 'Items of all groups but those to keep.' }),
    mirrored: z.number().int().meta({ description: 'Pairs of mirror images.' }),
    next_cursor: z.string().optional(),
  })
  .meta({ id: 'Duplicates' });
export type Duplicates = z.infer<typeof Duplicates>;

export const DuplicateGroupPage = DuplicateGroup.extend({ next_cursor: z.string().optional() }).meta({ id: 'DuplicateGroupPage' });
export type DuplicateGroupPage = z.infer<typeof DuplicateGroupPage>;

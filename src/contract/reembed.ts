import { z } from 'zod';
import { ModelId } from './shared.js';
import { maybe } from './zod-helpers.js';

export const ReembedRequest = z
  .strictObject({
    model: maybe(ModelId).meta({ description: "Left out: what was begun goes on; else the collection's own model if it has changed, else the default one." }),
    from_thumbnails: maybe(z.boolean()).meta({ description: 'Embed the thumbnail (at most 320 px) where there is no original. Default false.' }),
    skip_impossible: maybe(z.boolean()).meta({ description: 'Go over although some items cannot be embedded again: they stay, with all they hold, and are not found by searches. Default false: refused (409).' }),
    dry_run: maybe(z.boolean()).meta({ description: 'Tell the plan and begin nothing.' }),
  })
  .meta({ id: 'ReembedRequest' });
export type ReembedRequest = z.infer<typeof ReembedRequest>;

export const ImpossibleItem = z.object({ id: z.string(), reason: z.string() }).meta({ id: 'ImpossibleItem' });
export type ImpossibleItem = z.infer<typeof ImpossibleItem>;

export const ReembedPlan = z
  .object({
    model: z.string(),
    fingerprint: z.string(),
    dimensions: z.number().int(),
    items: z.number().int().meta({ description: 'Still to be embedded, the impossible ones among them.' }),
    kept: z.number().int().meta({ description: 'Have an embedding of that space from an earlier time: nothing is encoded.' }),
    from_thumbnails: z.number().int().meta({ description: 'Are embedded from their thumbnail.' }),
    impossible: z.number().int(),
    first_impossible: z.array(ImpossibleItem).meta({ description: 'At most ten of them.' }),
  })
  .meta({ id: 'ReembedPlan' });
export type ReembedPlan = z.infer<typeof ReembedPlan>;

/** Of a collection; gone once it has gone over. */
export const Reembedding = z
  .object({
    model: z.string(),
    fingerprint: z.string(),
    dimensions: z.number().int(),
    state: z.enum(['running', 'stopped']).meta({ description: 'Stopped: the same request again goes on from there. One that the end of the service interrupted goes on by itself at the next start.' }),
    problem: z.string().nullable().meta({ description: 'Why it stopped, where nobody asked for it.' }),
    total: z.number().int(),
    done: z.number().int(),
    impossible: z.number().int().meta({ description: 'Found so far that cannot be embedded again.' }),
    first_impossible: z.array(ImpossibleItem).optional().meta({ description: 'At most ten of them; told by this call alone.' }),
    from_thumbnails: z.boolean(),
    skip_impossible: z.boolean(),
    started_at: z.string(),
    seconds_left: z.number().optional().meta({ description: 'At the pace of the last minute or so.' }),
  })
  .meta({ id: 'Reembedding' });
export type Reembedding = z.infer<typeof Reembedding>;

export const ReembedResponse = z
  .object({ plan: ReembedPlan.optional().meta({ description: 'Not told of one that is running.' }), reembedding: Reembedding.optional(), job: z.string().optional().meta({ description: 'The id of the job that does it: `/v1/jobs/{id}`.' }) })
  .meta({ id: 'ReembedResponse' });
export type ReembedResponse = z.infer<typeof ReembedResponse>;

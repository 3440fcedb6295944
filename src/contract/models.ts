import { z } from 'zod';

const cosine = z.number().min(-1).max(1);

export const SelfTest = z
  .object({
    status: z.enum(['passed', 'failed', 'unverified']).meta({ description: 'Unverified: the package has no golden vectors. One that fails when the service starts is not served.' }),
    least_cosine: cosine.optional().meta({ description: 'What every cosine to a golden vector must reach.' }),
    image: z.object({ count: z.number().int(), lowest_cosine: cosine }).optional(),
    text: z
      .object({ count: z.number().int(), lowest_cosine: cosine, other_tokens: z.number().int().meta({ description: 'Texts that came to other tokens.' }) })
      .optional(),
  })
  .meta({ id: 'SelfTest' });
export type SelfTest = z.infer<typeof SelfTest>;

export const SelfTestResponse = SelfTest.extend({ id: z.string() }).meta({ id: 'SelfTestResponse' });

export const Model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    modalities: z.array(z.enum(['text', 'image'])),
    dimensions: z.number().int(),
    context_length: z.number().int(),
    image_size: z.number().int(),
    fingerprint: z.string(),
    license: z.string().nullable(),
    description: z.string().optional(),
    languages: z.array(z.string()).optional(),
    loaded: z.boolean(),
    variant: z.string().meta({ description: 'Weights in use: fp32, fp16, q8, q4, q4f16 or bnb4.' }),
    variants: z.array(z.string()).meta({ description: 'All that the package has.' }),
    batching: z.enum(['any', 'one_at_a_time']).meta({ description: 'One at a time: a file takes no more, or is dynamically quantised, so that others in a batch would change what an input gives.' }),
    logit_scale: z.number(),
    logit_bias: z.number().optional(),
    activation: z.enum(['softmax', 'sigmoid']).optional().meta({ description: 'What `/v1/classify` does unless told otherwise, where the package says so.' }),
    templates: z.array(z.string()).optional().meta({ description: 'The ensemble of prompts that `/v1/classify` uses unless told otherwise.' }),
    no_match: z
      .object({
        min_score: z.number().meta({ description: 'Below this score, the best picture for a name is most likely not of it: a `min_score` for searches.' }),
        kept: z.number().meta({ description: 'Measured: the share of names of things that are there whose best picture stays above it.' }),
        rejected: z.number().meta({ description: 'Measured: the share of names of things that are not there whose best picture falls below it.' }),
      })
      .optional(),
    self_test: SelfTest.meta({ description: "The package's golden vectors, when the service started." }),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelList = z.object({ object: z.literal('list'), data: z.array(Model) }).meta({ id: 'ModelList' });
export type ModelList = z.infer<typeof ModelList>;

import { z } from 'zod';
import { Modality } from './shared.js';

const cosine = z.number().min(-1).max(1);

export const SelfTest = z
  .object({
    status: z
      .enum(['passed', 'failed', 'unverified', 'pending', 'unusable'])
      .meta({ description: 'Unverified: the package has no golden vectors. Pending: its check is still to come; a call that names it waits for that. Unusable: `error` says why; a call that names it is a 503.' }),
    error: z.string().optional(),
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
    created: z.number().int().meta({ description: 'When its files were last changed: seconds since 1970.' }),
    owned_by: z.literal('mixspace'),
    aliases: z.array(z.string()).meta({ description: 'Other names that calls may use for it (MIXSPACE_ALIASES).' }),
    modalities: z.array(Modality),
    dimensions: z.number().int().nullable().meta({ description: 'Null, as the other figures and the fingerprint, while the check is pending and where the model is unusable.' }),
    context_length: z.number().int().nullable(),
    image_size: z.number().int().nullable(),
    fingerprint: z.string().nullable(),
    license: z.string().nullable(),
    description: z.string().optional(),
    languages: z.array(z.string()).optional(),
    loaded: z.boolean().meta({ description: 'Whether an encoder worker holds it. Any other is loaded when a call names it.' }),
    loaded_in: z.number().int().meta({ description: 'Encoder workers that hold it.' }),
    memory_bytes: z.number().int().meta({ description: 'What it holds in all of them: what one grew by when it loaded and tested the model, times `loaded_in`.' }),
    execution_provider: z.string().optional().meta({ description: 'What it runs on, such as cpu or cuda.' }),
    variant: z.string().optional().meta({ description: 'Weights in use: fp32, fp16, q8, q4, q4f16 or bnb4.' }),
    variants: z.array(z.string()).optional().meta({ description: 'All that the package has.' }),
    preprocess_speed: z.enum(['exact', 'fast']).optional().meta({ description: 'How pictures are made ready: as the reference does it, or, where they are large, faster and near it.' }),
    batching: z.enum(['any', 'one_at_a_time']).optional().meta({ description: 'One at a time: a file takes no more, or is dynamically quantised, so that others in a batch would change what an input gives.' }),
    logit_scale: z.number().nullable(),
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
    calibrated: z.literal(true).optional().meta({ description: 'Its package says what its similarities to names mean: `/v1/classify` can abstain, and its probabilities can be relied on.' }),
    matryoshka_dimensions: z
      .array(z.number().int())
      .optional()
      .meta({ description: 'Numbers of dimensions the model was trained to be cut to: what `dimensions` of `/v1/embeddings` takes beside its own number.' }),
    replacement: z
      .object({ status: z.enum(['checking', 'unusable']), error: z.string().optional() })
      .optional()
      .meta({ description: 'Present where the files of its package are others by now than those in use: they are being checked, to be used when they have passed, or `error` says why they cannot be.' }),
    self_test: SelfTest.meta({ description: "The package's golden vectors, when it was checked: the default model's before the service is ready, the others' afterwards or at first use." }),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelList = z.object({ object: z.literal('list'), data: z.array(Model) }).meta({ id: 'ModelList' });
export type ModelList = z.infer<typeof ModelList>;

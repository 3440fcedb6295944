import { z } from 'zod';
import { Input, ModelId, Usage } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const Template = z.string().refine((template) => template.includes('{}') || template.includes('{label}'), 'A template holds {} or {label}.');

export const Label = z
  .union([z.string().min(1), z.strictObject({ name: z.string().min(1), prompts: list(z.string()).min(1).max(limits.promptsPerLabel) })], {
    error: 'A label is a string, or {"name", "prompts": [string, ...]}.',
  })
  .meta({ id: 'Label' });
export type Label = z.infer<typeof Label>;

export const ClassifyRequest = z
  .strictObject({
    model: maybe(ModelId),
    input: z.union([Input, list(Input).min(1)], {
      error: 'input is a string, {"text"}, {"image"}, or a list of at least one of them.',
    }),
    labels: list(Label).min(1),
    templates: maybe(list(Template).min(1).max(limits.templates)).meta({ description: "Default: the model's own list, else `a photo of a {label}`." }),
    activation: maybe(z.enum(['softmax', 'sigmoid'])).meta({ description: 'Default: the one the model was trained with.' }),
    top_k: maybe(z.number().int().min(1)),
    threshold: maybe(z.number().min(0).max(1)).meta({ description: 'A best label whose score is below it gives `prediction: null`.' }),
  })
  .meta({ id: 'ClassifyRequest' });
export type ClassifyRequest = z.infer<typeof ClassifyRequest>;

export const ClassifyResponse = z
  .object({
    object: z.literal('list'),
    model: z.string(),
    data: z.array(
      z.object({
        object: z.literal('classification'),
        index: z.number().int(),
        prediction: z.string().nullable().meta({ description: 'null: none of these.' }),
        score: z.number().meta({ description: "The best label's probability." }),
        predictions: z.array(
          z.object({
            label: z.string(),
            score: z.number().meta({ description: 'Probability, by the scale (and bias) of the model.' }),
            similarity: z.number().meta({ description: 'Cosine.' }),
          }),
        ),
      }),
    ),
    usage: Usage,
  })
  .meta({ id: 'ClassifyResponse' });
export type ClassifyResponse = z.infer<typeof ClassifyResponse>;

import { z } from 'zod';
import { Input, Usage } from './common.js';
import { limits } from './limits.js';

export const Label = z
  .union([z.string().min(1), z.strictObject({ name: z.string().min(1), prompts: z.array(z.string()).min(1).max(limits.promptsPerLabel) })], {
    error: 'A label is a string, or {"name", "prompts": [string, ...]}.',
  })
  .meta({ id: 'Label' });
export type Label = z.infer<typeof Label>;

export const ClassifyRequest = z
  .strictObject({
    model: z.string().optional(),
    input: z.union([Input, z.array(Input).min(1)], {
      error: 'input is a string, {"text"}, {"image"}, or a list of at least one of them.',
    }),
    labels: z.array(Label).min(1),
    templates: z
      .array(z.string().refine((template) => template.includes('{}') || template.includes('{label}'), 'A template holds {} or {label}.'))
      .min(1)
      .max(limits.templates)
      .optional()
      .meta({ description: "Default: the model's own list, else `a photo of a {label}`." }),
    activation: z.enum(['softmax', 'sigmoid']).optional().meta({ description: 'Default: the one the model was trained with.' }),
    top_k: z.number().int().min(1).optional(),
    threshold: z.number().min(0).max(1).optional().meta({ description: 'A best label whose score is below it gives `prediction: null`.' }),
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

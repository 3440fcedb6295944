import { z } from 'zod';
import { ClassifierName, Input, inputForms, ModelId, Usage } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

const Template = z.string().refine((template) => template.includes('{}') || template.includes('{label}'), 'A template holds {} or {label}.');

const LabelName = z.string().min(1);

export const Label = z
  .union(
    [
      LabelName,
      z.strictObject({
        name: LabelName,
        prompts: maybe(list(z.string()).min(1).max(limits.promptsPerLabel)).meta({ description: 'In place of the name in each template.' }),
        parent: maybe(LabelName).meta({ description: "Another label, of which this is a kind: what is given to it is shared among those that name it, so that theirs add up to its probability." }),
      }),
    ],
    { error: 'A label is a string, or {"name", "prompts": [string, ...], "parent"}.' },
  )
  .meta({ id: 'Label' });
export type Label = z.infer<typeof Label>;

export const Labels = list(Label).min(1);
export const Templates = list(Template).min(1).max(limits.templates);

/** Exactly one of them, told of the request's `labels`. */
export const labelsOrClassifier = {
  labels: maybe(Labels).meta({ description: 'Or `classifier`, exactly one of the two.' }),
  classifier: maybe(ClassifierName).meta({ description: 'A saved one, in place of `labels`, `templates` and `model`.' }),
};

export function checkLabelsOrClassifier({ value, issues }: z.core.ParsePayload<{ labels?: unknown; classifier?: unknown; templates?: unknown; model?: unknown }>): void {
  const fault = (path: string, message: string): unknown => issues.push({ code: 'custom', path: [path], message, input: value });
  if (value.labels === undefined && value.classifier === undefined) fault('labels', 'It is missing: labels, or the name of a classifier.');
  if (value.classifier === undefined) return;
  for (const name of ['labels', 'templates', 'model'] as const) if (value[name] !== undefined) fault(name, `A classifier has its own ${name}: leave one of the two out.`);
}

export const ClassifyRequest = z
  .strictObject({
    model: maybe(ModelId),
    input: z.union([Input, list(Input).min(1)], {
      error: `input is ${inputForms}, or a list of at least one of them.`,
    }),
    ...labelsOrClassifier,
    templates: maybe(Templates).meta({ description: "Default: the model's own list, else `a photo of a {label}`." }),
    activation: maybe(z.enum(['softmax', 'sigmoid'])).meta({ description: "The model's own scale in any case. Default: the one that it was trained with, where its calibrated one is not asked for." }),
    top_k: maybe(z.number().int().min(1)),
    threshold: maybe(z.number().min(0).max(1)).meta({ description: 'A best label whose score is below it gives `prediction: null`.' }),
    abstain: maybe(z.enum(['none', 'auto'])).meta({ description: '`auto`: "none of these" competes with the labels, on the calibrated scale where the model has one; where it wins, `prediction` is null. Default `none`.' }),
    multi_label: maybe(z.boolean()).meta({ description: 'Each label is a question of its own, answered by yes or no whatever the others are; those above the threshold (default .5) are `labels`. Default false.' }),
    calibrated: maybe(z.boolean()).meta({ description: "Probabilities by the model's calibration, where it has one, also where neither `abstain` nor `multi_label` nor a single label asks for it. Default false." }),
  })
  .check(checkLabelsOrClassifier)
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
        mixed: z.literal(true).optional().meta({ description: 'Its parts (`content`) were embedded each, and their embeddings added and normalised.' }),
        prediction: z.string().nullable().meta({ description: 'null: none of these.' }),
        score: z.number().meta({ description: "The best label's probability." }),
        calibrated: z.literal(true).optional().meta({ description: "Scores are by the model's calibration: what gets .8 is right eight times in ten. Absent: by the model's own scale." }),
        none: z.number().optional().meta({ description: 'With `abstain: "auto"`: that it is none of these; with the scores of the labels that have no parent it makes 1, on the calibrated scale.' }),
        labels: z.array(z.string()).optional().meta({ description: 'With `multi_label`: all that hold, the most probable first.' }),
        predictions: z.array(
          z.object({
            label: z.string(),
            parent: z.string().optional(),
            score: z.number().meta({ description: 'Probability: calibrated, or by the scale (and bias) of the model.' }),
            similarity: z.number().meta({ description: 'Cosine.' }),
          }),
        ),
      }),
    ),
    usage: Usage,
  })
  .meta({ id: 'ClassifyResponse' });
export type ClassifyResponse = z.infer<typeof ClassifyResponse>;

import { z } from 'zod';
import { checkLabelsOrClassifier, Labels, labelsOrClassifier, Templates } from './classify.js';
import { Filter } from './filter.js';
import { Job } from './jobs.js';
import { ClassifierName, CollectionName, Id, Input, ModelId } from './shared.js';
import { limits } from './limits.js';
import { list, maybe } from './zod-helpers.js';

export const NewClassifier = z
  .strictObject({
    model: maybe(ModelId),
    labels: Labels,
    templates: maybe(Templates),
  })
  .meta({ id: 'NewClassifier' });
export type NewClassifier = z.infer<typeof NewClassifier>;

const Accuracy = z
  .object({
    zero_shot: z.number().meta({ description: 'Share of the examples that the labels alone get right.' }),
    leave_one_out: z.number().meta({ description: 'The same of the classifier as it is used, each example judged without itself.' }),
  })
  .meta({ id: 'ClassifierAccuracy' });

export const Classifier = z
  .object({
    name: z.string(),
    model: z.string(),
    fingerprint: z.string(),
    labels: Labels,
    templates: Templates.optional(),
    examples: z.array(z.object({ label: z.string(), count: z.number().int(), not: z.number().int().meta({ description: 'Of these, those that it is not.' }) })).meta({ description: 'Of the labels that have some.' }),
    accuracy: Accuracy.optional().meta({ description: 'Where there are examples that are not all negative ones; told of one classifier, not in lists.' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Classifier' });
export type Classifier = z.infer<typeof Classifier>;

export const ClassifierList = z.object({ classifiers: z.array(Classifier) }).meta({ id: 'ClassifierList' });
export type ClassifierList = z.infer<typeof ClassifierList>;

const content = {
  inputs: maybe(list(Input).min(1).max(limits.examples, `At most ${limits.examples} inputs.`)),
  collection: maybe(CollectionName).meta({ description: 'Whose items `ids` are; of the same model.' }),
  ids: maybe(list(Id).min(1).max(limits.examples, `At most ${limits.examples} ids.`)),
};
type Content = { inputs?: unknown; collection?: unknown; ids?: unknown };
function checkContent({ value, issues }: z.core.ParsePayload<Content>): void {
  const fault = (path: string, message: string): unknown => issues.push({ code: 'custom', path: [path], message, input: value });
  if (value.inputs === undefined && value.ids === undefined) fault('inputs', 'It is missing: inputs, or ids with their collection.');
  else if (value.inputs !== undefined && (value.ids !== undefined || value.collection !== undefined)) fault('inputs', 'Give inputs, or a collection and ids, not both.');
  else if ((value.ids === undefined) !== (value.collection === undefined)) fault(value.ids === undefined ? 'ids' : 'collection', 'It is missing: a collection and ids belong together.');
}

export const NewExamples = z
  .strictObject({ label: z.string().min(1), not: maybe(z.boolean()).meta({ description: 'They are not that. Default false.' }), ...content })
  .check(checkContent)
  .meta({ id: 'NewExamples' });
export type NewExamples = z.infer<typeof NewExamples>;

export const RemovedExamples = z
  .strictObject({ label: maybe(z.string().min(1)), not: maybe(z.boolean()), ...content })
  .meta({ id: 'RemovedExamples', description: 'Examples that fit all that is given; nothing given: all.' });
export type RemovedExamples = z.infer<typeof RemovedExamples>;

export const ClassifierParams = z.object({ name: ClassifierName });

export const ClassifyCollectionRequest = z
  .strictObject({
    model: maybe(z.never({ error: "A collection is classified with its own model." })),
    ...labelsOrClassifier,
    templates: maybe(Templates),
    field: z.string().min(1).max(limits.idBytes).refine((field) => !field.includes('.') && !field.startsWith('$') && field !== '__proto__', 'A field is a name without "." and not with "$" in front.').meta({ description: 'Of the metadata: there it writes `{label, probability}`; a label of null is none of these.' }),
    filter: maybe(Filter),
    truth: maybe(z.string().min(1).max(limits.idBytes)).meta({ description: "A field of the metadata that holds the true label: the job's result has a confusion table." }),
    abstain: maybe(z.enum(['none', 'auto'])),
  })
  .check(checkLabelsOrClassifier)
  .meta({ id: 'ClassifyCollectionRequest' });
export type ClassifyCollectionRequest = z.infer<typeof ClassifyCollectionRequest>;

export const JobResponse = z.object({ job: Job }).meta({ id: 'JobResponse' });
export type JobResponse = z.infer<typeof JobResponse>;

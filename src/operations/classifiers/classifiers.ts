/** Saved label sets, and the examples that refine them. */
import type { Classifier, NewClassifier, NewExamples, RemovedExamples } from '../../contract/classifiers.js';
import type { Label } from '../../contract/classify.js';
import { sha256 } from '../../content-hash.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import type { ClassifierExample, ExampleCount, StoredClassifier } from '../../store/classifier-catalog.js';
import type { LabelledSet } from '../classify/answers.js';
import { learn } from '../classify/few-shot.js';
import { labelledSet } from '../classify/labelled-set.js';
import { partsOf } from '../classify/labels.js';
import type { Caller, Context } from '../context.js';
import { withModel } from '../in-space.js';
import { encodeInputs, onesOf, priorityOf, resolveInputs, type Resolved } from '../input/encode.js';
import { heldBy } from '../input/forms.js';

/** Of one classifier. */
const mostExamples = 5_000;

type Stored = StoredClassifier & { examples: ExampleCount[] };

/** `PUT /v1/classifiers/{name}`. Examples of its labels stay where the model is the same. */
export function putClassifier(context: Context, name: string, { model: id, labels, templates }: NewClassifier, caller: Caller): Promise<Classifier> {
  return withModel(context, id, async (model) => {
    const { names } = await labelledSet(context, model, { labels, templates }, caller);
    const now = new Date().toISOString();
    const before = await context.catalog.getClassifier(name).catch(() => undefined);
    await context.catalog.putClassifier({ name, model: model.id, fingerprint: model.fingerprint, labels, ...(templates === undefined ? {} : { templates }), createdAt: before?.createdAt ?? now, updatedAt: now }, names);
    return getClassifier(context, name, caller);
  });
}

export async function getClassifier(context: Context, name: string, caller: Caller): Promise<Classifier> {
  const stored = await context.catalog.getClassifier(name);
  const accuracy = stored.examples.length === 0 ? undefined : (await (await classifierOf(context, name, caller)).now()).fewShot?.accuracy;
  return told(stored, accuracy);
}

export async function listClassifiers({ catalog }: Context): Promise<{ classifiers: Classifier[] }> {
  return { classifiers: (await catalog.listClassifiers()).map((stored) => told(stored)) };
}

export async function deleteClassifier({ catalog }: Context, name: string): Promise<void> {
  await catalog.deleteClassifier(name);
}

/** `POST .../{name}/examples`. @throws MixspaceError `conflict`: another space; `invalid_request`: no label of it; `too_large`. */
export async function addExamples(context: Context, name: string, request: NewExamples, caller: Caller): Promise<Classifier> {
  const { catalog } = context;
  const stored = await catalog.getClassifier(name);
  checkLabel(stored, request.label);
  const { fingerprint, found } = await contentOf(context, stored, request, caller);
  const examples: ClassifierExample[] = found.map(({ hash, embedding }) => ({ label: request.label, negative: request.not ?? false, hash, embedding }));
  await catalog.addExamples(name, { fingerprint, examples, most: mostExamples, updatedAt: new Date().toISOString() });
  return getClassifier(context, name, caller);
}

/** `DELETE .../{name}/examples`. */
export async function removeExamples(context: Context, name: string, request: RemovedExamples, caller: Caller): Promise<Classifier> {
  const { catalog } = context;
  const stored = await catalog.getClassifier(name);
  if (request.label !== undefined) checkLabel(stored, request.label);
  if (request.collection !== undefined && request.ids === undefined) throw new MixspaceError('invalid_request', 'It is missing: a collection and ids belong together.', { param: 'ids' });
  if (request.ids !== undefined && request.collection === undefined) throw new MixspaceError('invalid_request', 'It is missing: a collection and ids belong together.', { param: 'collection' });
  const hashes = request.inputs === undefined && request.ids === undefined ? undefined : await hashesOf(context, request, caller);
  await catalog.removeExamples(name, { ...(request.label === undefined ? {} : { label: request.label }), ...(request.not === undefined ? {} : { negative: request.not }), ...(hashes === undefined ? {} : { hashes }) }, new Date().toISOString());
  return getClassifier(context, name, caller);
}

export interface UsableClassifier {
  model: string;
  /** As learnt from its examples. @throws MixspaceError `conflict`: they are of another space than the model's. */
  of(model: ModelDescription): Promise<LabelledSet>;
  /** With its own model. */
  now(): Promise<LabelledSet>;
}

/** @throws MixspaceError `not_found`. */
export async function classifierOf(context: Context, name: string, caller: Caller): Promise<UsableClassifier> {
  const stored = await context.catalog.getClassifier(name);
  const of = async (model: ModelDescription): Promise<LabelledSet> => {
    if (stored.examples.length > 0 && stored.fingerprint !== model.fingerprint) {
      throw new MixspaceError('conflict', `The examples of the classifier "${name}" are of the space ${stored.fingerprint}; its model "${model.id}" is of ${model.fingerprint} now. Put it again and give it its examples anew.`, { param: 'classifier' });
    }
    return context.learnt.of(`${name} ${stored.updatedAt} ${model.fingerprint}`, async () => {
      const set = await labelledSet(context, model, stored as { labels: Label[]; templates?: string[] }, caller);
      if (stored.examples.length === 0) return set;
      const place = new Map(set.names.map((label, index) => [label, index]));
      const examples = (await context.catalog.listExamples(name)).flatMap(({ label, negative, embedding }) => (place.has(label) ? [{ label: place.get(label)!, negative, embedding }] : []));
      const fewShot = await learn(set.embeddings, model.logitScale, examples);
      return { ...set, ...(fewShot ? { fewShot } : {}) };
    });
  };
  return { model: stored.model, of, now: () => withModel(context, stored.model, of) };
}

function checkLabel({ name, labels }: Stored, label: string): void {
  if ((labels as Label[]).some((each) => partsOf(each).name === label)) return;
  throw new MixspaceError('invalid_request', `The classifier "${name}" has no label "${label.slice(0, 100)}".`, { param: 'label' });
}

interface Content {
  hash: string;
  embedding: Float32Array;
}

async function contentOf(context: Context, stored: Stored, { inputs, collection, ids }: NewExamples, caller: Caller): Promise<{ fingerprint: string; found: Content[] }> {
  if (ids !== undefined) {
    const { fingerprint, items } = await context.catalog.getEmbeddings(collection!, ids);
    const there = new Map(items.map(({ id, contentHash, parts }) => [id, { hash: contentHash, embedding: parts[0]! }]));
    const missing = ids.findIndex((id) => !there.has(id));
    if (missing >= 0) throw new MixspaceError('not_found', `The collection "${collection}" has no item "${ids[missing]}" with an embedding.`, { param: `ids[${missing}]` });
    return { fingerprint, found: ids.map((id) => there.get(id)!) };
  }
  const field = (index: number): string => `inputs[${index}]`;
  const resolved = await resolveInputs(context, inputs!.map((input) => heldBy(input)), caller, field);
  return withModel(context, stored.model, async (model) => {
    const encoded = await encodeInputs(context, model, resolved, { priority: priorityOf(resolved.length), caller, field });
    return { fingerprint: model.fingerprint, found: await Promise.all(encoded.map(async ({ embedding }, index) => ({ hash: await hashOf(resolved[index]!), embedding }))) };
  });
}

async function hashesOf(context: Context, { inputs, collection, ids }: RemovedExamples, caller: Caller): Promise<string[]> {
  if (ids !== undefined) return (await context.catalog.present(collection!, ids)).map(({ contentHash }) => contentHash);
  return Promise.all((await resolveInputs(context, inputs!.map((input) => heldBy(input)), caller, (index) => `inputs[${index}]`)).map(hashOf));
}

/** Of several parts, of their hashes in a row. */
async function hashOf(input: Resolved): Promise<string> {
  const hashes = await Promise.all(onesOf(input).map((part) => sha256('text' in part ? new TextEncoder().encode(part.text) : part.image, 'hex')));
  return hashes.length === 1 ? hashes[0]! : sha256(new TextEncoder().encode(hashes.join('\n')), 'hex');
}

function told(stored: Stored, accuracy?: { zeroShot: number; leaveOneOut: number }): Classifier {
  return {
    name: stored.name,
    model: stored.model,
    fingerprint: stored.fingerprint,
    labels: stored.labels as Label[],
    ...(stored.templates === undefined ? {} : { templates: stored.templates }),
    examples: stored.examples.map(({ label, count, negative }) => ({ label, count, not: negative })),
    ...(accuracy === undefined ? {} : { accuracy: { zero_shot: accuracy.zeroShot, leave_one_out: accuracy.leaveOneOut } }),
    created_at: stored.createdAt,
    updated_at: stored.updatedAt,
  };
}

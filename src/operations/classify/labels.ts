/** Label sets: names with prompts, and an embedding for each. */
import type { Label } from '../../contract/classify.js';
import type { ModelDescription, TextEmbedding } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';
import type { Caller, Context } from '../context.js';
import { priorityOf } from '../input/encode.js';
import { checkCount, checkedText } from '../input/limits.js';
import { normalizedSum } from '../weighted-sum.js';
import type { KeptEmbedding } from './label-cache.js';

const defaultTemplates = ['a photo of a {label}'];
/** Where the label goes in a template. */
const place = /\{(?:label)?\}/g;
/** Labels times templates: what one request may ask of the text encoder. */
const maxPrompts = 20_000;
/** Characters of all of them together. */
const maxPromptCharacters = 16_000_000;
/** Prompts are sent on in parts: all of them at once could be more than may wait. */
const promptsAtOnce = 1_024;

export interface LabelSet {
  labels: Label[];
  /** For those that bring no prompts of their own. Left out: the model's, else `a photo of a {label}`. */
  templates?: string[] | undefined;
}

export interface LabelParts {
  name: string;
  prompts?: string[] | undefined;
  parent?: string | undefined;
}

export const partsOf = (label: Label): LabelParts => (typeof label === 'string' ? { name: label } : label);

/** In their order. @throws MixspaceError `too_large`, or `invalid_request`: one stands twice. */
export function labelNames(context: Context, labels: Label[]): string[] {
  checkCount('labels', labels.length, context.limits.labels);
  const names = labels.map((label) => partsOf(label).name);
  const first = new Map(names.map((name, index) => [name, index] as const).reverse());
  const repeated = names.findIndex((name, index) => first.get(name) !== index);
  if (repeated >= 0) throw new MixspaceError('invalid_request', `The label "${names[repeated]!.slice(0, 100)}" stands twice.`, { param: `labels[${repeated}]` });
  return names;
}

/** A label's embedding is the re-normalised mean of its prompts' (a prompt ensemble; Radford et al. 2021, 3.1.4). */
export async function embedLabels(context: Context, model: ModelDescription, { labels, templates = model.templates ?? defaultTemplates }: LabelSet, caller: Caller): Promise<{ embeddings: Float32Array[]; tokens: number }> {
  checkPrompts(context, labels, templates);
  const prompts = labels.map((label, index) => {
    const { name, prompts: own = templates.map((template) => template.replace(place, () => name)) } = partsOf(label);
    try {
      return own.map((prompt) => checkedText(context, prompt));
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(`labels[${index}]`) : error;
    }
  });
  const embedded = await embedEnsembles(context, model, prompts, caller);
  return { embeddings: embedded.map(({ embedding }) => embedding), tokens: embedded.reduce((sum, { tokens }) => sum + tokens, 0) };
}

/** Of each list of prompts one embedding, in their order; those asked before are kept. Not to be written to. */
export async function embedEnsembles(context: Context, model: ModelDescription, ensembles: string[][], caller: Caller): Promise<KeptEmbedding[]> {
  const keys = ensembles.map((prompts) => context.labels.keyOf(model, prompts));
  const found = keys.map((key) => context.labels.get(key));
  const lacking = ensembles.filter((_, index) => !found[index]).flat();
  const encoded: TextEmbedding[] = [];
  for (let from = 0; from < lacking.length; from += promptsAtOnce) {
    encoded.push(...(await context.encoder.encodeTexts(model, lacking.slice(from, from + promptsAtOnce), { priority: priorityOf(Math.ceil(lacking.length / 32)), signal: caller.signal })));
  }
  let at = 0;
  return ensembles.map((prompts, index) => {
    const kept = found[index];
    if (kept) return kept;
    const own = encoded.slice(at, (at += prompts.length));
    const made = { embedding: normalizedSum(own.map(({ embedding }) => ({ embedding, weight: 1 })))!, tokens: own.reduce((sum, { tokens }) => sum + tokens, 0) };
    context.labels.set(keys[index]!, made);
    return made;
  });
}

/** Before any prompt is made: how many there would be, and how long. */
function checkPrompts(context: Context, labels: Label[], templates: string[]): void {
  const { text } = context.limits;
  const tooMany = (what: string, most: number): MixspaceError => new MixspaceError('too_large', `Labels times templates make more than ${most} ${what}, which is what a request takes at most.`, { param: 'labels' });
  if (templates.reduce((sum, { length }) => sum + length, 0) > maxPromptCharacters) throw tooMany('characters of prompts', maxPromptCharacters);
  const shapes = templates.map((template) => ({ places: template.split(place).length - 1, rest: template.replace(place, '').length }));
  let count = 0;
  let characters = 0;
  labels.forEach((label, index) => {
    const { name, prompts: own } = partsOf(label);
    const lengths = own ? own.map(({ length }) => length) : shapes.map(({ places, rest }) => rest + places * name.length);
    if (lengths.some((length) => length > text)) throw new MixspaceError('too_large', `A text is at most ${text} bytes of UTF-8.`, { param: `labels[${index}]` });
    count += lengths.length;
    characters += lengths.reduce((sum, length) => sum + length, 0);
  });
  if (count > maxPrompts) throw tooMany('prompts', maxPrompts);
  if (characters > maxPromptCharacters) throw tooMany('characters of prompts', maxPromptCharacters);
}

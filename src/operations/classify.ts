import type { ClassifyRequest, ClassifyResponse, Label } from '../contract/classify.js';
import type { Input } from '../contract/shared.js';
import type { ModelDescription, TextEmbedding } from '../encoder/encoder.js';
import { MixspaceError } from '../errors.js';
import type { Caller, Context } from './context.js';
import { withModel } from './in-space.js';
import { encodeInputs, priorityOf, resolveInputs } from './input/encode.js';
import { checkCount, checkedText } from './input/limits.js';
import { normalizedSum } from './weighted-sum.js';

const defaultTemplates = ['a photo of a {label}'];
/** Where the label goes in a template. */
const place = /\{(?:label)?\}/g;
/** Labels times templates: what one request may ask of the text encoder. */
const maxPrompts = 20_000;
/** Characters of all of them together. */
const maxPromptCharacters = 16_000_000;
/** Prompts are sent on in parts: all of them at once could be more than may wait. */
const promptsAtOnce = 1_024;

/**
 * `POST /v1/classify`: similarity -> logit (times the logit scale, plus the bias) -> probability.
 * A label's embedding is the re-normalised mean of its prompts' (a prompt ensemble; Radford et al. 2021, 3.1.4).
 */
export function classify(context: Context, request: ClassifyRequest, caller: Caller): Promise<ClassifyResponse> {
  return withModel(context, request.model, (model) => classifyWith(model, context, request, caller));
}

async function classifyWith(model: ModelDescription, context: Context, request: ClassifyRequest, caller: Caller): Promise<ClassifyResponse> {
  const activation = request.activation ?? model.activation ?? (model.logitBias === undefined ? 'softmax' : 'sigmoid');
  if (activation === 'sigmoid' && model.logitBias === undefined) {
    throw new MixspaceError('unprocessable', `Model "${model.id}" was not trained with a sigmoid: it has no bias, so its sigmoid would mean nothing. Use softmax.`, { param: 'activation' });
  }
  checkCount('labels', request.labels.length, context.limits.labels);
  const names = request.labels.map((label) => (typeof label === 'string' ? label : label.name));
  const first = new Map(names.map((name, index) => [name, index] as const).reverse());
  const repeated = names.findIndex((name, index) => first.get(name) !== index);
  if (repeated >= 0) throw new MixspaceError('invalid_request', `The label "${names[repeated]!.slice(0, 100)}" stands twice.`, { param: `labels[${repeated}]` });

  const many = Array.isArray(request.input);
  const inputs: Input[] = Array.isArray(request.input) ? request.input : [request.input];
  checkCount('input', inputs.length, context.limits.inputs);
  const field = (index: number): string => (many ? `input[${index}]` : 'input');
  const resolved = await resolveInputs(context, inputs, caller, field);
  const [labels, encoded] = await Promise.all([
    embedLabels(context, model, { labels: request.labels, templates: request.templates ?? model.templates ?? defaultTemplates }, caller),
    encodeInputs(context, model, resolved, { priority: priorityOf(inputs.length), caller, field }),
  ]);
  const tokens = encoded.reduce((sum, each) => sum + each.tokens, labels.tokens);

  return {
    object: 'list',
    model: model.id,
    data: encoded.map(({ embedding }, index) => {
      const similarities = labels.embeddings.map((label) => dot(label, embedding));
      const scores = probabilities(similarities, model, activation);
      const predictions = names
        .map((label, i) => ({ label, score: scores[i]!, similarity: similarities[i]! }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, request.top_k ?? names.length);
      const best = predictions[0]!;
      return { object: 'classification', index, prediction: best.score < (request.threshold ?? 0) ? null : best.label, score: best.score, predictions };
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

interface LabelSet {
  labels: Label[];
  /** For those that bring no prompts of their own. */
  templates: string[];
}

async function embedLabels(context: Context, model: ModelDescription, { labels, templates }: LabelSet, caller: Caller): Promise<{ embeddings: Float32Array[]; tokens: number }> {
  checkPrompts(context, labels, templates);
  const prompts: string[] = [];
  const ranges = labels.map((label, index) => {
    const from = prompts.length;
    const own = typeof label === 'string' ? templates.map((template) => template.replace(place, () => label)) : label.prompts;
    try {
      for (const prompt of own) prompts.push(checkedText(context, prompt));
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(`labels[${index}]`) : error;
    }
    return [from, prompts.length] as const;
  });
  const encoded: TextEmbedding[] = [];
  for (let from = 0; from < prompts.length; from += promptsAtOnce) {
    encoded.push(...(await context.encoder.encodeTexts(model, prompts.slice(from, from + promptsAtOnce), { priority: priorityOf(Math.ceil(prompts.length / 32)), signal: caller.signal })));
  }
  return {
    embeddings: ranges.map(([from, to]) => normalizedSum(encoded.slice(from, to).map((each) => ({ embedding: each.embedding, weight: 1 })))!),
    tokens: encoded.reduce((sum, each) => sum + each.tokens, 0),
  };
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
    const lengths = typeof label === 'string' ? shapes.map(({ places, rest }) => rest + places * label.length) : label.prompts.map(({ length }) => length);
    if (lengths.some((length) => length > text)) throw new MixspaceError('too_large', `A text is at most ${text} bytes of UTF-8.`, { param: `labels[${index}]` });
    count += lengths.length;
    characters += lengths.reduce((sum, length) => sum + length, 0);
  });
  if (count > maxPrompts) throw tooMany('prompts', maxPrompts);
  if (characters > maxPromptCharacters) throw tooMany('characters of prompts', maxPromptCharacters);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}

function probabilities(similarities: number[], model: ModelDescription, activation: 'softmax' | 'sigmoid'): number[] {
  const logits = similarities.map((similarity) => similarity * model.logitScale + (model.logitBias ?? 0));
  if (activation === 'sigmoid') return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

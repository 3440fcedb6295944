import type { ClassifyRequest, ClassifyResponse } from '../../contract/classify.js';
import type { Input } from '../../contract/shared.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import type { Caller, Context } from '../context.js';
import { withModel } from '../in-space.js';
import { encodeInputs, priorityOf, resolveInputs } from '../input/encode.js';
import { checkCount } from '../input/limits.js';
import { embedLabels, labelNames } from './labels.js';
import { activationOf, probabilities, similarity } from './scales.js';

/** `POST /v1/classify`. */
export function classify(context: Context, request: ClassifyRequest, caller: Caller): Promise<ClassifyResponse> {
  return withModel(context, request.model, (model) => classifyWith(model, context, request, caller));
}

async function classifyWith(model: ModelDescription, context: Context, request: ClassifyRequest, caller: Caller): Promise<ClassifyResponse> {
  const activation = activationOf(model, request.activation);
  const names = labelNames(context, request.labels);
  const many = Array.isArray(request.input);
  const inputs: Input[] = Array.isArray(request.input) ? request.input : [request.input];
  checkCount('input', inputs.length, context.limits.inputs);
  const field = (index: number): string => (many ? `input[${index}]` : 'input');
  const resolved = await resolveInputs(context, inputs, caller, field);
  const [labels, encoded] = await Promise.all([
    embedLabels(context, model, request, caller),
    encodeInputs(context, model, resolved, { priority: priorityOf(inputs.length), caller, field }),
  ]);
  const tokens = encoded.reduce((sum, each) => sum + each.tokens, labels.tokens);

  return {
    object: 'list',
    model: model.id,
    data: encoded.map(({ embedding }, index) => {
      const similarities = labels.embeddings.map((label) => similarity(label, embedding));
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

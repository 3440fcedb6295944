/** A model's own scale: similarity -> logit (times the logit scale, plus the bias) -> probability. */
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';

export type Activation = 'softmax' | 'sigmoid';

/** @throws MixspaceError `unprocessable`: a sigmoid of a model without a bias. */
export function activationOf(model: ModelDescription, asked: Activation | undefined): Activation {
  const activation = asked ?? model.activation ?? (model.logitBias === undefined ? 'softmax' : 'sigmoid');
  if (activation === 'sigmoid' && model.logitBias === undefined) {
    throw new MixspaceError('unprocessable', `Model "${model.id}" was not trained with a sigmoid: it has no bias, so its sigmoid would mean nothing. Use softmax.`, { param: 'activation' });
  }
  return activation;
}

/** The cosine, of embeddings. */
export function similarity(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}

export function probabilities(similarities: number[], model: ModelDescription, activation: Activation): number[] {
  const logits = similarities.map((similarity) => similarity * model.logitScale + (model.logitBias ?? 0));
  if (activation === 'sigmoid') return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  return softmax(logits);
}

/** Of logits of any size. */
export function softmax(logits: number[]): number[] {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

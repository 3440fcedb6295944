/** How similarities become probabilities: by a model's own scale, or by its calibration. */
import { amongNone, amongThem, logitOf, sigmoid, softmax, type Calibration } from '../../domain/calibration.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { MixspaceError } from '../../errors.js';

export type Activation = 'softmax' | 'sigmoid';

export interface Scale {
  isCalibrated: boolean;
  /** That it is this one of them; `none` where the scale knows that it may be none. */
  among(similarities: number[]): { probabilities: number[]; none?: number };
  /** One of them is right: together 1. */
  choice(similarities: number[]): number[];
  /** Whether it is that, whatever else is asked. */
  each(similarities: number[]): number[];
}

/** @throws MixspaceError `unprocessable`: a sigmoid of a model without a bias. */
export function activationOf(model: ModelDescription, asked: Activation | undefined): Activation {
  const activation = asked ?? model.activation ?? (model.logitBias === undefined ? 'softmax' : 'sigmoid');
  if (activation === 'sigmoid' && model.logitBias === undefined) {
    throw new MixspaceError('unprocessable', `Model "${model.id}" was not trained with a sigmoid: it has no bias, so its sigmoid would mean nothing. Use softmax.`, { param: 'activation' });
  }
  return activation;
}

/** Similarity -> logit (times the logit scale, plus the bias) -> probability. */
export function ownScale({ logitScale, logitBias = 0 }: Pick<ModelDescription, 'logitScale' | 'logitBias'>, activation: Activation): Scale {
  const logits = (similarities: number[]): number[] => similarities.map((similarity) => similarity * logitScale + logitBias);
  const each = (similarities: number[]): number[] => logits(similarities).map(sigmoid);
  return {
    isCalibrated: false,
    among: (similarities) => {
      if (activation === 'softmax') return { probabilities: softmax(logits(similarities)) };
      const probabilities = each(similarities);
      return { probabilities, none: 1 - probabilities.reduce((a, b) => Math.max(a, b)) };
    },
    choice: (similarities) => softmax(logits(similarities)),
    each,
  };
}

/** For one input, whose level it is. */
export function calibratedScale(calibration: Calibration, level: number): Scale {
  const logits = (similarities: number[]): number[] => similarities.map((similarity) => logitOf(calibration, level, similarity));
  return {
    isCalibrated: true,
    among: (similarities) => amongNone(calibration, logits(similarities)),
    choice: (similarities) => amongThem(calibration, logits(similarities)),
    each: (similarities) => logits(similarities).map(sigmoid),
  };
}

/** The cosine, of embeddings. */
export function similarity(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}

/** Numbers of a table: rows are texts, columns pictures; undefined where an embedding is still to come. */
import type { Model } from '../../contract/models.js';

export type Scores = (number | undefined)[][];

/** Of unit vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.max(-1, Math.min(1, sum));
}

export type Scale = Pick<Model, 'logit_scale' | 'logit_bias' | 'activation'>;

export const isSigmoid = ({ activation, logit_bias: bias }: Scale): boolean => (activation ?? (bias === undefined ? 'softmax' : 'sigmoid')) === 'sigmoid';

/**
 * What `/v1/classify` answers for a picture with the texts as labels and the template `{}`: the softmax over the texts of
 * the model's scale times the cosine (CLIP: Radford et al. 2021), or the sigmoid with its bias (SigLIP: Zhai et al. 2023).
 * Undefined where the model tells no scale; a column in which a cosine is missing has none.
 */
export function probabilities(cosines: Scores, scale: Scale): Scores | undefined {
  const { logit_scale: factor, logit_bias: bias = 0 } = scale;
  if (factor === null) return undefined;
  if (isSigmoid(scale)) return cosines.map((row) => row.map((value) => (value === undefined ? undefined : 1 / (1 + Math.exp(-(factor * value + bias))))));
  const columns = cosines[0]?.length ?? 0;
  const result: Scores = cosines.map(() => []);
  for (let column = 0; column < columns; column++) {
    const values = cosines.map((row) => row[column]);
    if (values.includes(undefined)) continue;
    const logits = (values as number[]).map((value) => factor * value);
    const highest = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, row) => (result[row]![column] = power / sum));
  }
  return result;
}

/** Place of the highest; -1 where there is none. */
export function placeOfBest(values: (number | undefined)[]): number {
  let best = -1;
  values.forEach((value, index) => {
    if (value !== undefined && (best < 0 || value > values[best]!)) best = index;
  });
  return best;
}

/** Places, the highest value first; what has none comes last. */
export const ranked = (values: (number | undefined)[]): number[] => values.map((_, index) => index).sort((a, b) => (values[b] ?? -Infinity) - (values[a] ?? -Infinity));

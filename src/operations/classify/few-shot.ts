/**
 * What examples teach a label set: a ridge regression, on the frozen embeddings, of what the labels' own probabilities
 * leave unexplained (ProKeR: Bendou et al. 2025, "A proximal operator for inducing a proximal kernel", with the linear
 * kernel), so that without examples nothing changes. Leave-one-out answers come in closed form from the hat matrix, and choose how much it counts.
 */
import { softmax } from '../../domain/calibration.js';
import { inverseRoot, type Matrix } from './linear-algebra.js';
import { similarity } from './scales.js';

export interface Example {
  /** Place of its label. */
  label: number;
  /** It is not that. */
  negative: boolean;
  embedding: Float32Array;
}

export interface FewShot {
  /** The similarities as the examples move them. */
  adjust(embedding: Float32Array, similarities: number[]): number[];
  /** Divides the logits of the model's own scale. */
  temperature: number;
  /** Shares of the examples; undefined where there are none but negative ones. */
  accuracy?: { zeroShot: number; leaveOneOut: number };
}

/** Of unit embeddings: chosen on one half of CIFAR-10's test pictures and on Tiny-ImageNet's. */
const ridge = 1;
const weights = [0, 1, 2, 4, 8, 16, 32];
const temperatures = [0.5, 0.7, 1, 1.4, 2, 3, 4];

/** `labels`: their embeddings. Cubic in the dimension, linear in the examples; lets other work through. */
export async function learn(labels: readonly Float32Array[], logitScale: number, examples: Example[]): Promise<FewShot | undefined> {
  if (examples.length === 0) return undefined;
  const dimension = labels[0]!.length;
  const taught = [...new Set(examples.map(({ label }) => label))];
  const column = new Map(taught.map((label, index) => [label, index]));
  const similarities = examples.map(({ embedding }) => labels.map((label) => similarity(label, embedding)));
  const residuals = examples.map(({ label, negative }, i) => {
    const own = softmax(similarities[i]!.map((each) => each * logitScale));
    if (negative) return Float64Array.from(taught, (each) => (each === label ? -own[label]! : 0));
    return Float64Array.from(taught, (each) => Number(each === label) - own[each]!);
  });
  // (X'X + ridge I)^-1 = M'M, so that what an example says of itself is |Mx|^2.
  const root: Matrix = await inverseRoot(examples.map(({ embedding }) => embedding), dimension, ridge);
  const turned: Float64Array[] = [];
  const sums = taught.map(() => new Float64Array(dimension));
  for (const [i, { embedding }] of examples.entries()) {
    const v = root.times(embedding);
    turned.push(v);
    residuals[i]!.forEach((residual, c) => {
      if (residual === 0) return;
      const sum = sums[c]!;
      for (let k = 0; k < dimension; k++) sum[k]! += residual * v[k]!;
    });
    if (i % 64 === 63) await new Promise(setImmediate);
  }
  const directions = sums.map((sum) => Float32Array.from(root.transposedTimes(sum)));

  const leftOut = examples.map((_, i) => {
    const v = turned[i]!;
    const leverage = Math.min(1 - 1e-9, v.reduce((sum, each) => sum + each * each, 0));
    return sums.map((sum, c) => {
      let fitted = 0;
      for (let k = 0; k < dimension; k++) fitted += sum[k]! * v[k]!;
      return residuals[i]![c]! - (residuals[i]![c]! - fitted) / (1 - leverage);
    });
  });
  const positives = examples.map((_, index) => index).filter((index) => !examples[index]!.negative);
  const logitsWith = (i: number, weight: number): number[] => {
    const logits = similarities[i]!.map((each) => each * logitScale);
    for (const [label, c] of column) logits[label]! += weight * leftOut[i]![c]!;
    return logits;
  };
  const chosen = choose(positives.map((i) => ({ label: examples[i]!.label, logits: (weight: number) => logitsWith(i, weight) })));
  return {
    temperature: chosen.temperature,
    ...(chosen.accuracy ? { accuracy: chosen.accuracy } : {}),
    adjust: (embedding, own) => {
      const adjusted = [...own];
      for (const [label, c] of column) {
        let residual = 0;
        const direction = directions[c]!;
        for (let k = 0; k < dimension; k++) residual += direction[k]! * embedding[k]!;
        adjusted[label]! += (chosen.weight * residual) / logitScale;
      }
      return adjusted;
    },
  };
}

interface Judged {
  label: number;
  logits: (weight: number) => number[];
}

/** The likeliest of the weights that get no fewer right than the labels alone. Without positive examples: 1. */
function choose(judged: Judged[]): { weight: number; temperature: number; accuracy?: FewShot['accuracy'] } {
  if (judged.length === 0) return { weight: 1, temperature: 1 };
  // Of one example a label, leaving it out leaves none: they count as much as there are of a label.
  const most = Math.max(1, judged.length / new Set(judged.map(({ label }) => label)).size);
  const tried = weights.filter((weight) => weight <= most).map((weight) => {
    let right = 0;
    const surprise = temperatures.map(() => 0);
    for (const { label, logits } of judged) {
      const own = logits(weight);
      const highest = own.reduce((a, b) => Math.max(a, b));
      if (own.indexOf(highest) === label) right++;
      temperatures.forEach((temperature, t) => {
        surprise[t]! += Math.log(own.reduce((sum, logit) => sum + Math.exp((logit - highest) / temperature), 0)) - (own[label]! - highest) / temperature;
      });
    }
    const least = surprise.reduce((a, b) => Math.min(a, b));
    return { weight, temperature: temperatures[surprise.indexOf(least)]!, right, surprise: least };
  });
  const zeroShot = tried[0]!;
  const best = tried.filter(({ right }) => right >= zeroShot.right).reduce((a, b) => (b.surprise < a.surprise ? b : a));
  return { weight: best.weight, temperature: best.temperature, accuracy: { zeroShot: zeroShot.right / judged.length, leaveOneOut: best.right / judged.length } };
}

/**
 * What makes a model's similarities to names mean something.
 *
 * An input's *level* is what its similarities to a background of names come to together: the scaled log-sum-exp, which
 * follows the best of them. A label's evidence is how far its similarity stands above that level. A line through the
 * evidence is the logit of "yes, it is that": logistic calibration (Platt 1999) on pictures and names that the package's
 * own figures do not use. Among several labels a temperature for their number (Guo et al. 2017), and a null that competes
 * with them, make probabilities that add up to 1 with "none of these".
 */
export interface Calibration {
  /** Times a similarity, inside the level. */
  sharpness: number;
  /** Logit of yes for one label alone = slope * (similarity - level) + offset. */
  slope: number;
  offset: number;
  /** The logit that the best of several labels must reach, else it is none of them: 95 % of the right ones did. */
  abstain: number;
  /** Ascending by the number of labels; between two of them, linear in its logarithm. */
  numbers: CalibratedNumber[];
}

export interface CalibratedNumber {
  labels: number;
  /** Divides the logits where one of the labels, or none, is to be chosen ... */
  temperature: number;
  /** ... and where one of them is right. */
  closed: number;
}

/** Where an input stands before any label is asked: of an embedding and those of the background's names, all normalised. */
export function levelOf(embedding: Float32Array, background: readonly Float32Array[], sharpness: number): number {
  const count = background.length;
  const similarities = new Float64Array(count);
  let highest = -1;
  for (let b = 0; b < count; b++) {
    const name = background[b]!;
    let similarity = 0;
    for (let i = 0; i < embedding.length; i++) similarity += embedding[i]! * name[i]!;
    similarities[b] = similarity;
    if (similarity > highest) highest = similarity;
  }
  let powers = 0;
  for (let b = 0; b < count; b++) powers += Math.exp(sharpness * (similarities[b]! - highest));
  return highest + Math.log(powers) / sharpness;
}

/** Of "yes, it is that", whatever else is asked. */
export function logitOf({ slope, offset }: Pick<Calibration, 'slope' | 'offset'>, level: number, similarity: number): number {
  return slope * (similarity - level) + offset;
}

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** That it is each of the labels, and that it is none of them: together 1. One label alone: `sigmoid`. */
export function amongNone(calibration: Calibration, logits: readonly number[]): { probabilities: number[]; none: number } {
  if (logits.length === 1) return { probabilities: [sigmoid(logits[0]!)], none: sigmoid(-logits[0]!) };
  const { temperature } = numberOf(calibration, logits.length);
  const shares = softmax([calibration.abstain / temperature, ...logits.map((logit) => logit / temperature)]);
  return { probabilities: shares.slice(1), none: shares[0]! };
}

/** Where one of them is right. */
export function amongThem(calibration: Calibration, logits: readonly number[]): number[] {
  const { closed } = numberOf(calibration, logits.length);
  return softmax(logits.map((logit) => logit / closed));
}

function numberOf({ numbers }: Calibration, labels: number): CalibratedNumber {
  const above = numbers.findIndex((each) => each.labels >= labels);
  if (above <= 0) return above === 0 ? numbers[0]! : numbers.at(-1)!;
  const [a, b] = [numbers[above - 1]!, numbers[above]!];
  const t = Math.log(labels / a.labels) / Math.log(b.labels / a.labels);
  const between = (from: number, to: number): number => from + t * (to - from);
  return { labels, temperature: between(a.temperature, b.temperature), closed: between(a.closed, b.closed) };
}

/** Of logits of any size. */
export function softmax(logits: number[]): number[] {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

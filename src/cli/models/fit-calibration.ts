/** Fits a package's calibration to pictures whose names are known: see domain/calibration.ts for what it means. */
import { levelOf, logitOf, sigmoid, type CalibratedNumber, type Calibration } from '../../domain/calibration.js';

export interface Labelled {
  embedding: Float32Array;
  /** Place of its name. */
  label: number;
}

/** Wrong names for each picture: half of them drawn from the nearest names, as those of one label set are often related. */
const wrongNames = 4;
const nearestNames = 20;
const pairedLabels = 40;
const keptShare = 0.95;
const numbersOfLabels = [2, 5, 10, 20, 50, 100, 200, 500, 1000];
const trials = 1_500;
const temperatures = Array.from({ length: 60 }, (_, i) => 0.2 * 15 ** (i / 59));

/** `names`: embeddings of the pictures' names; at least three. `sharpness`: the model's logit scale. Deterministic. */
export function fitCalibration(pictures: readonly Labelled[], names: readonly Float32Array[], background: readonly Float32Array[], sharpness: number): Calibration {
  const draw = randomFrom(1);
  const levels = pictures.map(({ embedding }) => levelOf(embedding, background, sharpness));
  const near = names.map((name) => ranked(names.map((other) => dot(name, other))).slice(1, nearestNames + 1));
  const related = (label: number): number => near[label]![Math.floor(draw() * near[label]!.length)]!;
  const any = (label: number): number => (label + 1 + Math.floor(draw() * (names.length - 1))) % names.length;

  const evidence: number[] = [];
  const answers: number[] = [];
  pictures.forEach(({ embedding, label }, i) => {
    const add = (name: number, answer: number): unknown => (evidence.push(dot(embedding, names[name]!) - levels[i]!), answers.push(answer));
    for (let n = 0; n < wrongNames; n++) {
      add(label, 1);
      add(names.length > pairedLabels && n % 2 === 0 ? related(label) : any(label), 0);
    }
  });
  const line = logistic(evidence, answers);

  const logits = pictures.map(({ embedding }, i) => names.map((name) => logitOf(line, levels[i]!, dot(embedding, name))));
  const right = pictures.flatMap(({ label }, i) => (logits[i]!.every((each) => each <= logits[i]![label]!) ? [logits[i]![label]!] : [])).sort((a, b) => a - b);
  const abstain = right[Math.floor((1 - keptShare) * right.length)] ?? 0;

  const numbers = numbersOfLabels.flatMap((count): CalibratedNumber[] => {
    if (count + 1 > names.length) return [];
    const drawn = Array.from({ length: trials }, (_, trial) => {
      const i = Math.floor(draw() * pictures.length);
      const { label } = pictures[i]!;
      const others = new Set<number>();
      const isRelated = draw() < 0.5 && count <= near[label]!.length / 2;
      while (others.size < count) others.add(isRelated ? related(label) : any(label));
      const isThere = trial % 2 === 0;
      const chosen = isThere ? [label, ...[...others].slice(1)] : [...others];
      return { isThere, logits: chosen.map((name) => logits[i]![name]!) };
    });
    const temperature = least(temperatures, (t) => drawn.reduce((sum, { isThere, logits: own }) => sum + surprise(own.map((each) => each / t), isThere ? 0 : own.length, abstain / t), 0));
    const closed = least(temperatures, (t) => drawn.reduce((sum, { isThere, logits: own }) => sum + (isThere ? surprise(own.map((each) => each / t), 0) : 0), 0));
    return [{ labels: count, temperature: rounded(temperature), closed: rounded(closed) }];
  });
  return { sharpness, slope: rounded(line.slope), offset: rounded(line.offset), abstain: rounded(abstain), numbers };
}

/** Of the one at `answer`; `none`, where given, stands behind the others. */
function surprise(logits: number[], answer: number, none?: number): number {
  const all = none === undefined ? logits : [...logits, none];
  const highest = all.reduce((a, b) => Math.max(a, b));
  return Math.log(all.reduce((sum, logit) => sum + Math.exp(logit - highest), 0)) - (all[answer]! - highest);
}

/** Newton's method on one feature, from a flat line: its steps are halved while they would make it worse. */
function logistic(values: number[], answers: number[]): { slope: number; offset: number } {
  const loss = (slope: number, offset: number): number => values.reduce((sum, value, i) => sum + softplus((1 - 2 * answers[i]!) * (slope * value + offset)), 0);
  let [slope, offset] = [0, 0];
  for (let step = 0; step < 50; step++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 1e-6, 0, 1e-6];
    values.forEach((value, i) => {
      const p = sigmoid(slope * value + offset);
      const error = p - answers[i]!;
      const weight = p * (1 - p);
      g0 += error * value;
      g1 += error;
      h00 += weight * value * value;
      h01 += weight * value;
      h11 += weight;
    });
    const determinant = h00 * h11 - h01 * h01;
    const [dSlope, dOffset] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    const before = loss(slope, offset);
    let size = 1;
    while (size > 1e-3 && loss(slope - size * dSlope, offset - size * dOffset) > before) size /= 2;
    slope -= size * dSlope;
    offset -= size * dOffset;
    if (Math.abs(dSlope) < 1e-9 && Math.abs(dOffset) < 1e-9) break;
  }
  return { slope, offset };
}

const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const ranked = (values: number[]): number[] => values.map((_, index) => index).sort((a, b) => values[b]! - values[a]!);
const least = (choices: number[], cost: (choice: number) => number): number => choices.map((choice) => ({ choice, cost: cost(choice) })).reduce((a, b) => (b.cost < a.cost ? b : a)).choice;
const rounded = (value: number): number => Number(value.toPrecision(5));

/** The same numbers at each run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { colorCount, standsBack, type Inks } from './dots.js';
import type { Values } from './map-source.js';

export type Color = readonly [red: number, green: number, blue: number];

/** What the colors say. */
export type Legend =
  | { kind: 'categories'; entries: { name: string; count: number; color: Color; /** What points' bytes say. */ byte: number }[]; rest: number }
  | { kind: 'range'; from: number; to: number; unit: 'number' | 'time' | 'score'; ramp: readonly Color[]; missing: number };

export interface Coloring {
  /** By number: an index into `colors`, below 128. */
  of: Uint8Array;
  colors: readonly Color[];
  /** Indices whose dots come above the others. */
  above: readonly number[];
  legend?: Legend;
}

/** Told apart on light and on dark, by people who see few colors too: Paul Tol's "muted" and "bright" schemes (personal.sron.nl/~pault), thinned. */
const categorical: readonly Color[] = [
  [68, 119, 170], [238, 119, 51], [34, 136, 51], [204, 51, 119], [0, 153, 170], [204, 153, 0], [136, 85, 204], [170, 68, 51],
  [102, 170, 68], [221, 102, 153], [85, 119, 119], [153, 102, 51],
];
const other: Color = [150, 152, 156];
const plain: Color = [92, 118, 200];

/** Viridis at nine places (Smith and van der Walt, matplotlib), its darkest end left out: on a dark ground it could not be seen. */
const viridis: readonly Color[] = [[72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37]];
/** From what is hardly there to what burns. */
const embers: readonly Color[] = [[150, 152, 156], [168, 142, 140], [196, 122, 100], [224, 96, 52], [244, 104, 20], [255, 158, 12], [255, 206, 40]];

/** The byte of what has no value, or one of the rest. */
export const otherByte = colorCount - 1;

export const plainColoring = (count: number): Coloring => ({ of: new Uint8Array(count), colors: [plain], above: [] });

/** `nameless`: what stands for an empty name. */
export function coloringBy(values: Values, isThere: (number: number) => boolean): Coloring {
  if (values.kind !== 'categories') return coloringByNumbers(values.of, { unit: values.kind === 'times' ? 'time' : 'number', ramp: viridis, isThere });
  const counts = new Uint32Array(256);
  const of = new Uint8Array(values.of.length);
  for (let number = 0; number < of.length; number++) {
    if (!isThere(number)) continue;
    const category = values.of[number]!;
    of[number] = category < Math.min(values.categories.length, otherByte) ? category : otherByte;
    counts[of[number]!]!++;
  }
  const colors = Array.from({ length: colorCount }, (_, index) => (index === otherByte ? other : shade(categorical[index % categorical.length]!, Math.floor(index / categorical.length))));
  const entries = values.categories.slice(0, otherByte).map((name, byte) => ({ name, count: counts[byte]!, color: colors[byte]!, byte }));
  return { of, colors, above: [], legend: { kind: 'categories', entries, rest: counts[otherByte]! } };
}

/** Scores from their median up: what is like the words stands out, whatever the model's scale. */
export function coloringByScores(scores: Float32Array, isThere: (number: number) => boolean): Coloring {
  return coloringByNumbers(scores, { unit: 'score', ramp: embers, isThere });
}

function coloringByNumbers(numbers: Float32Array, { unit, ramp, isThere }: { unit: 'number' | 'time' | 'score'; ramp: readonly Color[]; isThere: (number: number) => boolean }): Coloring {
  const sorted = numbers.filter((value, number) => isThere(number) && !Number.isNaN(value)).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  // A few far out leave the others their colors.
  const [from, to] = unit === 'score' ? [at(0.5), at(1)] : unit === 'number' ? [at(0.01), at(0.99)] : [at(0), at(1)];
  const steps = otherByte - 1;
  const of = new Uint8Array(numbers.length);
  for (let number = 0; number < numbers.length; number++) {
    const share = to > from ? Math.min(Math.max((numbers[number]! - from) / (to - from), 0), 1) : 1;
    of[number] = Number.isNaN(numbers[number]!) ? otherByte : Math.round((unit === 'score' ? share ** 1.5 : share) * steps);
  }
  const colors = Array.from({ length: colorCount }, (_, index) => (index === otherByte ? other : alongRamp(ramp, index / steps)));
  const above = unit === 'score' ? Array.from({ length: steps }, (_, index) => index).filter((index) => index > steps / 4) : [];
  return { of, colors, above, legend: { kind: 'range', from, to, unit, ramp, missing: numbers.length - sorted.length } };
}

function alongRamp(ramp: readonly Color[], share: number): Color {
  const place = share * (ramp.length - 1);
  const first = Math.min(Math.floor(place), ramp.length - 2);
  return mixed(ramp[first]!, ramp[first + 1]!, place - first);
}

const mixed = (a: Color, b: Color, share: number): Color => [0, 1, 2].map((channel) => Math.round(a[channel]! + (b[channel]! - a[channel]!) * share)) as unknown as Color;
const shade = (color: Color, times: number): Color => (times % 2 === 1 ? mixed(color, [255, 255, 255], 0.35) : times > 0 ? mixed(color, [60, 60, 60], 0.35) : color);

/** How much of the ground shows through those that stand back. */
const fading = 0.82;

export function inksOf(coloring: Coloring, ground: Color): Inks {
  const inks = new Uint32Array(256);
  coloring.colors.forEach((color, index) => {
    inks[index] = inkOf(color);
    inks[index + standsBack] = inkOf(mixed(color, ground, fading));
  });
  return inks;
}

/** Little-endian, as every machine that browsers run on. */
export const inkOf = ([red, green, blue]: Color): number => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

export const cssOf = ([red, green, blue]: Color): string => `rgb(${red} ${green} ${blue})`;

/** Of `rgb(1, 2, 3)` or `rgb(1 2 3)`, as computed styles say it. */
export function colorOf(css: string): Color {
  const [red = 255, green = 255, blue = 255] = (css.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return [red, green, blue];
}

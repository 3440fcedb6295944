import { basename } from 'node:path';

/** By the weights' numbers, as the hub names them. */
export const variantNames = ['fp32', 'fp16', 'q8', 'q4', 'q4f16', 'bnb4'] as const;
export type Variant = (typeof variantNames)[number];

/** Between a file's stem and `.onnx`, by preference. */
export const variantSuffixes: Record<Variant, string[]> = {
  fp32: [''],
  fp16: ['_fp16'],
  q8: ['_quantized', '_int8', '_uint8'],
  q4: ['_q4'],
  q4f16: ['_q4f16'],
  bnb4: ['_bnb4'],
};

/**
 * What is taken where nobody asks, on a CPU: the nearest to the published vectors first. fp16 runs there through casts,
 * slower than q8, but gives the same neighbors; q8 and q4 do not always.
 */
export const nearestFirst: readonly Variant[] = variantNames;

/** A folder that has one of these is a package. */
export const configFiles = ['config.json', 'open_clip_config.json'];

/** The same path twice where one file holds both. */
export interface TowerFiles {
  text: string;
  image: string;
}

/** Paths without a variant's suffix and `.onnx`; `joint`: of a file that holds both towers, taken where they are not apart. */
export interface Stems extends TowerFiles {
  joint?: string;
}

export type Variants = Map<Variant, TowerFiles>;

/** Variants of which both towers are there, among these paths. */
export function findVariants(files: Iterable<string>, { text, image, joint }: Stems): Variants {
  const present = new Set(files);
  const found: Variants = new Map();
  for (const variant of variantNames) {
    const pairs = [{ text, image }, ...(joint === undefined ? [] : [{ text: joint, image: joint }])];
    const towers = pairs
      .flatMap((pair) => variantSuffixes[variant].map((suffix) => ({ text: `${pair.text}${suffix}.onnx`, image: `${pair.image}${suffix}.onnx` })))
      .find((each) => present.has(each.text) && present.has(each.image));
    if (towers) found.set(variant, towers);
  }
  return found;
}

/** The first wanted one there is. Throws an Error that lists what there is. */
export function chooseVariant(found: Variants, wanted: readonly Variant[], files: string[], stems: Stems): [Variant, TowerFiles] {
  for (const variant of wanted) {
    const towers = found.get(variant);
    if (towers) return [variant, towers];
  }
  const onnx = files.filter((file) => file.endsWith('.onnx'));
  const name = (stem: string, suffix: string): string => `${basename(stem)}${suffix}.onnx`;
  const joint = (suffix: string): string => (stems.joint === undefined ? '' : ` or ${name(stems.joint, suffix)}`);
  const needed = wanted.map((variant) => `${variant} (${variantSuffixes[variant].map((suffix) => `${name(stems.image, suffix)} and ${name(stems.text, suffix)}${joint(suffix)}`).join(', or ')})`);
  const there = onnx.length === 0 ? 'no ONNX file' : onnx.join(', ');
  throw new Error(`None of the wanted variants is complete: ${needed.join('; ')}. There is ${there}${found.size === 0 ? '' : `, which makes ${[...found.keys()].join(', ')}`}.`);
}

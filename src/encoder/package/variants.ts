import { basename } from 'node:path';
import { modalities, type Modality } from '../../domain/modality.js';

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

/** Of each tower that is wanted; the same path for several where one file holds them. */
export type TowerFiles = Partial<Record<Modality, string>>;

/** Paths without a variant's suffix and `.onnx`; `joint`: of a file that holds all towers, taken where they are not apart. */
export interface Stems extends Record<Modality, string> {
  joint?: string;
}

export type Variants = Map<Variant, TowerFiles>;

/** Variants of which all wanted towers are there, among these paths. */
export function findVariants(files: Iterable<string>, stems: Stems, wanted: readonly Modality[] = modalities): Variants {
  const present = new Set(files);
  const { joint } = stems;
  const ways: ((modality: Modality) => string)[] = [(modality) => stems[modality], ...(joint === undefined ? [] : [() => joint])];
  const found: Variants = new Map();
  for (const variant of variantNames) {
    const towers = ways
      .flatMap((stemOf) => variantSuffixes[variant].map((suffix): TowerFiles => Object.fromEntries(wanted.map((modality) => [modality, `${stemOf(modality)}${suffix}.onnx`]))))
      .find((each) => Object.values(each).every((file) => present.has(file)));
    if (towers) found.set(variant, towers);
  }
  return found;
}

/** Of these files, the first of `variants` that has all the towers. Throws an Error that lists what there is. */
export function chooseVariant({ files, stems }: { files: string[]; stems: Stems }, towers: readonly Modality[], variants: readonly Variant[]): { variant: Variant; towers: TowerFiles; found: Variants } {
  const found = findVariants(files, stems, towers);
  for (const variant of variants) {
    const chosen = found.get(variant);
    if (chosen) return { variant, towers: chosen, found };
  }
  const onnx = files.filter((file) => file.endsWith('.onnx'));
  const name = (stem: string, suffix: string): string => `${basename(stem)}${suffix}.onnx`;
  const joint = (suffix: string): string => (stems.joint === undefined ? '' : ` or ${name(stems.joint, suffix)}`);
  const apart = (suffix: string): string => towers.map((modality) => name(stems[modality], suffix)).join(' and ');
  const needed = variants.map((variant) => `${variant} (${variantSuffixes[variant].map((suffix) => `${apart(suffix)}${joint(suffix)}`).join(', or ')})`);
  const there = onnx.length === 0 ? 'no ONNX file' : onnx.join(', ');
  throw new Error(`None of the wanted variants is complete: ${needed.join('; ')}. There is ${there}${found.size === 0 ? '' : `, which makes ${[...found.keys()].join(', ')}`}.`);
}

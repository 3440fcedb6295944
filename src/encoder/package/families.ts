import type { Rgb } from '../picture/preprocess.js';

/**
 * What a family of models does that its packages' own files may leave out. Whatever a package says wins.
 * Context lengths, padding and lower-casing are those of each family's published reference code.
 */
export interface Family {
  /** `crop`: shortest edge to the input size, then the middle; `squash`: both edges to the input size. */
  geometry: 'crop' | 'squash';
  interpolation: 'bicubic' | 'bilinear';
  mean: Rgb;
  std: Rgb;
  /** Tokens, special ones included, where the package names none. */
  contextLength: number;
  /** Set where packages allow more than the model was trained with. */
  longestContext?: number;
  /** `longest`: to the longest text of the batch; `max_length`: to the context length, which the tower sees. */
  padding: 'longest' | 'max_length';
  /** Lower-casing that tokenizer.json may leave to its caller. */
  lowercase: boolean;
  /** As trained, already exponentiated: packages often carry the value from which training started. */
  logitScale: number;
}

const clip: Family = {
  geometry: 'crop',
  interpolation: 'bicubic',
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  contextLength: 77,
  padding: 'longest',
  lowercase: false,
  logitScale: 100,
};

const siglip: Family = {
  ...clip,
  geometry: 'squash',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  contextLength: 64,
  padding: 'max_length',
  logitScale: 117.33,
};

export const families = {
  clip,
  siglip,
  siglip2: { ...siglip, interpolation: 'bilinear', lowercase: true, logitScale: 112.67 },
  mobileclip: { ...clip, interpolation: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1], padding: 'max_length' },
  chinese_clip: { ...clip, geometry: 'squash', contextLength: 52, longestContext: 52 },
  jina_clip: { ...clip, contextLength: 8192 },
  perception_encoder: { ...siglip, interpolation: 'bilinear', contextLength: 32, logitScale: 100 },
} satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

/** Other spellings of `model_type`. */
const aliases: Record<string, FamilyName> = { mobileclip2: 'mobileclip', mobile_clip: 'mobileclip', pe: 'perception_encoder', pe_core: 'perception_encoder' };

/** What tells families apart where `model_type` does not. */
export interface FamilyMarks {
  modelType: string | undefined;
  tokenizerClass: string | undefined;
  /** tokenizer.json's model is a BPE with byte fallback, as Gemma's is. */
  byteFallback: boolean;
  /** preprocessor_config.json says that values stay between 0 and 1. */
  unnormalized: boolean;
}

/**
 * SigLIP 2 is published under SigLIP's model type; its Gemma tokenizer tells it apart. MobileCLIP is published under
 * CLIP's; that it does not normalise tells it apart. Unknown types are read as CLIP.
 */
export function familyNamed({ modelType, tokenizerClass, byteFallback, unnormalized }: FamilyMarks): FamilyName {
  const name = modelType ?? 'clip';
  const known = name in families ? (name as FamilyName) : (aliases[name] ?? 'clip');
  if (known === 'siglip' && (tokenizerClass === undefined ? byteFallback : /^(Gemma|Siglip2)/.test(tokenizerClass))) return 'siglip2';
  if (known === 'clip' && unnormalized) return 'mobileclip';
  return known;
}

/** Where CLIP's training starts: ln(1 / 0.07) (Radford et al. 2021, 2.5); SigLIP's: ln 10 (Zhai et al. 2023, 3.1). */
const startingScales = [Math.log(1 / 0.07), Math.log(10)];

/** `logarithm` as a package carries it; the starting value of a training says nothing of its end, so the family's own stands in. */
export function logitScaleOf(logarithm: number | undefined, family: Family): number {
  const trained = logarithm !== undefined && !startingScales.some((start) => Math.abs(start - logarithm) < 1e-3);
  return trained ? Math.exp(logarithm) : family.logitScale;
}

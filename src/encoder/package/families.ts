import type { Rgb } from '../picture/preprocess.js';

/**
 * What a family of models does that its packages' own files do not say. Whatever a package says wins.
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
  /** Lower-casing that tokenizer.json leaves to its caller. */
  lowercase: boolean;
  /** Embedding outputs by preference. */
  textOutputs: string[];
  imageOutputs: string[];
}

const clip: Family = {
  geometry: 'crop',
  interpolation: 'bicubic',
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  contextLength: 77,
  padding: 'longest',
  lowercase: false,
  textOutputs: ['text_embeds', 'pooler_output'],
  imageOutputs: ['image_embeds', 'pooler_output'],
};

const siglip: Family = {
  ...clip,
  geometry: 'squash',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  contextLength: 64,
  padding: 'max_length',
};

const families: Record<string, Family> = {
  clip,
  siglip,
  siglip2: { ...siglip, interpolation: 'bilinear', lowercase: true },
  chinese_clip: { ...clip, geometry: 'squash', contextLength: 52, longestContext: 52 },
};

/** SigLIP 2 is published under SigLIP's model type; its Gemma tokenizer tells it apart. Unknown types are read as CLIP. */
export function familyOf(modelType: string | undefined, tokenizerClass: string | undefined): Family {
  if (modelType === 'siglip' && tokenizerClass?.startsWith('Gemma')) return families['siglip2'] ?? siglip;
  return families[modelType ?? 'clip'] ?? clip;
}

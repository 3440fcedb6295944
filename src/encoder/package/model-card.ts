import { z } from 'zod';
import { families, type FamilyName } from './families.js';
import { modalities } from '../../domain/modality.js';
import { readJson } from './json-file.js';
import { preprocessSpeeds } from '../picture/speed.js';
import { variantNames } from './variants.js';

const whole = z.number().int().min(1);
const rgb = z.tuple([z.number(), z.number(), z.number()]);
const share = z.number().min(0).max(1);
const familyNames = Object.keys(families) as [FamilyName, ...FamilyName[]];

/** model.json: what a package says beside its published files. Each field wins over theirs. */
export const ModelCard = z.strictObject({
  name: z.string().optional(),
  version: z.string().optional(),
  description: z.string().optional(),
  license: z.string().optional(),
  languages: z.array(z.string()).optional(),
  attribution: z.array(z.string()).optional(),

  /** Defaults for all that neither this file nor the others say. */
  family: z.enum(familyNames).optional(),
  variant: z.enum(variantNames).optional(),
  /** Of the towers that the package has; both unless it says otherwise. */
  modalities: z.array(z.enum(modalities)).min(1).optional(),

  /** Multiplies the cosine; already exponentiated. */
  logit_scale: z.number().positive().optional(),
  /** As trained; without one a sigmoid means nothing. */
  logit_bias: z.number().optional(),
  activation: z.enum(['softmax', 'sigmoid']).optional(),
  templates: z.array(z.string().regex(/\{(label)?\}/, 'a template holds {} or {label}')).min(1).optional(),
  no_match: z.strictObject({ min_score: z.number().min(-1).max(1), kept: share, rejected: share }).optional(),
  matryoshka_dimensions: z.array(whole).min(1).optional(),

  /** Tokens, special ones included. */
  context_length: whole.optional(),
  padding: z.enum(['longest', 'max_length']).optional(),
  pad_token_id: z.number().int().min(0).optional(),
  lowercase: z.boolean().optional(),
  /** Punctuation removed, white space folded, lower case, as big_vision's models want it. */
  canonicalize: z.boolean().optional(),
  text_output: z.string().optional(),

  geometry: z.enum(['crop', 'squash', 'pad']).optional(),
  interpolation: z.enum(['bicubic', 'bilinear']).optional(),
  crop_rounding: z.enum(['down', 'half_even']).optional(),
  /** Pixels a side of the tower's input. */
  size: whole.optional(),
  /** With `crop`: the shortest edge before the middle is cut out. */
  shortest_edge: whole.optional(),
  fill_color: z.number().int().min(0).max(255).optional(),
  /** Of values from 0 to 1. */
  mean: rgb.optional(),
  std: rgb.optional(),
  preprocess_speed: z.enum(preprocessSpeeds).optional(),
  image_output: z.string().optional(),
});
export type ModelCard = z.infer<typeof ModelCard>;

/** Empty where there is none. Throws an Error that names the field. */
export async function readModelCard(directory: string): Promise<ModelCard> {
  const card = await readJson(directory, 'model.json', ModelCard, {});
  if (card.activation === 'sigmoid' && card.logit_bias === undefined) throw new Error('model.json: activation is sigmoid, which needs a trained logit_bias.');
  return card;
}

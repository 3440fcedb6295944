import { z } from 'zod';
import type { Preprocessing } from '../picture/preprocess.js';
import type { TextRules, TokenizerFiles } from '../text/text-encoding.js';
import type { FamilyName } from './families.js';
import type { ModelCard } from './model-card.js';
import type { Stems } from './variants.js';

/** What a package's published files say, in whichever layout, before model.json has its word. Paths are relative to its folder. */
export interface Published {
  layout: 'hub' | 'open_clip';
  family: FamilyName;
  /** All files that may be weights. */
  files: string[];
  stems: Stems;
  tokenizer: TokenizerFiles;
  text: Omit<TextRules, 'tokenizer'>;
  image: Preprocessing;
  /** Already exponentiated. */
  logitScale: number;
  matryoshkaDimensions?: number[];
}

/** Whether the package embeds texts, for which it needs a tokenizer. */
export const hasTexts = ({ modalities }: ModelCard): boolean => modalities === undefined || modalities.includes('text');

export const TokenizerConfig = z.object({
  tokenizer_class: z.string().optional(),
  /** 1e30 where a tokenizer has no limit. */
  model_max_length: z.number().optional(),
  pad_token: z.union([z.string(), z.object({ content: z.string().optional() })]).optional(),
});
export type TokenizerConfig = z.infer<typeof TokenizerConfig>;

export function padTokenOf({ pad_token: token }: TokenizerConfig): string | undefined {
  return typeof token === 'object' ? token.content : token;
}

/** The smallest of the lengths that are set and meant. */
export function shortest(...lengths: (number | undefined)[]): number | undefined {
  const meant = lengths.filter((length) => length !== undefined && length > 0 && length < 1e6) as number[];
  return meant.length === 0 ? undefined : Math.min(...meant);
}

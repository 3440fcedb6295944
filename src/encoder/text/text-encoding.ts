import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { readCharsmap } from './charsmap.js';
import { cleaned, type Cleaning } from './cleaning.js';

/** Paths relative to the package's folder. */
export interface TokenizerFiles {
  file: string;
  /** tokenizer_config.json, where there is one. */
  config?: string;
}

/** How a model's texts become ids. */
export interface TextRules {
  tokenizer: TokenizerFiles;
  /** Tokens, special ones included. */
  contextLength: number;
  padding: 'longest' | 'max_length';
  /** By precedence: this, then the id of `padToken`, then `configuredPadTokenId`, then tokenizer.json's, then 0. */
  padTokenId: number | undefined;
  padToken: string | undefined;
  configuredPadTokenId: number | undefined;
  /** Letter by letter, unless tokenizer.json does it. */
  lowercase: boolean;
  /** Of whole texts, first of all. */
  clean?: Cleaning;
}

export interface EncodedText {
  /** Special tokens included, no padding; at most the context length. */
  ids: number[];
  truncated: boolean;
}

export interface TextEncoding {
  encode(text: string): EncodedText;
  padTokenId: number;
}

interface NormalizerNode {
  type: string;
  normalizers?: NormalizerNode[];
  precompiled_charsmap?: string | null;
}

interface TokenizerFile {
  normalizer: NormalizerNode | null;
  added_tokens: { content: string; special: boolean; id: number }[];
  model: { vocab: Record<string, number> | [string, number][] };
  padding?: { pad_id?: number } | null;
}

/** No vocabulary has pieces longer than this on average; a text beyond it could only be cut anyway. */
const charactersPerToken = 64;

/**
 * Reads tokenizer.json. Names of special tokens in a text are plain text: they are known to the vocabulary, not to the
 * splitter. Texts longer than the context are cut before the final special tokens, which stay. Throws an Error whose
 * sentence names the file.
 */
export async function readTextEncoding(directory: string, rules: TextRules): Promise<TextEncoding> {
  return openTextEncoding(directory, rules).catch((error: unknown) => {
    throw new Error(`${rules.tokenizer.file} holds no tokenizer that can be used: ${(error as Error).message}`, { cause: error });
  });
}

async function openTextEncoding(directory: string, rules: TextRules): Promise<TextEncoding> {
  const file = JSON.parse(await readFile(join(directory, rules.tokenizer.file), 'utf8')) as TokenizerFile;
  const config = rules.tokenizer.config === undefined ? {} : (JSON.parse(await readFile(join(directory, rules.tokenizer.config), 'utf8')) as object);
  const lowers = hasLowercase(file.normalizer);
  const tokenizer = new Tokenizer(withoutSpecialTokens(file), config);
  applyCharsmaps(tokenizer.normalizer as LiveNormalizer | null, file.normalizer);
  const idOf = (token: string) => file.added_tokens.find(({ content }) => content === token)?.id ?? tokenizer.token_to_id(token);
  const ending = specialsAtEnd(tokenizer);
  const { contextLength } = rules;

  return {
    padTokenId: rules.padTokenId ?? (rules.padToken === undefined ? undefined : idOf(rules.padToken)) ?? rules.configuredPadTokenId ?? file.padding?.pad_id ?? 0,
    encode(text) {
      const cut = text.length > contextLength * charactersPerToken;
      let input = wellFormed(cut ? text.slice(0, contextLength * charactersPerToken) : text);
      if (rules.clean) input = cleaned(input, rules.clean);
      // The references lower letter by letter, JavaScript whole strings, where a final Greek sigma takes another form.
      if (rules.lowercase || lowers) input = input.replaceAll('Σ', 'σ');
      if (rules.lowercase && !lowers) input = input.toLowerCase();
      const ids: number[] = tokenizer.encode(input).ids;
      if (ids.length <= contextLength) return { ids, truncated: cut };
      return { ids: [...ids.slice(0, contextLength - ending), ...ids.slice(ids.length - ending)], truncated: true };
    },
  };
}

/** Half a surrogate pair, from a cut or from the client, becomes the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

function hasLowercase(normalizer: object | null): boolean {
  return normalizer !== null && /"type":"Lowercase"|"lowercase":true/.test(JSON.stringify(normalizer));
}

interface LiveNormalizer {
  normalizers?: (LiveNormalizer | null)[];
  normalize(text: string): string;
}

/** The library stands in for every precompiled map with NFKC and a list of white space; here the map itself is applied. */
function applyCharsmaps(live: LiveNormalizer | null | undefined, node: NormalizerNode | null): void {
  if (!live || !node) return;
  if (node.type === 'Precompiled' && node.precompiled_charsmap) live.normalize = readCharsmap(node.precompiled_charsmap);
  node.normalizers?.forEach((child, i) => applyCharsmaps(live.normalizers?.[i], child));
}

function withoutSpecialTokens(file: TokenizerFile): TokenizerFile {
  const special = file.added_tokens.filter((token) => token.special);
  const kept = file.added_tokens.filter((token) => !token.special);
  const { vocab } = file.model;
  const missing = Array.isArray(vocab) ? [] : special.filter(({ content }) => !(content in vocab));
  const extended = Array.isArray(vocab) ? vocab : { ...vocab, ...Object.fromEntries(missing.map(({ content, id }) => [content, id])) };
  return { ...file, added_tokens: kept, model: { ...file.model, vocab: extended } };
}

/** How many special tokens the template puts after a text. */
function specialsAtEnd(tokenizer: Tokenizer): number {
  const bare: number[] = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const full: number[] = tokenizer.encode('a').ids;
  const start = full.findIndex((_, i) => bare.every((id, k) => full[i + k] === id));
  return full.length - Math.max(start, 0) - bare.length;
}

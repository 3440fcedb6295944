import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer, type Normalizer } from '@huggingface/tokenizers';
import { readCharsmap } from './charsmap.js';
import { cleaned, type Cleaning } from './cleaning.js';
import { PieceTable } from './piece-table.js';

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
  model: { type?: string; vocab?: Record<string, number> | [string, number][]; merges?: unknown; unk_id?: number | null };
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
  const tokenizer = tokenizerOf(withoutSpecialTokens(file), config);
  // What lives as long as the tokenizer must not hold what it was made of.
  file.model = {};
  applyCharsmaps(tokenizer.normalizer, file.normalizer);
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
      const { ids } = tokenizer.encode(input);
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

/** The library stands in for every precompiled map with NFKC and a list of white space; here the map itself is applied. */
function applyCharsmaps(live: Normalizer | null | undefined, node: NormalizerNode | null): void {
  if (!live || !node) return;
  if (node.type === 'Precompiled' && node.precompiled_charsmap) live.normalize = readCharsmap(node.precompiled_charsmap);
  node.normalizers?.forEach((child, i) => applyCharsmaps(live.normalizers?.[i], child));
}

/** What the library's Unigram model looks up. */
interface LiveUnigram {
  vocab: string[];
  scores: Float64Array;
  tokens_to_ids: PieceTable;
  trie: PieceTable;
  unk_token_id: number;
  unk_token: string;
  bos_token: string;
  bos_token_id: number | undefined;
  eos_token: string;
  eos_token_id: number | undefined;
  min_score: number;
  unk_score: number;
}

/** The library's own, but for a Unigram model's vocabulary, which it would hold as a map and as a trie of objects. */
function tokenizerOf(file: TokenizerFile, config: object): Tokenizer {
  const { model } = file;
  if (model.type !== 'Unigram' || !Array.isArray(model.vocab) || typeof model.unk_id !== 'number') return released(new Tokenizer(file, config), file);
  const unknown = model.vocab[model.unk_id];
  if (!unknown) throw new Error(`its unk_id is ${model.unk_id} of ${model.vocab.length} pieces.`);
  const table = new PieceTable(model.vocab);
  const tokenizer = new Tokenizer({ ...file, model: { ...model, vocab: [unknown], unk_id: 0 } }, config);
  for (const { content, id } of file.added_tokens) table.set(content, id);
  const live = tokenizer.model as LiveUnigram;
  live.min_score = table.scores.reduce((least, score) => Math.min(least, score), Infinity);
  live.unk_score = live.min_score - 10;
  live.scores = table.scores;
  live.scores[model.unk_id] = live.unk_score;
  live.tokens_to_ids = table;
  live.trie = table;
  live.unk_token_id = model.unk_id;
  live.unk_token = unknown[0];
  live.bos_token_id = table.get(live.bos_token);
  live.eos_token_id = table.get(live.eos_token);
  return tokenizer;
}

/** Without what only reading the file and decoding need. */
function released(tokenizer: Tokenizer, { model }: TokenizerFile): Tokenizer {
  delete model.vocab;
  delete model.merges;
  Object.assign(tokenizer.model, { vocab: [], merges: [] });
  return tokenizer;
}

function withoutSpecialTokens(file: TokenizerFile): TokenizerFile {
  const special = file.added_tokens.filter((token) => token.special);
  const kept = file.added_tokens.filter((token) => !token.special);
  const { vocab = {} } = file.model;
  const missing = Array.isArray(vocab) ? [] : special.filter(({ content }) => !(content in vocab));
  const extended = Array.isArray(vocab) ? vocab : { ...vocab, ...Object.fromEntries(missing.map(({ content, id }) => [content, id])) };
  return { ...file, added_tokens: kept, model: { ...file.model, vocab: extended } };
}

/** How many special tokens the template puts after a text. */
function specialsAtEnd(tokenizer: Tokenizer): number {
  const { ids: bare } = tokenizer.encode('a', { add_special_tokens: false });
  const { ids: full } = tokenizer.encode('a');
  const start = full.findIndex((_, i) => bare.every((id, k) => full[i + k] === id));
  return full.length - Math.max(start, 0) - bare.length;
}

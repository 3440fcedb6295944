import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { NoMatch } from '../encoder.js';
import type { Preprocessing, Rgb } from '../picture/preprocess.js';
import type { TextRules } from '../text-encoding.js';
import { familyOf, type Family } from './families.js';

/**
 * A model package as its files describe it: plain data, so that it can be sent to workers. Layout: config.json,
 * preprocessor_config.json, tokenizer.json, tokenizer_config.json, onnx/text_model.onnx, onnx/vision_model.onnx, and
 * optionally model.json for what the others cannot say.
 */
export interface ModelPackage {
  id: string;
  directory: string;
  text: TextRules & { file: string; outputs: string[] };
  image: Preprocessing & { file: string; outputs: string[] };
  logitScale: number;
  logitBias?: number;
  license?: string;
  description?: string;
  languages?: string[];
  templates?: string[];
  noMatch?: NoMatch;
  /** As ModelDescription tells them, the model's own number not necessarily among them. */
  matryoshkaDimensions?: number[];
  /** SHA-256 of weights and tokenizer file, hex. */
  fileHashes: string[];
}

interface HubConfig {
  model_type?: string;
  logit_scale_init_value?: number;
  /** As jina-clip-v2 publishes them. */
  matryoshka_dimensions?: number[];
  text_config?: { max_position_embeddings?: number; pad_token_id?: number };
  vision_config?: { image_size?: number };
}

interface PreprocessorConfig {
  do_resize?: boolean;
  do_center_crop?: boolean;
  size?: number | { shortest_edge?: number; height?: number; width?: number };
  crop_size?: number | { height?: number; width?: number };
  /** Pillow's numbers: 2 bilinear, 3 bicubic. */
  resample?: number;
  image_mean?: number[];
  image_std?: number[];
}

interface TokenizerConfig {
  tokenizer_class?: string;
  model_max_length?: number;
  pad_token?: string | { content?: string };
}

/** model.json: what a package says beside the published files. */
interface ModelCard {
  license?: string;
  description?: string;
  languages?: string[];
  /** Multiplies the cosine; already exponentiated. */
  logit_scale?: number;
  logit_bias?: number;
  templates?: string[];
  no_match?: NoMatch;
  matryoshka_dimensions?: number[];
  padding?: 'longest' | 'max_length';
  pad_token_id?: number;
}

/** Folders that look like packages, by name; one whose name begins with a dot is being made ready or put away. */
export async function findPackages(modelsDirectory: string): Promise<string[]> {
  const entries = await readdir(modelsDirectory, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => (!entry.name.startsWith('.') && (entry.isDirectory() || entry.isSymbolicLink()) && (await exists(join(modelsDirectory, entry.name, 'config.json'))) ? [entry.name] : [])),
  );
  return found.flat().sort();
}

/** Throws an Error whose sentence names the file at fault. */
export async function readPackage(modelsDirectory: string, id: string): Promise<ModelPackage> {
  const directory = join(modelsDirectory, id);
  const config = await readJson<HubConfig>(directory, 'config.json');
  const preprocessor = await readJson<PreprocessorConfig>(directory, 'preprocessor_config.json');
  const tokenizer = await readJson<TokenizerConfig>(directory, 'tokenizer_config.json');
  const card = await readJson<ModelCard>(directory, 'model.json', {});
  const family = familyOf(config.model_type, tokenizer.tokenizer_class);

  const textFile = join(directory, 'onnx', 'text_model.onnx');
  const imageFile = join(directory, 'onnx', 'vision_model.onnx');
  const fileHashes: string[] = [];
  for (const file of [textFile, imageFile, join(directory, 'tokenizer.json')]) fileHashes.push(await hashFile(file));

  const padToken = typeof tokenizer.pad_token === 'object' ? tokenizer.pad_token.content : tokenizer.pad_token;
  return {
    id,
    directory,
    text: {
      file: textFile,
      outputs: family.textOutputs,
      contextLength: contextLength(config, tokenizer, family),
      padding: card.padding ?? family.padding,
      padTokenId: card.pad_token_id,
      padToken,
      configuredPadTokenId: config.text_config?.pad_token_id,
      lowercase: family.lowercase,
    },
    image: { file: imageFile, outputs: family.imageOutputs, ...preprocessing(preprocessor, config, family) },
    logitScale: card.logit_scale ?? (config.logit_scale_init_value === undefined ? 100 : Math.exp(config.logit_scale_init_value)),
    ...(card.logit_bias === undefined ? {} : { logitBias: card.logit_bias }),
    ...(card.license === undefined ? {} : { license: card.license }),
    ...(card.description === undefined ? {} : { description: card.description }),
    ...(card.languages === undefined ? {} : { languages: card.languages }),
    ...(card.templates === undefined ? {} : { templates: card.templates }),
    ...(card.no_match === undefined ? {} : { noMatch: card.no_match }),
    ...matryoshka(card.matryoshka_dimensions ?? config.matryoshka_dimensions, card.matryoshka_dimensions ? 'model.json' : 'config.json'),
    fileHashes,
  };
}

/** null stands for none in published files. */
function matryoshka(dimensions: number[] | null | undefined, file: string): { matryoshkaDimensions?: number[] } {
  if (dimensions === undefined || dimensions === null) return {};
  if (!Array.isArray(dimensions) || !dimensions.every((each) => Number.isInteger(each) && each > 0)) throw new Error(`${file}: matryoshka_dimensions is a list of whole numbers from 1.`);
  return { matryoshkaDimensions: dimensions };
}

function contextLength(config: HubConfig, tokenizer: TokenizerConfig, family: Family): number {
  const own = Math.min(tokenizer.model_max_length ?? Infinity, config.text_config?.max_position_embeddings ?? Infinity);
  // model_max_length is 1e30 where a tokenizer has no limit.
  return Math.min(own > 1e6 ? family.contextLength : own, family.longestContext ?? Infinity);
}

function preprocessing(file: PreprocessorConfig, config: HubConfig, family: Family): Preprocessing {
  const edge = (value: number | { height?: number; width?: number } | undefined) => (typeof value === 'number' ? value : value?.height);
  const shortestEdge = typeof file.size === 'number' ? file.size : file.size?.shortest_edge;
  const squashed = file.do_center_crop === false || (shortestEdge === undefined && file.size !== undefined) || (file.do_center_crop === undefined && family.geometry === 'squash');
  const size = (squashed ? edge(file.size) : edge(file.crop_size)) ?? config.vision_config?.image_size ?? shortestEdge ?? 224;
  const result: Preprocessing = {
    geometry: squashed ? 'squash' : 'crop',
    interpolation: interpolationOf(file.resample) ?? family.interpolation,
    size,
    shortestEdge: shortestEdge ?? size,
    mean: rgb(file.image_mean, 'image_mean') ?? family.mean,
    std: rgb(file.image_std, 'image_std') ?? family.std,
  };
  if (result.geometry === 'crop' && result.shortestEdge < size) {
    throw new Error(`preprocessor_config.json: crops ${size} pixels out of a shortest edge of ${result.shortestEdge}.`);
  }
  return result;
}

function interpolationOf(resample: number | undefined): 'bicubic' | 'bilinear' | undefined {
  if (resample === undefined) return undefined;
  if (resample === 2) return 'bilinear';
  if (resample === 3) return 'bicubic';
  throw new Error(`preprocessor_config.json: resample is ${resample}; 2 (bilinear) and 3 (bicubic) are known.`);
}

function rgb(values: number[] | undefined, field: string): Rgb | undefined {
  if (values === undefined) return undefined;
  const [r, g, b] = values;
  if (r === undefined || g === undefined || b === undefined) throw new Error(`preprocessor_config.json: ${field} needs three numbers.`);
  return [r, g, b];
}

/** Equal only for packages whose embeddings may be compared: same weights, tokenizer, text and picture rules, dimension. 24 hex digits. */
export function fingerprintOf({ fileHashes, text, image }: ModelPackage, dimension: number): string {
  const { contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase } = text;
  const { geometry, interpolation, size, shortestEdge, mean, std } = image;
  const rules = { text: { contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase }, image: { geometry, interpolation, size, shortestEdge, mean, std }, dimension };
  return createHash('sha256').update(JSON.stringify([fileHashes, rules])).digest('hex').slice(0, 24);
}

async function readJson<T>(directory: string, name: string, fallback?: T): Promise<T> {
  const path = join(directory, name);
  if (fallback !== undefined && !(await exists(path))) return fallback;
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

import { join } from 'node:path';
import type { Preprocessing, Rgb } from '../picture/preprocess.js';
import { families, familyNamed, logitScaleOf, type Family, type FamilyName } from './families.js';
import { exists, filesIn, readJson } from './files.js';
import { padTokenOf, shortest, type Published, type TokenizerConfig } from './layout.js';
import { openClipPreprocessing, type OpenClipPreprocessor } from './open-clip-preprocessor.js';

interface HubConfig {
  model_type?: string;
  logit_scale_init_value?: number;
  text_config?: { max_position_embeddings?: number; pad_token_id?: number | null };
  vision_config?: { image_size?: number };
  matryoshka_dimensions?: number[] | null;
}

interface HubPreprocessor extends Omit<OpenClipPreprocessor, 'size'> {
  do_center_crop?: boolean;
  do_normalize?: boolean;
  do_rescale?: boolean;
  rescale_factor?: number;
  size?: number | { shortest_edge?: number; height?: number; width?: number };
  crop_size?: number | { height?: number; width?: number };
  /** Pillow's numbers: 2 bilinear, 3 bicubic. */
  resample?: number;
  image_mean?: number[];
  image_std?: number[];
}

const preprocessorFile = 'preprocessor_config.json';

/**
 * The hub's layout: config.json, tokenizer.json and onnx/{text,vision}_model.onnx, or both in onnx/model.onnx, with their
 * variants; mostly also preprocessor_config.json and tokenizer_config.json.
 */
export async function readHubLayout(directory: string, named: FamilyName | undefined): Promise<Published> {
  const config = await readJson<HubConfig>(directory, 'config.json');
  const preprocessor = await readJson<HubPreprocessor>(directory, preprocessorFile, {});
  const hasTokenizerConfig = await exists(join(directory, 'tokenizer_config.json'));
  const tokenizer = hasTokenizerConfig ? await readJson<TokenizerConfig>(directory, 'tokenizer_config.json') : {};
  const name = named ?? familyNamed({
    modelType: config.model_type,
    tokenizerClass: tokenizer.tokenizer_class,
    byteFallback: hasTokenizerConfig ? false : await fallsBackToBytes(directory),
    unnormalized: preprocessor.do_normalize === false,
  });
  const family: Family = families[name];
  const { max_position_embeddings: positions, pad_token_id: padTokenId } = config.text_config ?? {};
  return {
    layout: 'hub',
    family: name,
    files: (await filesIn(join(directory, 'onnx'))).map((file) => `onnx/${file}`),
    stems: { text: 'onnx/text_model', image: 'onnx/vision_model', joint: 'onnx/model' },
    tokenizer: { file: 'tokenizer.json', ...(hasTokenizerConfig ? { config: 'tokenizer_config.json' } : {}) },
    text: {
      contextLength: Math.min(shortest(tokenizer.model_max_length, positions) ?? family.contextLength, family.longestContext ?? Infinity),
      padding: family.padding,
      padTokenId: undefined,
      padToken: padTokenOf(tokenizer),
      configuredPadTokenId: padTokenId ?? undefined,
      lowercase: family.lowercase,
    },
    image: preprocessing(preprocessor, config.vision_config?.image_size, family),
    logitScale: logitScaleOf(config.logit_scale_init_value, family),
    ...(config.matryoshka_dimensions ? { matryoshkaDimensions: config.matryoshka_dimensions } : {}),
  };
}

async function fallsBackToBytes(directory: string): Promise<boolean> {
  const { model } = await readJson<{ model?: { type?: string; byte_fallback?: boolean } }>(directory, 'tokenizer.json');
  return model?.type === 'BPE' && model.byte_fallback === true;
}

function preprocessing(file: HubPreprocessor, imageSize: number | undefined, family: Family): Preprocessing {
  // jina-clip's files are open_clip's, under the hub's name.
  if (file.resize_mode !== undefined || file.mean !== undefined) return openClipPreprocessing(file as OpenClipPreprocessor, imageSize, family, preprocessorFile);
  if (file.do_rescale === false || Math.abs((file.rescale_factor ?? 1 / 255) * 255 - 1) > 1e-6) {
    throw new Error(`${preprocessorFile}: values are divided by 255 here; do_rescale is ${file.do_rescale ?? true} and rescale_factor ${file.rescale_factor ?? 1 / 255}.`);
  }
  const edge = (value: number | { height?: number; width?: number } | undefined) => (typeof value === 'number' ? value : value?.height);
  const shortestEdge = typeof file.size === 'number' ? file.size : file.size?.shortest_edge;
  const squashed = file.do_center_crop === false || (shortestEdge === undefined && file.size !== undefined) || (file.do_center_crop === undefined && family.geometry === 'squash');
  const size = (squashed ? edge(file.size) : edge(file.crop_size)) ?? imageSize ?? shortestEdge ?? 224;
  const plain = file.do_normalize === false;
  return {
    geometry: squashed ? 'squash' : 'crop',
    interpolation: interpolationOf(file.resample) ?? family.interpolation,
    size,
    shortestEdge: shortestEdge ?? size,
    mean: plain ? [0, 0, 0] : (rgb(file.image_mean, 'image_mean') ?? family.mean),
    std: plain ? [1, 1, 1] : (rgb(file.image_std, 'image_std') ?? family.std),
  };
}

function interpolationOf(resample: number | undefined): 'bicubic' | 'bilinear' | undefined {
  if (resample === undefined) return undefined;
  if (resample === 2) return 'bilinear';
  if (resample === 3) return 'bicubic';
  throw new Error(`${preprocessorFile}: resample is ${resample}; 2 (bilinear) and 3 (bicubic) are known.`);
}

function rgb(values: number[] | undefined, field: string): Rgb | undefined {
  if (values === undefined) return undefined;
  const [r, g, b] = values;
  if (r === undefined || g === undefined || b === undefined) throw new Error(`${preprocessorFile}: ${field} needs three numbers.`);
  return [r, g, b];
}

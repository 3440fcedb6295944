import { join } from 'node:path';
import { z } from 'zod';
import { exists } from '../../files.js';
import type { Preprocessing, Rgb } from '../picture/preprocess.js';
import { families, familyNamed, logitScaleOf, type Family } from './families.js';
import { filesIn } from './folder.js';
import { readJson } from './json-file.js';
import { hasTexts, padTokenOf, shortest, TokenizerConfig, type Published } from './layout.js';
import type { ModelCard } from './model-card.js';
import { openClipPreprocessing, OpenClipPreprocessor } from './open-clip-preprocessor.js';

const HubConfig = z.object({
  model_type: z.string().optional(),
  logit_scale_init_value: z.number().optional(),
  text_config: z.object({ max_position_embeddings: z.number().optional(), pad_token_id: z.number().optional() }).optional(),
  vision_config: z.object({ image_size: z.union([z.number(), z.array(z.number())]).optional() }).optional(),
  matryoshka_dimensions: z.array(z.number().int().min(1)).optional(),
});

const edges = z.object({ height: z.number().optional(), width: z.number().optional() });
const HubPreprocessor = OpenClipPreprocessor.extend({
  do_center_crop: z.boolean().optional(),
  do_normalize: z.boolean().optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().optional(),
  size: z.union([z.number(), z.array(z.number()), edges.extend({ shortest_edge: z.number().optional() })]).optional(),
  crop_size: z.union([z.number(), edges]).optional(),
  /** Pillow's numbers: 2 bilinear, 3 bicubic. */
  resample: z.number().optional(),
  image_mean: z.array(z.number()).optional(),
  image_std: z.array(z.number()).optional(),
});
type HubPreprocessor = z.infer<typeof HubPreprocessor>;

type Sides = number | number[] | { height?: number | undefined; width?: number | undefined } | undefined;

const Tokenizer = z.object({ model: z.object({ type: z.string().optional(), byte_fallback: z.boolean().optional() }).optional() });

const preprocessorFile = 'preprocessor_config.json';

/**
 * The hub's layout: config.json, tokenizer.json and onnx/{text,vision}_model.onnx, or both in onnx/model.onnx, with their
 * variants; mostly also preprocessor_config.json and tokenizer_config.json.
 */
export async function readHubLayout(directory: string, card: ModelCard): Promise<Published> {
  const config = await readJson(directory, 'config.json', HubConfig);
  const preprocessor = await readJson(directory, preprocessorFile, HubPreprocessor, {});
  const hasTokenizerConfig = await exists(join(directory, 'tokenizer_config.json'));
  const tokenizer = hasTokenizerConfig ? await readJson(directory, 'tokenizer_config.json', TokenizerConfig) : {};
  const name = card.family ?? familyNamed({
    modelType: config.model_type,
    tokenizerClass: tokenizer.tokenizer_class,
    byteFallback: !hasTokenizerConfig && hasTexts(card) && (await fallsBackToBytes(directory)),
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
  const { model } = await readJson(directory, 'tokenizer.json', Tokenizer);
  return model?.type === 'BPE' && model.byte_fallback === true;
}

/** The edge of a square. */
function edge(size: Sides, field: string): number | undefined {
  const [height, width = height] = typeof size === 'number' ? [size] : Array.isArray(size) ? size : [size?.height, size?.width];
  if (height !== width) throw new Error(`${preprocessorFile}: ${field} is ${height} x ${width} pixels; squares are known.`);
  return height;
}

function preprocessing(file: HubPreprocessor, imageSize: Sides, family: Family): Preprocessing {
  // jina-clip's files are open_clip's, under the hub's name.
  if (file.resize_mode !== undefined || file.mean !== undefined) return openClipPreprocessing(OpenClipPreprocessor.parse({ ...file, size: edge(file.size, 'size') }), edge(imageSize, 'image_size'), family, preprocessorFile);
  if (file.do_rescale === false || Math.abs((file.rescale_factor ?? 1 / 255) * 255 - 1) > 1e-6) {
    throw new Error(`${preprocessorFile}: values are divided by 255 here; do_rescale is ${file.do_rescale ?? true} and rescale_factor ${file.rescale_factor ?? 1 / 255}.`);
  }
  const shortestEdge = typeof file.size === 'number' || Array.isArray(file.size) ? edge(file.size, 'size') : file.size?.shortest_edge;
  const squashed = file.do_center_crop === false || (shortestEdge === undefined && file.size !== undefined) || (file.do_center_crop === undefined && family.geometry === 'squash');
  const size = (squashed ? edge(file.size, 'size') : edge(file.crop_size, 'crop_size')) ?? edge(imageSize, 'image_size') ?? shortestEdge ?? 224;
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

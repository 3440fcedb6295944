import { join } from 'node:path';
import { z } from 'zod';
import { exists } from '../../files.js';
import type { Cleaning } from '../text/cleaning.js';
import { families, familyNamed, logitScaleOf, type Family } from './families.js';
import { filesIn } from './folder.js';
import { readJson } from './json-file.js';
import { padTokenOf, shortest, TokenizerConfig, type Published } from './layout.js';
import type { ModelCard } from './model-card.js';
import { openClipPreprocessing, OpenClipPreprocessor } from './open-clip-preprocessor.js';

/** open_clip's model configuration (open_clip/model_configs), alone or inside open_clip_config.json. */
const ModelConfig = z.object({
  init_logit_scale: z.number().optional(),
  init_logit_bias: z.number().optional(),
  vision_cfg: z.object({ image_size: z.union([z.number(), z.array(z.number())]).optional() }).optional(),
  text_cfg: z
    .object({
      context_length: z.number().optional(),
      pad_id: z.number().optional(),
      hf_tokenizer_name: z.string().optional(),
      tokenizer_kwargs: z.object({ clean: z.string().optional(), strip_sep_token: z.boolean().optional() }).optional(),
    })
    .optional(),
});
type ModelConfig = z.infer<typeof ModelConfig>;

const OpenClipConfig = ModelConfig.extend({ model_cfg: ModelConfig.optional(), preprocess_cfg: OpenClipPreprocessor.optional() });

/** Where the parts lie: in a folder a tower, as photo servers publish them, or side by side. */
interface Places {
  visual: string;
  textual: string;
  image: string;
  text: string;
}

const nested: Places = { visual: 'visual/', textual: 'textual/', image: 'visual/model', text: 'textual/model' };
const flat: Places = { visual: '', textual: '', image: 'visual', text: 'textual' };

export async function isOpenClipLayout(directory: string): Promise<boolean> {
  return (await placesIn(directory)) !== undefined;
}

/**
 * open_clip's layout: config.json or open_clip_config.json, visual/model.onnx with preprocess_cfg.json and
 * textual/model.onnx with tokenizer.json and tokenizer_config.json; or visual.onnx and textual.onnx beside those files.
 */
export async function readOpenClipLayout(directory: string, { family: named }: ModelCard): Promise<Published> {
  const places = (await placesIn(directory)) ?? nested;
  const configName = (await exists(join(directory, 'open_clip_config.json'))) ? 'open_clip_config.json' : 'config.json';
  const config = await readJson(directory, configName, OpenClipConfig);
  const model = config.model_cfg ?? config;
  const preprocessorName = `${places.visual}preprocess_cfg.json`;
  const preprocessor = { ...config.preprocess_cfg, ...(await readJson(directory, preprocessorName, OpenClipPreprocessor, {})) };
  const tokenizerConfig = `${places.textual}tokenizer_config.json`;
  const hasTokenizerConfig = await exists(join(directory, tokenizerConfig));
  const tokenizer = hasTokenizerConfig ? await readJson(directory, tokenizerConfig, TokenizerConfig) : {};
  const name = named ?? familyNamed({ modelType: model.init_logit_bias === undefined ? 'clip' : 'siglip', tokenizerClass: tokenizer.tokenizer_class, byteFallback: false, unnormalized: false });
  const family: Family = families[name];
  const text = model.text_cfg ?? {};
  if (text.tokenizer_kwargs?.strip_sep_token) throw new Error(`${configName}: tokenizer_kwargs.strip_sep_token is not supported.`);
  return {
    layout: 'open_clip',
    family: name,
    files: await weightsIn(directory, places),
    stems: { text: places.text, image: places.image },
    tokenizer: { file: `${places.textual}tokenizer.json`, ...(hasTokenizerConfig ? { config: tokenizerConfig } : {}) },
    text: {
      contextLength: shortest(text.context_length) ?? shortest(tokenizer.model_max_length) ?? family.contextLength,
      // open_clip's tokenizers always pad, and its towers may see it.
      padding: 'max_length',
      padTokenId: undefined,
      padToken: padTokenOf(tokenizer),
      configuredPadTokenId: text.pad_id,
      lowercase: false,
      clean: cleaningOf(text, configName),
    },
    image: openClipPreprocessing(preprocessor, model.vision_cfg?.image_size, named === undefined ? families.clip : family, preprocessorName),
    logitScale: logitScaleOf(model.init_logit_scale, family),
  };
}

/** Unless told otherwise, open_clip's own BPE tokenizer lowers and its wrapper of the hub's tokenizers only folds white space. */
function cleaningOf({ hf_tokenizer_name: hub, tokenizer_kwargs: options }: NonNullable<ModelConfig['text_cfg']>, file: string): Cleaning {
  const clean = options?.clean ?? (hub === undefined ? 'lower' : 'whitespace');
  if (clean === 'whitespace' || clean === 'lower' || clean === 'canonicalize') return clean;
  throw new Error(`${file}: tokenizer_kwargs.clean is ${JSON.stringify(clean)}; whitespace, lower and canonicalize are known.`);
}

async function placesIn(directory: string): Promise<Places | undefined> {
  if ((await exists(join(directory, 'visual'))) || (await exists(join(directory, 'textual')))) return nested;
  const files = await filesIn(directory);
  return files.some((file) => /^(visual|textual)(_\w+)?\.onnx$/.test(file)) ? flat : undefined;
}

async function weightsIn(directory: string, { visual, textual }: Places): Promise<string[]> {
  const folders = [...new Set([visual, textual])];
  const files = await Promise.all(folders.map(async (folder) => (await filesIn(join(directory, folder))).map((file) => `${folder}${file}`)));
  return files.flat();
}

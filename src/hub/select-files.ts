import { findVariants, variantNames, type Stems, type Variant } from '../encoder/package/variants.js';
import { MixspaceError } from '../errors.js';
import type { HubModel, ListedFile } from './hub-client.js';

const aliases: Record<string, Variant> = { float32: 'fp32', float16: 'fp16', int8: 'q8', uint8: 'q8', quantized: 'q8' };

/** One name or several, separated by commas. @throws MixspaceError `invalid_request`. */
export function parseVariants(text: string): Variant[] {
  const variants = text.split(',').map((part) => {
    const name = part.trim().toLowerCase();
    const variant = variantNames.find((each) => each === name) ?? aliases[name];
    if (!variant) throw new MixspaceError('invalid_request', `--variant takes ${variantNames.join(', ')}, not "${part.trim()}".`, { param: '--variant' });
    return variant;
  });
  return [...new Set(variants)];
}

/** A layout in which two-tower models are published: its towers, and what else belongs to it. */
interface Layout {
  name: string;
  towers: Stems;
  companions: RegExp;
  /** Without these no service reads it. */
  needed: string[];
}

const licenses = String.raw`LICEN[CS]E[\w.-]*|README\.md`;
const layouts: Layout[] = [
  {
    name: 'hub',
    towers: { text: 'onnx/text_model', image: 'onnx/vision_model', joint: 'onnx/model' },
    companions: new RegExp(String.raw`^(config|preprocessor_config|tokenizer|tokenizer_config|special_tokens_map|model)\.json$|^(${licenses})$`, 'i'),
    needed: ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  },
  {
    name: 'open_clip',
    towers: { text: 'textual/model', image: 'visual/model' },
    companions: new RegExp(String.raw`^(config|model)\.json$|^visual/preprocess_cfg\.json$|^textual/(tokenizer|tokenizer_config)\.json$|^(${licenses})$`, 'i'),
    needed: ['config.json', 'visual/preprocess_cfg.json', 'textual/tokenizer.json'],
  },
  {
    name: 'flat',
    towers: { text: 'textual', image: 'visual' },
    companions: new RegExp(String.raw`^(config|open_clip_config|preprocess_cfg|preprocessor_config|tokenizer|tokenizer_config|special_tokens_map|model)\.json$|^(${licenses})$`, 'i'),
    needed: ['config.json', 'tokenizer.json'],
  },
];

/** A file of the repository and its place in the model's folder. */
export interface SelectedFile {
  listed: ListedFile;
  /** With slashes; only names of the layouts, so it cannot lead out of the folder. */
  target: string;
}

export interface Selection {
  variants: Variant[];
  files: SelectedFile[];
  /** What the layout needs and the repository lacks. */
  missing: string[];
}

/**
 * The files of the variants in one of the known layouts, and nothing else of the repository.
 * @throws MixspaceError `unprocessable` where there is no package in the folder, `not_found` for a variant that is not there; both say what is.
 */
export function selectFiles(model: HubModel, variants: Variant[], folder?: string): Selection {
  const inside = within(model.files, folder);
  const layout = layouts.find(({ towers }) => available(inside, towers).size > 0);
  if (!layout) throw noPackage(model, folder);
  const there = available(inside, layout.towers);
  const absent = variants.filter((variant) => !there.has(variant));
  if (absent.length > 0) {
    const list = [...there].map(([variant, files]) => `${variant} (${megabytes(files)})`).join(', ');
    throw new MixspaceError('not_found', `${model.id} has no variant ${absent.join(', ')}; there are ${list}.`, { param: '--variant' });
  }
  const files = [...inside].filter(([target]) => layout.companions.test(target)).map(([target, listed]) => ({ listed, target }));
  // The license and the card of a repository with several models lie at its top.
  for (const { path, ...rest } of folder === undefined ? [] : model.files) {
    if (new RegExp(`^(${licenses})$`, 'i').test(path) && !inside.has(path)) files.push({ listed: { path, ...rest }, target: path });
  }
  for (const variant of variants) files.push(...there.get(variant)!);
  return { variants, files, missing: layout.needed.filter((name) => !inside.has(name)) };
}

function within(files: ListedFile[], folder: string | undefined): Map<string, ListedFile> {
  const prefix = folder === undefined ? '' : `${folder}/`;
  return new Map(files.filter(({ path }) => path.startsWith(prefix)).map((listed) => [listed.path.slice(prefix.length), listed]));
}

/** The variants that both towers have, each with its files: towers and the weights that lie beside them. */
function available(inside: Map<string, ListedFile>, towers: Stems): Map<Variant, SelectedFile[]> {
  const found = new Map<Variant, SelectedFile[]>();
  for (const [variant, files] of findVariants(inside.keys(), towers)) {
    const names = [...new Set(Object.values(files))].flatMap((name) => [name, ...[...inside.keys()].filter((other) => isWeightsOf(other, name))]);
    found.set(variant, names.map((target) => ({ target, listed: inside.get(target)! })));
  }
  return found;
}

/** `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`: where a tower over 2 GB keeps its weights. */
function isWeightsOf(name: string, tower: string): boolean {
  return name.startsWith(tower) && /^(_data(_\d+)?|\.data)$/.test(name.slice(tower.length));
}

function noPackage(model: HubModel, folder: string | undefined): MixspaceError {
  const where = folder === undefined ? model.id : `${folder} of ${model.id}`;
  const folders = new Set(model.files.flatMap(({ path }) => parents(path)));
  const others = [...folders].filter((each) => layouts.some(({ towers }) => available(within(model.files, each), towers).size > 0));
  const why = 'no onnx/vision_model.onnx with onnx/text_model.onnx, no onnx/model.onnx with both, no visual/model.onnx with textual/model.onnx, no visual.onnx with textual.onnx';
  const way = others.length > 0 ? ` It has models in folders: ${others.slice(0, 20).map((each) => `--folder ${each}`).join(', ')}.` : '';
  return new MixspaceError('unprocessable', `There is no model for mixspace in ${where}: ${why}.${way}`, { param: 'ID' });
}

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function megabytes(files: SelectedFile[]): string {
  const bytes = files.reduce((sum, { listed }) => sum + (listed.size ?? 0), 0);
  return bytes === 0 ? 'size unknown' : `${(bytes / 1e6).toFixed(1)} MB`;
}

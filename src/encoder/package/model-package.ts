import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Calibration } from '../../domain/calibration.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { exists, hashFile } from '../../files.js';
import type { NoMatch } from '../encoder.js';
import type { Preprocessing } from '../picture/preprocess.js';
import type { PreprocessSpeed } from '../picture/speed.js';
import type { TextRules } from '../text/text-encoding.js';
import { readCalibration } from './calibration-file.js';
import { oddEntry } from './folder.js';
import { readHubLayout } from './hub-layout.js';
import type { Published } from './layout.js';
import { readModelCard, type ModelCard } from './model-card.js';
import { isOpenClipLayout, readOpenClipLayout } from './open-clip-layout.js';
import { chooseVariant, configFiles, nearestFirst, type Variant } from './variants.js';
import { versionOfFolder } from './files-version.js';
import { readWeights, type WeightsFacts } from './weights.js';

/** Of one modality's encoder. */
export interface TowerFile {
  /** Path of the ONNX file. */
  file: string;
  /** The output that model.json names; one known by name, or the only one, where it names none. */
  output?: string;
  /** Activations are quantised over the whole batch, so inputs go one at a time. */
  dynamicallyQuantized: boolean;
  /** The file holds other towers, too. */
  joint?: true;
}

/** What each modality's tower is, and what is done with an input before it. */
export interface Towers {
  text: TextRules & TowerFile;
  image: Preprocessing & TowerFile;
}

/** A model package as its files describe it, in whichever layout: plain data, so that it can be sent to workers. */
export interface ModelPackage {
  id: string;
  directory: string;
  /** See `versionOfFolder`: of the files that all this was read from. */
  version: string;
  towers: Partial<Towers>;
  /** Of the weights in use, and all that the package has. */
  variant: Variant;
  variants: Variant[];
  logitScale: number;
  logitBias?: number;
  activation?: 'softmax' | 'sigmoid';
  license?: string;
  description?: string;
  languages?: string[];
  templates?: string[];
  noMatch?: NoMatch;
  calibration?: Calibration;
  matryoshkaDimensions?: number[];
  /** SHA-256 of text weights, picture weights, tokenizer file, then of files of external data, hex. */
  fileHashes: string[];
  /** Paths of the latter. They are mapped into memory: what is written to them, a loaded model computes with. */
  externalData: string[];
}

/** Tells a version of a package from others, and from those of other packages. */
export function keyOf({ id, version }: Pick<ModelPackage, 'id' | 'version'>): string {
  return `${version} ${id}`;
}

export function modalitiesOf({ towers }: Pick<ModelPackage, 'towers'>): Modality[] {
  return modalities.filter((modality) => towers[modality] !== undefined);
}

/** How packages are read where their own model.json leaves it open. */
export interface ReadOptions {
  /** Weights by preference; the nearest to the published vectors first unless set. */
  variants?: readonly Variant[];
  /** `exact` unless set. */
  speed?: PreprocessSpeed;
}

/** Of values from 0 to 1. */
const leastStd = 1e-6;

/** Folders that look like packages, by name. */
export async function findPackages(modelsDirectory: string): Promise<string[]> {
  const entries = await readdir(modelsDirectory, { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith('.') || (!entry.isDirectory() && !entry.isSymbolicLink())) return [];
      return (await isPackage(join(modelsDirectory, entry.name))) ? [entry.name] : [];
    }),
  );
  return found.flat().sort();
}

/** Whether a folder looks like one. */
export async function isPackage(directory: string): Promise<boolean> {
  return (await Promise.all(configFiles.map((file) => exists(join(directory, file))))).includes(true);
}

/**
 * Throws an Error whose sentence names the file at fault, and for a variant that is not there lists those that are; a
 * `conflict` where files change meanwhile.
 */
export async function readPackage(modelsDirectory: string, id: string, options: ReadOptions = {}): Promise<ModelPackage> {
  const directory = join(modelsDirectory, id);
  const version = await versionOfFolder(directory);
  const read = readFiles(directory, id, version, options);
  await read.catch(() => undefined);
  if ((await versionOfFolder(directory)) !== version) throw new MixspaceError('conflict', `The files of model ${id} change while they are read.`);
  return read;
}

async function readFiles(directory: string, id: string, version: string, { variants = nearestFirst, speed = 'exact' }: ReadOptions): Promise<ModelPackage> {
  const odd = await oddEntry(directory);
  if (odd !== undefined) throw new Error(`${odd} is neither a file nor a folder.`);
  const card = await readModelCard(directory);
  const read = (await isOpenClipLayout(directory)) ? readOpenClipLayout : readHubLayout;
  const published = await read(directory, card);
  const { variant, towers: files, found } = chooseVariant(published, card.modalities ?? modalities, card.variant === undefined ? variants : [card.variant]);
  const weights = new Map<string, WeightsFacts>();
  for (const file of new Set(Object.values(files))) weights.set(file, await readWeights(join(directory, file)));
  const tower = (file: string, output: string | undefined): TowerFile => ({
    file: join(directory, file),
    ...(output === undefined ? {} : { output }),
    dynamicallyQuantized: weights.get(file)!.dynamicallyQuantized,
    ...(published.stems.joint !== undefined && file.startsWith(published.stems.joint) ? { joint: true } : {}),
  });
  const hashesOf = (file: string | undefined): string[] => (file === undefined ? [] : weights.get(file)!.hashes);
  const [textHash = '', ...textData] = hashesOf(files.text);
  const [imageHash = '', ...imageData] = hashesOf(files.image);
  const calibration = await readCalibration(directory);
  const tokenizerHash = files.text === undefined ? '' : await hashFile(join(directory, published.tokenizer.file));
  return {
    id,
    directory,
    version,
    variant,
    variants: [...found.keys()],
    towers: {
      ...(files.text === undefined ? {} : { text: { ...tower(files.text, card.text_output), ...textRules(published, card) } }),
      ...(files.image === undefined ? {} : { image: { ...tower(files.image, card.image_output), ...preprocessing(published, card, speed) } }),
    },
    ...scoring(published, card),
    ...told(card),
    ...(calibration === undefined ? {} : { calibration }),
    ...matryoshka(published, card),
    fileHashes: [textHash, imageHash, tokenizerHash, ...textData, ...imageData],
    externalData: [...new Set([...weights.values()].flatMap(({ externalData }) => externalData))],
  };
}

function textRules({ text, tokenizer }: Published, card: ModelCard): TextRules {
  const clean = card.canonicalize === undefined ? text.clean : card.canonicalize ? 'canonicalize' : undefined;
  const { clean: _, ...rest } = text;
  return {
    ...rest,
    tokenizer,
    contextLength: card.context_length ?? text.contextLength,
    padding: card.padding ?? text.padding,
    padTokenId: card.pad_token_id,
    lowercase: card.lowercase ?? text.lowercase,
    ...(clean === undefined ? {} : { clean }),
  };
}

function preprocessing({ image }: Published, card: ModelCard, speed: PreprocessSpeed): Preprocessing {
  const geometry = card.geometry ?? image.geometry;
  const size = card.size ?? image.size;
  const rounding = card.crop_rounding ?? image.cropRounding;
  const result: Preprocessing = {
    geometry,
    interpolation: card.interpolation ?? image.interpolation,
    size,
    shortestEdge: card.shortest_edge ?? (card.size === undefined ? image.shortestEdge : size),
    mean: card.mean ?? image.mean,
    std: card.std ?? image.std,
    ...(geometry === 'crop' && rounding === 'half_even' ? { cropRounding: rounding } : {}),
    ...(geometry === 'pad' ? { fillColor: card.fill_color ?? image.fillColor ?? 0 } : {}),
    ...((card.preprocess_speed ?? speed) === 'fast' ? { speed: 'fast' } : {}),
  };
  const tiny = result.std.find((value) => Math.abs(value) < leastStd);
  if (tiny !== undefined) throw new Error(`The standard deviation of a channel is ${tiny}; values are divided by it.`);
  if (geometry === 'crop' && result.shortestEdge < size) throw new Error(`The preprocessing crops ${size} pixels out of a shortest edge of ${result.shortestEdge}.`);
  return result;
}

function scoring(published: Published, card: ModelCard): Pick<ModelPackage, 'logitScale' | 'logitBias' | 'activation'> {
  const logitScale = card.logit_scale ?? published.logitScale;
  if (!Number.isFinite(logitScale)) throw new Error('The logit scale is infinite: its configuration holds the logarithm of it.');
  return {
    logitScale,
    ...(card.logit_bias === undefined ? {} : { logitBias: card.logit_bias }),
    ...(card.activation === undefined ? {} : { activation: card.activation }),
  };
}

function matryoshka(published: Published, card: ModelCard): Pick<ModelPackage, 'matryoshkaDimensions'> {
  const dimensions = card.matryoshka_dimensions ?? published.matryoshkaDimensions;
  return dimensions === undefined ? {} : { matryoshkaDimensions: [...dimensions].sort((a, b) => a - b) };
}

function told(card: ModelCard): Pick<ModelPackage, 'license' | 'description' | 'languages' | 'templates' | 'noMatch'> {
  return {
    ...(card.license === undefined ? {} : { license: card.license }),
    ...(card.description === undefined ? {} : { description: card.description }),
    ...(card.languages === undefined ? {} : { languages: card.languages }),
    ...(card.templates === undefined ? {} : { templates: card.templates }),
    ...(card.no_match === undefined ? {} : { noMatch: card.no_match }),
  };
}

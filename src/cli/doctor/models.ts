import { access, constants, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config.js';
import type { ModelDescription } from '../../encoder/encoder.js';
import { examine, findPackages, tryOut, type Examined } from '../../encoder/examine.js';
import { readLock } from '../../hub/lock.js';
import { sizeOf } from '../print.js';
import { fail, ok, warn, type Finding } from './finding.js';

type Settings = Pick<Config, 'modelsDir' | 'model' | 'aliases' | 'variant' | 'preprocessSpeed' | 'threads' | 'executionProviders' | 'encodeTimeout' | 'maxPicture' | 'maxPixels'>;

const pull = 'mixspace models known lists models that can be pulled, mixspace models pull ID pulls one; MIXSPACE_MODELS_DIR names another folder.';

/** And the model that a service would take by default. `selfTest` loads each and runs its golden vectors. */
export async function lookAtModels(config: Settings, selfTest: boolean): Promise<{ findings: Finding[]; model?: Examined }> {
  const { modelsDir } = config;
  const ids = await findPackages(modelsDir).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
  if (typeof ids === 'string') return { findings: [fail('models', `The models directory ${modelsDir} cannot be read (${ids}).`, pull)] };
  if (ids.length === 0) return { findings: [fail('models', `No folder in ${modelsDir} is a model.`, pull)] };
  const chosen = config.model === undefined ? undefined : ids.includes(config.model) ? config.model : (config.aliases.get(config.model) ?? config.model);
  const findings: Finding[] = [];
  const usable: Examined[] = [];
  if (chosen !== undefined && !ids.includes(chosen)) findings.push(fail('models', `There is no model ${chosen}, the default one, in ${modelsDir}; there are ${ids.join(', ')}.`, 'Name one of these with --model (MIXSPACE_MODEL), or pull it: mixspace models pull ID.'));
  for (const id of ids) {
    const looked = await lookAtModel(config, id, selfTest, chosen === undefined ? ids.length === 1 : id === chosen);
    findings.push(looked.finding);
    if (looked.model) usable.push(looked.model);
  }
  if (usable.length === 0 && ids.length > 1) findings.push(fail('models', `None of the ${ids.length} models can be used.`, pull));
  findings.push(...(await leftovers(modelsDir)));
  const model = usable.find(({ id }) => id === chosen) ?? (chosen === undefined ? usable[0] : undefined);
  return { findings, ...(model ? { model } : {}) };
}

/** `isNeeded`: without it the service does not start. */
async function lookAtModel(config: Settings, id: string, selfTest: boolean, isNeeded: boolean): Promise<{ finding: Finding; model?: Examined }> {
  try {
    const model = await examine(config.modelsDir, id, { ...(config.variant && { variants: config.variant }), speed: config.preprocessSpeed });
    const bytes = Object.values(model.weightBytes).reduce((sum, each) => sum + each, 0);
    const found = `${id}: ${model.modalities.join(' and ')}, ${model.variant}, ${sizeOf(bytes)}, ${model.license ?? 'license unknown'}`;
    return { finding: selfTest ? await tested(config, id, found) : ok('models', `${found}.`), model };
  } catch (error) {
    const mend = await wayOut(config.modelsDir, id);
    return { finding: (isNeeded ? fail : warn)('models', `${id} cannot be used: ${(error as Error).message}`, mend) };
  }
}

async function tested({ modelsDir, variant, preprocessSpeed, threads, executionProviders, encodeTimeout, maxPicture, maxPixels }: Settings, id: string, found: string): Promise<Finding> {
  const refused: string[] = [];
  const settings = {
    packages: { modelsDirectory: modelsDir, ...(variant && { variants: variant }), speed: preprocessSpeed },
    limits: { pictureBytes: maxPicture, picturePixels: maxPixels },
    session: { threads, executionProviders },
  };
  const { selfTest, executionProvider, dimension } = await tryOut(settings, id, encodeTimeout * 1000, (_level, sentence) => refused.push(sentence));
  const told = `${found}; ${dimension} dimensions, runs on ${executionProvider}; ${sentence(selfTest)}.`;
  if (refused.length > 0) return warn('models', `${told} ${refused.join(' ')}`, 'Leave what cannot be used out of --execution-providers, or install what it needs.');
  return ok('models', told);
}

function sentence({ status, image, text }: ModelDescription['selfTest']): string {
  if (status === 'unverified') return 'it has no golden vectors to compare with';
  const cosines = [image, text].flatMap((part) => (part ? [part.lowest_cosine] : []));
  return `self-test ${status}, lowest cosine ${Math.min(...cosines).toFixed(6)}`;
}

/** What was pulled is pulled again as it was. */
async function wayOut(modelsDir: string, id: string): Promise<string> {
  const lock = await readLock(path.join(modelsDir, id)).catch(() => undefined);
  if (lock) return `Pull it again: mixspace models pull ${lock.id}@${lock.commit}${lock.folder === undefined ? '' : ` --folder ${lock.folder}`} --as ${id}.`;
  return `Put whole files in its place, or take the folder away: mixspace models remove ${id}.`;
}

/** Of pulls that were cut off. */
async function leftovers(modelsDir: string): Promise<Finding[]> {
  const names = (await readdir(modelsDir)).filter((name) => name.startsWith('.pulling-') && !name.endsWith('.pid'));
  const isWritable = await access(modelsDir, constants.W_OK).then(() => true, () => false);
  return [
    ...names.map((name) => warn('models', `A pull of ${name.slice('.pulling-'.length)} was not finished.`, 'Pull it again: it goes on where it was cut off. mixspace models remove takes it away.')),
    ...(isWritable ? [] : [warn('models', `${modelsDir} cannot be written: no model can be pulled there.`, 'That is well where none is to be; else name another folder with MIXSPACE_MODELS_DIR.')]),
  ];
}

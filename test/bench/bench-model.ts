import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../server.js';
import { randomVit, randomVitDirectory } from './random-vit.js';

export interface BenchModel {
  id: string;
  /** The models directory it lies in. */
  directory: string;
}

/**
 * `name`: `random-vit-b32`, or a folder of the models directory (MIXSPACE_MODELS_DIR or models/).
 * @throws RangeError naming what there is.
 */
export async function benchModel(name: string): Promise<BenchModel> {
  if (name === randomVit) return { id: name, directory: await randomVitDirectory() };
  const directory = modelsDirectory();
  const names = await packagesIn(directory);
  if (!names.includes(name)) throw new RangeError(`There is no model "${name}"; there are ${[...names, randomVit].join(', ')}.`);
  return { id: name, directory };
}

/** The one that the service takes where none is named. */
export async function defaultModel(): Promise<BenchModel> {
  const directory = modelsDirectory();
  const [id] = await packagesIn(directory);
  if (id === undefined) throw new RangeError(`There is no model in ${directory}.`);
  return { id, directory };
}

/** Settings of a service that has it as its default. */
export function settingsFor({ directory, id }: BenchModel): Record<string, string> {
  return { MIXSPACE_MODELS_DIR: directory, MIXSPACE_MODEL: id };
}

function modelsDirectory(): string {
  return path.resolve(process.env['MIXSPACE_MODELS_DIR'] ?? path.join(repository, 'models'));
}

async function packagesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name).sort();
}

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { MixspaceError } from '../../errors.js';
import { versionOfFolder } from './files-version.js';
import { readPackage, type ModelPackage, type ReadOptions, type Towers } from './model-package.js';

/**
 * Equal only for packages whose embeddings may be compared: same weights, tokenizer, text and picture rules, dimension.
 * 24 hex digits. Collections keep it: a rule joins only where it is set, so that a package without it keeps its own.
 */
export function fingerprintOf({ fileHashes, towers: { text, image } }: ModelPackage, dimension: number): string {
  const rules = { text: text && textRules(text), image: image && imageRules(image), dimension };
  return createHash('sha256').update(JSON.stringify([fileHashes, rules])).digest('hex').slice(0, 24);
}

function textRules({ contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase, clean, output }: Towers['text']): object {
  return { contextLength, padding, padTokenId, padToken, configuredPadTokenId, lowercase, clean, output };
}

function imageRules({ geometry, interpolation, size, shortestEdge, mean, std, cropRounding, fillColor, speed, output }: Towers['image']): object {
  return { geometry, interpolation, size, shortestEdge, mean, std, cropRounding, fillColor, speed, output };
}

/** Throws a `conflict` where the files are not any more what was read, so that nothing is taken for what they were. */
export async function requireUnchanged(model: ModelPackage, options: ReadOptions): Promise<void> {
  if ((await versionOfFolder(model.directory)) === model.version) return;
  const now = await readPackage(dirname(model.directory), model.id, options).catch(() => undefined);
  // The dimension follows from the weights.
  if (now && fingerprintOf(now, 0) === fingerprintOf(model, 0)) return;
  throw changed(model);
}

export function changed({ id }: ModelPackage): MixspaceError {
  return new MixspaceError('conflict', `The files of model ${id} have changed since they were checked.`);
}

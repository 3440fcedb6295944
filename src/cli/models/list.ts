import { knownModels } from '../../hub/known-models.js';
import { readSetting } from '../../config.js';
import { printJson, printTable, say, sizeOf } from '../print.js';

/** The models directory as it lies on the disk. */
export async function listFolder(flags: { modelsDir?: string; json?: true }): Promise<void> {
  const { installedModels } = await import('../../hub/models-folder.js');
  const models = await installedModels(readSetting('modelsDir', flags.modelsDir));
  if (flags.json) return printJson({ models: models.map(({ name, bytes, license, lock }) => ({ id: name, bytes, license: license ?? null, pulled: lock ? { id: lock.id, commit: lock.commit, variants: lock.variants } : null })) });
  printTable(models.map(({ name, bytes, license, lock }) => [name, sizeOf(bytes), license ?? 'license unknown', lock ? `${lock.variants.join(', ')} of ${lock.id} at ${lock.commit.slice(0, 12)}` : 'not pulled']));
}

/** The curated list, its figures as published. */
export function listKnown({ json }: { json?: true }): void {
  if (json) return printJson({ models: knownModels });
  const figure = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
  printTable([
    ['model', 'license', 'pixels', 'in fp32', 'ImageNet', 'Flickr30k', 'take it for'],
    ...knownModels.map(({ title, license, licenseName, imageSize, parameters, imagenet, flickr, takeFor }) => [
      title,
      licenseName ?? license,
      imageSize === undefined ? '-' : String(imageSize),
      // Four bytes a parameter.
      parameters === undefined ? '-' : `~${((parameters * 4) / 1000).toFixed(1)} GB`,
      figure(imagenet),
      figure(flickr),
      takeFor,
    ]),
  ]);
  say('');
  say('ImageNet: zero-shot, top 1, per cent. Flickr30k: text to picture, first of the list right, per cent. Both as published; `pull` tells the exact size before it begins.');
  say('');
  for (const { id, folder } of knownModels) say(`  mixspace models pull ${id}${folder === undefined ? '' : ` --folder ${folder}`}`);
}

import path from 'node:path';
import type { Command } from 'commander';
import { readSetting } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { plural, printJson, say } from '../print.js';
import { offlineCommand, type OfflineFlags } from './options.js';

const failed = 1;

export function checkCommand(): Command {
  return offlineCommand('check', 'compare the files of pulled models with what was pulled, byte for byte and without a network')
    .argument('[names...]', 'the models (default: all that were pulled)')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      `
\`verify\` asks the running service whether a model's vectors are right; \`check\` whether its files are still those that were pulled.

  mixspace models check clip-vit-base-patch32

Exit code: 0 all are, 1 some are not.`,
    )
    .action(check);
}

async function check(names: string[], flags: OfflineFlags): Promise<void> {
  const { installedModels } = await import('../../hub/models-folder.js');
  const { differences, readLock } = await import('../../hub/lock.js');
  const modelsDir = readSetting('modelsDir', flags.modelsDir);
  const models = await installedModels(modelsDir);
  for (const name of names) if (!models.some((model) => model.name === name)) throw new MixspaceError('not_found', `There is no model ${name} in ${modelsDir}.`, { param: 'NAME' });
  const chosen = models.filter((model) => names.length === 0 || names.includes(model.name));
  const results = [];
  for (const { name } of chosen) {
    const lock = await readLock(path.join(modelsDir, name));
    results.push({ name, status: lock ? 'as pulled' : 'not pulled', files: Object.keys(lock?.files ?? {}).length, differences: lock ? await differences(path.join(modelsDir, name), lock) : [], id: lock?.id, folder: lock?.folder, commit: lock?.commit });
  }
  for (const result of results) if (result.differences.length > 0) result.status = 'differs';
  if (results.some(({ status }) => status === 'differs')) process.exitCode = failed;
  if (flags.json) return printJson({ models: results });
  for (const { name, status, files, differences: found, id, folder, commit } of results) {
    if (status === 'not pulled') say(`${name}: was not pulled, so there is nothing to compare it with.`);
    else if (status === 'as pulled') say(`${name}: ${plural(files, 'file')} as pulled from ${id} at commit ${commit?.slice(0, 12)}.`);
    else say(`${name}: ${found.map(({ path: file, what }) => `${file} is ${what}`).join(', ')}. \`mixspace models pull ${id}@${commit} ${folder === undefined ? '' : `--folder ${folder} `}--as ${name}\` mends it.`);
  }
}

import { Option, type Command } from 'commander';
import type { MixspaceClient } from '../../client/index.js';
import { readSetting } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { exists } from '../../files.js';
import { plural, say, sayAside, sizeOf } from '../print.js';
import { confirm, offlineCommand, yesOption, type OfflineFlags } from './options.js';

interface RemoveFlags extends OfflineFlags {
  url: string;
}

export function removeCommand(): Command {
  return offlineCommand('remove', 'delete a model from the models directory; collections made with it stay')
    .argument('<name>', "the model's name here")
    .addOption(yesOption())
    .addOption(new Option('--url <url>', 'the service that is asked whether it uses the model, if one runs there').env('MIXSPACE_URL').default('http://127.0.0.1:8080'))
    .addHelpText(
      'after',
      `
Its collections keep their items and embeddings: they list and export, and take words again when the model is back.

  mixspace models remove clip-vit-base-patch32`,
    )
    .action(remove);
}

async function remove(name: string, flags: RemoveFlags): Promise<void> {
  const { requireModelName } = await import('../../hub/names.js');
  const { alone, bytesUnder, installedModels, sweep, takeAway } = await import('../../hub/models-folder.js');
  requireModelName(name, 'The name');
  const modelsDir = readSetting('modelsDir', flags.modelsDir);
  const models = await installedModels(modelsDir);
  await alone(modelsDir, name, async (places) => {
    const begun = await exists(places.staging);
    const model = models.find((each) => each.name === name);
    if (!model && !begun) {
      const there = models.length === 0 ? 'none is there' : `there are ${models.map((each) => each.name).join(', ')}`;
      throw new MixspaceError('not_found', `There is no model ${name} in ${modelsDir}; ${there}.`, { param: 'NAME' });
    }
    const bytes = (await bytesUnder(places.directory)) + (await bytesUnder(places.staging));
    if (model) await requireSpare(name, models.map((each) => each.name), modelsDir, flags);
    else sayAside(`${name} is only begun: its download has not come to its end.`);
    if (!flags.yes && !(await confirm(`Delete ${name}, ${sizeOf(bytes)}, from ${modelsDir}?`, '--yes'))) {
      sayAside('Nothing was deleted.');
      process.exitCode = 1;
      return;
    }
    await takeAway(modelsDir, places);
    await sweep(modelsDir);
    say(`${name} is deleted, ${sizeOf(bytes)}.`);
  });
}

/** Tells what hangs on the model. @throws MixspaceError `conflict` where a service would not start, or would fail, without it. */
async function requireSpare(name: string, names: string[], modelsDir: string, { url }: RemoveFlags): Promise<void> {
  if (readSetting('model') === name) throw new MixspaceError('conflict', `MIXSPACE_MODEL names ${name}: without it the service does not start. Let it name another model first, or unset it.`, { param: 'MIXSPACE_MODEL' });
  const others = names.filter((each) => each !== name);
  if (others.length === 0) throw new MixspaceError('conflict', `${name} is the last model in ${modelsDir}: without one the service does not start. Pull another first.`);
  const { openClient } = await import('../open-client.js');
  const client = openClient({ url });
  const served = await client.models().catch(() => []);
  if (served[0]?.id === name) throw new MixspaceError('conflict', `The service at ${url} has ${name} as its default model. Stop it, or start it with another --model.`);
  if (served.some(({ id }) => id === name)) {
    sayAside(`The service at ${url} has ${name}: it is gone there as soon as that is asked for its models.`);
    await tellCollections(client, name);
  } else sayAside('Collections made with it stay: they list and export, and take words again when it is back.');
}

async function tellCollections(client: MixspaceClient, name: string): Promise<void> {
  const collections = (await client.collections().catch(() => [])).filter(({ model }) => model === name);
  if (collections.length === 0) sayAside('No collection there was made with it.');
  else sayAside(`Made with it, and kept: ${collections.map((each) => `${each.name} (${plural(each.counts.total, 'item')})`).join(', ')}. They list and export, and take words again when it is back.`);
}

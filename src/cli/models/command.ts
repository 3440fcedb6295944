import { Command } from 'commander';
import type { MixspaceClient } from '../../client/index.js';
import { MixspaceUnreachableError } from '../../client/errors.js';
import type { SelfTest } from '../../contract/models.js';
import { MixspaceError } from '../../errors.js';
import { calibrateCommand } from './calibrate.js';
import { checkCommand } from './check.js';
import { listFolder, listKnown } from './list.js';
import { pullCommand } from './pull.js';
import { removeCommand } from './remove.js';
import { clientCommand, type ClientFlags } from '../options.js';
import { plural, printJson, printTable, say } from '../print.js';

interface ListFlags extends ClientFlags {
  offline?: true;
  known?: true;
  modelsDir?: string;
}

export function modelsCommand(): Command {
  const list = clientCommand('list', 'list the models of the service, the default one first')
    .option('--offline', 'those in the models directory of this machine, without a service')
    .option('--known', 'those that are known to be good and can be pulled')
    .option('--models-dir <folder>', 'the directory for --offline (environment: MIXSPACE_MODELS_DIR)')
    .action(listModels);
  const known = new Command('known').description('list models that are known to be good, with license, published accuracy and what to take them for').option('--json', 'print the list as JSON').action(listKnown);
  const verify = clientCommand('verify', "run a model's golden vectors through the service's own code")
    .argument('<id>', 'the model')
    .action(async (id: string, flags: ClientFlags) => {
      const test = await (await openClient(flags)).selfTest(id);
      if (flags.json) printJson(test);
      else say(`${id}: ${sentence(test)}`);
      if (test.status === 'failed') throw new MixspaceError('internal', `${id} fails its self-test.`);
    });
  return new Command('models')
    .description('list, pull, verify, check, calibrate or remove models')
    .addCommand(list, { isDefault: true })
    .addCommand(known)
    .addCommand(pullCommand())
    .addCommand(verify)
    .addCommand(checkCommand())
    .addCommand(calibrateCommand())
    .addCommand(removeCommand());
}

async function listModels(flags: ListFlags): Promise<void> {
  if (flags.known) return listKnown(flags);
  if (flags.offline) return listFolder(flags);
  const client = await openClient(flags);
  const models = await client.models().catch((error: unknown) => {
    if (error instanceof MixspaceUnreachableError) error.message += ' --offline lists the models directory without one.';
    throw error;
  });
  if (flags.json) return printJson({ models });
  printTable(models.map(({ id, dimensions, license, languages, self_test: test, replacement }) => [id, dimensions === null ? 'not checked' : `${dimensions} dimensions`, license ?? 'license unknown', plural(languages?.length ?? 0, 'language'), test.error ?? test.status, ...(replacement === undefined ? [] : [`its new files: ${replacement.error ?? replacement.status}`])]));
}

/** Most of these commands ask no service: the contract is loaded by those that do. */
async function openClient(flags: ClientFlags): Promise<MixspaceClient> {
  return (await import('../open-client.js')).openClient(flags);
}

function sentence({ status, image, text }: SelfTest): string {
  if (!image || !text) return `${status}: its package has no golden vectors.`;
  return `${status}. ${plural(image.count, 'picture')}, lowest cosine ${image.lowest_cosine.toFixed(6)}; ${plural(text.count, 'text')}, lowest cosine ${text.lowest_cosine.toFixed(6)}, ${text.other_tokens} with other tokens.`;
}

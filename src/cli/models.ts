import { Command } from 'commander';
import type { SelfTest } from '../contract/models.js';
import { MixspaceError } from '../errors.js';
import { clientCommand, openClient, type ClientFlags } from './options.js';
import { plural, printJson, printTable } from './print.js';

export function modelsCommand(): Command {
  const list = clientCommand('list', 'list the models of the service, the default one first').action(async (flags: ClientFlags) => {
    const models = await openClient(flags).models();
    if (flags.json) return printJson({ models });
    printTable(models.map(({ id, dimensions, license, languages, self_test: test }) => [id, dimensions === null ? 'not checked' : `${dimensions} dimensions`, license ?? 'license unknown', plural(languages?.length ?? 0, 'language'), test.error ?? test.status]));
  });
  const verify = clientCommand('verify', "run a model's golden vectors through the service's own code")
    .argument('<id>', 'the model')
    .action(async (id: string, flags: ClientFlags) => {
      const test = await openClient(flags).selfTest(id);
      if (flags.json) printJson(test);
      else process.stdout.write(`${id}: ${sentence(test)}\n`);
      if (test.status === 'failed') throw new MixspaceError('internal', `${id} fails its self-test.`);
    });
  return new Command('models').description('list models, or verify one').addCommand(list, { isDefault: true }).addCommand(verify);
}

function sentence({ status, image, text }: SelfTest): string {
  if (!image || !text) return `${status}: its package has no golden vectors.`;
  return `${status}. ${plural(image.count, 'picture')}, lowest cosine ${image.lowest_cosine.toFixed(6)}; ${plural(text.count, 'text')}, lowest cosine ${text.lowest_cosine.toFixed(6)}, ${text.other_tokens} with other tokens.`;
}

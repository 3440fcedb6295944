import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { scopes, type Scope } from '../domain/scope.js';
import { openClient } from './open-client.js';
import { clientCommand, type ClientFlags } from './options.js';
import { printJson, printTable, say } from './print.js';

/** As many random bits as a hash of a password's has. */
const keyBytes = 32;

export function keysCommand(): Command {
  return new Command('keys').description('list what each key may do, or make a line for the keys file').addCommand(listCommand(), { isDefault: true }).addCommand(newCommand());
}

function listCommand(): Command {
  return clientCommand('list', 'what each key of the service may do, and when it was used').action(async (flags: ClientFlags) => {
    const keys = await openClient(flags).keys();
    if (flags.json) return printJson({ keys });
    printTable(keys.map(({ name, scope, collections, rate, calls, last_used_at: used }) => [name, scope, collections?.join(',') ?? 'all collections', rate === undefined ? '' : `${rate}/min`, `${calls} calls`, used ?? '']));
    if (keys.length === 0) say('There are none: whoever reaches the service may do anything.');
  });
}

interface NewFlags {
  scope: Scope;
  collection?: string;
  rate?: string;
  name?: string;
}

function newCommand(): Command {
  return new Command('new')
    .description('print a fresh key as a line of the keys file: mixspace keys new --scope read --name phone >> keys')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(scopes).default('read'))
    .option('--collection <names>', 'the only collections that it reaches, separated by commas')
    .option('--rate <N/min>', 'how many calls it may make in a minute')
    .option('--name <who>', 'what the log and the list of keys call its holder')
    .action(({ scope, collection, rate, name }: NewFlags) => {
      const given = Object.entries({ scope, collection, rate, name }).filter(([, value]) => value !== undefined);
      say([randomBytes(keyBytes).toString('base64url'), ...given.map(([option, value]) => `${option}=${value}`)].join(' '));
    });
}

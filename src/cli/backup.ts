import type { Command } from 'commander';
import { openClient } from './open-client.js';
import { serviceCommand, type ServiceFlags } from './options.js';
import { sayAside, sizeOf } from './print.js';
import { writeOut } from './write-out.js';

export function backupCommand(): Command {
  return serviceCommand('backup', 'write all collections of a running service into one file, as they are at one moment')
    .argument('<file>', 'where to, once it is whole; - is standard output')
    .addHelpText('after', '\nModels are not in it, nor pictures that were taken in by path. `mixspace restore` makes an index directory of it.\nExit code: 0 all is written, 1 it broke off, 2 wrong usage or no service.')
    .action(async (file: string, flags: ServiceFlags) => {
      const output = file === '-' ? undefined : file;
      const written = await writeOut(await openClient(flags).backup(), output);
      if (output !== undefined) sayAside(`${sizeOf(written)} in ${output}`);
    });
}

import { Command } from 'commander';
import { plural, printJson, say, sayAside } from '../print.js';
import { startProgress } from '../progress.js';
import { directoryOf, directoryOption, type DirectoryFlags } from './options.js';

export function checkCommand(): Command {
  return new Command('check')
    .description('verify an index directory: every row, embedding and picture against its checksum; no service may use the directory')
    .addOption(directoryOption())
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nNothing is changed. Exit code: 0 all is as it was written, 1 something is not, and is named, 2 wrong usage, or a directory that cannot be read.')
    .action(async ({ json, ...flags }: DirectoryFlags & { json?: true }) => {
      // Other commands do without a database.
      const { checkDirectory } = await import('../../store/embedded/check.js');
      const progress = startProgress('items');
      const checked = await checkDirectory(directoryOf(flags), (done, total) => progress.at(done, total)).finally(() => progress.end());
      if (json) printJson(checked);
      else {
        for (const { name, items } of checked.collections) say(`${name}: ${plural(items, 'item')}`);
        for (const each of [...checked.notes, ...checked.problems]) sayAside(each);
        say(checked.problems.length === 0 ? `All is as it was written; ${plural(checked.originals, 'picture')} kept.` : `${plural(checked.problems.length, 'problem')}. Send the items again, or restore a backup.`);
      }
      if (checked.problems.length > 0) process.exitCode = 1;
    });
}

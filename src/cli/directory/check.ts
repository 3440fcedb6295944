import { Command, Option } from 'commander';
import { embedded, readSetting, readStoreAddress, settings } from '../../config.js';
import { plural, printJson, say, sayAside } from '../print.js';
import { startProgress } from '../progress.js';
import { directoryOf, directoryOption, type DirectoryFlags } from './options.js';

export function checkCommand(): Command {
  return new Command('check')
    .description('verify an index directory: every row, embedding and picture against its checksum; no service may use the directory. Or, with --store, a PostgreSQL database against itself, which services may go on using')
    .addOption(directoryOption())
    .addOption(new Option(settings.store.flag, 'the URL of a PostgreSQL database'))
    .addOption(new Option(settings.storeFile.flag, 'a file that holds it'))
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nNothing is changed. Exit code: 0 all is as it was written, 1 something is not, and is named, 2 wrong usage, or a directory that cannot be read.')
    .action(async ({ json, store, storeFile, ...flags }: DirectoryFlags & { json?: true; store?: string; storeFile?: string }) => {
      const address = addressOf({ store, storeFile, ...flags });
      if (address !== undefined) return checkStore(address, json === true);
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

/** The database's URL; undefined where it is an index directory that is meant. */
function addressOf({ store, storeFile, indexDir }: DirectoryFlags & { store?: string | undefined; storeFile?: string | undefined }): string | undefined {
  if (indexDir !== undefined) return undefined;
  const address = readStoreAddress({ store: readSetting('store', store), storeFile: readSetting('storeFile', storeFile) });
  return address === embedded ? undefined : address;
}

async function checkStore(url: string, json: boolean): Promise<void> {
  const { checkDatabase } = await import('../../store/postgres/check.js');
  const progress = startProgress('collections');
  const checked = await checkDatabase(url, (done, total) => progress.at(done, total)).finally(() => progress.end());
  if (json) printJson(checked);
  else {
    say(`PostgreSQL ${checked.server}, pgvector ${checked.vector ?? 'missing'}`);
    for (const { name, items } of checked.collections) say(`${name}: ${plural(items, 'item')}`);
    for (const each of [...checked.notes, ...checked.problems]) sayAside(each);
    say(checked.problems.length === 0 ? 'All that the database tells fits together.' : `${plural(checked.problems.length, 'problem')}.`);
  }
  if (checked.problems.length > 0) process.exitCode = 1;
}

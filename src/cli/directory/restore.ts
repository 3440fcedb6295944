import { open } from 'node:fs/promises';
import { Command } from 'commander';
import { settings } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { plural, say, sayAside } from '../print.js';
import { directoryOption, directoryOf, type DirectoryFlags } from './options.js';

/** @throws MixspaceError `invalid_request`: it cannot be read. */
async function archiveIn(file: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    const handle = await open(file);
    if ((await handle.stat()).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    return handle.createReadStream();
  } catch (error) {
    throw new MixspaceError('invalid_request', `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('make an index directory of a backup; no service may use the directory')
    .argument('<file>', 'the backup; - is standard input')
    .addOption(directoryOption())
    .addHelpText('after', '\nThe directory must hold no database. Nothing of a backup that is cut or damaged is restored.')
    .action(async (file: string, flags: DirectoryFlags) => {
      // Other commands do without a database.
      const { restoreDirectory } = await import('../../store/embedded/restore.js');
      const directory = directoryOf(flags);
      const { manifest, summary } = await restoreDirectory(file === '-' ? process.stdin : await archiveIn(file), directory);
      for (const { name, items, model } of manifest.collections) say(`${name}: ${plural(items, 'item')}, model ${model}`);
      for (const contentHash of summary.missing) sayAside(`The picture ${contentHash} was missing or damaged when the backup was taken.`);
      say(`Restored into ${directory}: the backup of ${manifest.created_at}, with ${plural(summary.originals, 'picture')} kept. Start the service with ${settings.indexDir.flag.split(' ')[0]!} ${directory}.`);
    });
}

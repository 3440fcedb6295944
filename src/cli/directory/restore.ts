import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Command, Option } from 'commander';
import { settings } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { plural, say, sayAside } from '../print.js';
import { directoryOption, directoryOf, type DirectoryFlags } from './options.js';

interface RestoreFlags extends DirectoryFlags {
  url?: string;
  collections?: string[];
}

/** @throws MixspaceError `invalid_request`: it cannot be read. */
async function archiveIn(file: string): Promise<Readable> {
  if (file === '-') return process.stdin;
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
    .description('make an index directory of a backup, which no service may use; or, with --url, take its collections into a running service')
    .argument('<file>', 'the backup; - is standard input')
    .addOption(directoryOption())
    .addOption(new Option('--url <url>', 'where a running service is').conflicts('indexDir'))
    .addOption(new Option('--collections <names>', 'with --url: only these, separated by commas').argParser((text) => text.split(',')))
    .addHelpText(
      'after',
      '\nThe directory must hold no database, and the service none of the collections, but for an empty "default". Nothing of a backup that is cut or damaged is restored.' +
        '\nA service works on when this command is stopped by Ctrl-C; `mixspace jobs cancel` ends it. Where it asks for a key, MIXSPACE_API_KEY holds it.' +
        '\n\nExit code: 0 restored, 1 the service refused it or it broke off, 2 wrong usage, no backup or no service, 130 stopped by Ctrl-C.',
    )
    .action(async (file: string, { url, collections, ...flags }: RestoreFlags) => {
      if (url !== undefined) return intoService(await archiveIn(file), url, collections);
      if (collections !== undefined) throw new MixspaceError('invalid_request', '--collections needs --url: an index directory takes all of a backup.');
      await intoDirectory(await archiveIn(file), directoryOf(flags));
    });
}

async function intoService(archive: Readable, url: string, collections: string[] | undefined): Promise<void> {
  // An index directory is restored without any of it.
  const [{ openClient }, { follow }] = await Promise.all([import('../open-client.js'), import('../jobs.js')]);
  const job = await openClient({ url }).restore(Readable.toWeb(archive) as ReadableStream<Uint8Array>, collections === undefined ? {} : { collections });
  sayAside(`The backup has been sent and is whole; job ${job.id} takes it in.`);
  await follow(job.id, { url });
}

async function intoDirectory(archive: Readable, directory: string): Promise<void> {
  // Other commands do without a database.
  const { restoreDirectory } = await import('../../store/embedded/restore.js');
  const { manifest, summary } = await restoreDirectory(archive, directory);
  for (const { name, items, model } of manifest.collections) say(`${name}: ${plural(items, 'item')}, model ${model}`);
  for (const contentHash of summary.missing) sayAside(`The picture ${contentHash} was missing or damaged when the backup was taken.`);
  say(`Restored into ${directory}: the backup of ${manifest.created_at}, with ${plural(summary.originals, 'picture')} kept. Start the service with ${settings.indexDir.flag.split(' ')[0]!} ${directory}.`);
}

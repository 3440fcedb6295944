import { Command } from 'commander';
import { readStoreAddress } from '../../config.js';
import { MixspaceError } from '../../errors.js';
import { plural, printJson, say, sayAside } from '../print.js';
import { startProgress, type Progress } from '../progress.js';

interface CopyFlags {
  from: string;
  to: string;
  files?: true;
  json?: true;
}

const embeddedPrefix = 'embedded:';
const filePrefix = 'file:';

export function copyCommand(): Command {
  return new Command('copy')
    .description('copy collections from one store into another: from an index directory into a PostgreSQL database, or back')
    .argument('[collections...]', 'only these; left out: all, and the classifiers')
    .requiredOption('--from <store>', `where they are: ${embeddedPrefix}FOLDER, an index directory that no service uses; postgres://...; or ${filePrefix}FILE, which holds such an address of a database`)
    .requiredOption('--to <store>', 'where they go, likewise')
    .option('--files', 'pictures that were taken in by path and are kept where they lie are copied, too')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nWhat is the same there already is passed over: a copy that was broken off goes on. Afterwards each item is compared, its embeddings, metadata and pictures included.' +
        '\nNot copied: jobs and what they found, and what sync remembers of folders, which it finds out again.' +
        '\n\nExit code: 0 both are alike, 1 something stayed behind or differs, and is named, 2 wrong usage, or a store that cannot be opened, 130 stopped by Ctrl-C.',
    )
    .action(async (collections: string[], { from, to, files, json }: CopyFlags) => {
      const addresses = { from: addressOf('--from', from), to: addressOf('--to', to) };
      // Other commands do without a database.
      const [{ openStore }, { copyAll }] = await Promise.all([import('../../store/open.js'), import('../../store/copying.js')]);
      const stopping = new AbortController();
      process.once('SIGINT', () => stopping.abort());
      const log = (level: string, message: string): void => (level === 'warn' || level === 'error' ? sayAside(message) : undefined);
      const source = await openStore({ address: addresses.from, log });
      try {
        const target = await openStore({ address: addresses.to, log });
        try {
          const progress = new ByCollection();
          const outcome = await copyAll({
            from: source.catalog,
            to: target.catalog,
            ...(collections.length > 0 && { collections }),
            files: files === true,
            signal: stopping.signal,
            onProgress: (name, done, total) => progress.at(name, done, total),
          }).finally(() => progress.end());
          if (json) printJson(outcome);
          else tell(outcome);
          if (outcome.collections.some(({ left, different }) => left.length + different.length > 0)) process.exitCode = 1;
        } finally {
          await target.close();
        }
      } catch (error) {
        if (!stopping.signal.aborted) throw error;
        sayAside('Stopped; the same command goes on.');
        process.exitCode = 130;
      } finally {
        await source.close();
      }
    });
}

type Outcome = Awaited<ReturnType<(typeof import('../../store/copying.js'))['copyAll']>>;

function tell({ collections, classifiers }: Outcome): void {
  for (const { name, copied, same, left, different } of collections) {
    say(`${name}: ${plural(copied, 'item')} copied, ${same} there already${different.length === 0 ? '; both are alike' : ''}.`);
    for (const { id, problem } of left) sayAside(`${name}: "${id}" stays behind. ${problem}`);
    for (const id of different) sayAside(`${name}: "${id}" is not in both alike.`);
  }
  const { copied, kept } = classifiers;
  if (copied.length > 0) say(`${plural(copied.length, 'classifier')} copied.`);
  for (const name of kept) sayAside(`There is a classifier "${name}" already; it stays as it is.`);
}

/** A bar for each collection. */
class ByCollection {
  #name: string | undefined;
  #progress: Progress | undefined;

  at(name: string, done: number, total: number): void {
    if (name !== this.#name) {
      this.end();
      this.#name = name;
      this.#progress = startProgress(`items of ${name}`);
    }
    this.#progress?.at(done, total);
  }

  end(): void {
    this.#progress?.end();
    this.#progress = undefined;
  }
}

/** @throws MixspaceError `invalid_request`, which does not show what was given. */
function addressOf(flag: string, given: string): { url: string } | { directory: string } {
  if (given.startsWith(embeddedPrefix) && given.length > embeddedPrefix.length) return { directory: given.slice(embeddedPrefix.length) };
  if (/^postgres(ql)?:\/\//.test(given)) return { url: given };
  if (given.startsWith(filePrefix)) return addressOf(flag, readStoreAddress({ store: '', storeFile: given.slice(filePrefix.length) }));
  throw new MixspaceError('invalid_request', `${flag} takes ${embeddedPrefix}FOLDER, postgres://user:password@host/database, or ${filePrefix}FILE.`, { param: flag });
}

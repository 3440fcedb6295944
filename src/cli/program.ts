import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { MixspaceApiError } from '../client/index.js';
import { MixspaceError } from '../errors.js';
import { printable } from '../printable.js';
import { addCommand } from './add.js';
import { backupCommand } from './backup.js';
import { classifiersCommand } from './classifiers.js';
import { classifyCommand } from './classify.js';
import { clustersCommand } from './clusters.js';
import { collectionsCommand } from './collections.js';
import { duplicatesCommand } from './duplicates.js';
import { embedCommand } from './embed.js';
import { checkCommand } from './directory/check.js';
import { restoreCommand } from './directory/restore.js';
import { exportCommand } from './export.js';
import { facetsCommand } from './facets.js';
import { jobsCommand } from './jobs.js';
import { mapCommand } from './map.js';
import { modelsCommand } from './models/command.js';
import { sayAside } from './print.js';
import { reembedCommand } from './reembed.js';
import { searchCommand } from './search.js';

const failed = 1;
const wrongUsageOrNoService = 2;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

/** Runs one command line; what goes wrong is one sentence on stderr and the exit code. */
export async function run(args: string[]): Promise<void> {
  // `| head` closes the pipe when it has enough. A service goes on without whoever read its log.
  const isService = nameOf(args) === 'serve';
  process.stdout.on('error', (error: NodeJS.ErrnoException) => isService || process.exit(error.code === 'EPIPE' ? 0 : failed));
  process.stderr.on('error', () => undefined);
  try {
    await (await program(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    // Commander has told its own.
    if (!(error instanceof CommanderError)) sayAside(`mixspace: ${(error as Error).message}`);
  }
}

async function program(args: string[]): Promise<Command> {
  const root = new Command('mixspace')
    .description('Texts and pictures in one vector space: embed, search, classify.')
    .version(version, '--version', 'the version of this program')
    .enablePositionalOptions()
    .addCommand(await serve(args))
    .addCommand(addCommand())
    .addCommand(searchCommand())
    .addCommand(classifyCommand())
    .addCommand(classifiersCommand())
    .addCommand(embedCommand())
    .addCommand(collectionsCommand())
    .addCommand(facetsCommand())
    .addCommand(duplicatesCommand())
    .addCommand(clustersCommand())
    .addCommand(mapCommand())
    .addCommand(exportCommand())
    .addCommand(backupCommand())
    .addCommand(restoreCommand())
    .addCommand(checkCommand())
    .addCommand(reembedCommand())
    .addCommand(jobsCommand())
    .addCommand(modelsCommand());
  for (const command of [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().showHelpAfterError('(--help says more)').configureOutput({ outputError });
  }
  return root;
}

/** What a wrong argument holds is shown; the one line end that commander itself means stays. */
function outputError(text: string, write: (text: string) => void): void {
  write(`${text.replace(/\n$/, '').split(/\n(?=\(Did you mean )/).map(printable).join('\n')}\n`);
}

/** The service with its native modules is loaded only by who asks for it. */
async function serve(args: string[]): Promise<Command> {
  if (nameOf(args) === 'serve') return (await import('./serve.js')).serveCommand();
  return new Command('serve').description('start the service; the pictures under each PATH are taken in').argument('[paths...]');
}

const nameOf = (args: string[]): string | undefined => args.find((arg) => !arg.startsWith('-') && arg !== 'help');

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsageOrNoService;
  const isRefusal = error instanceof MixspaceApiError && error.status < 500 && error.status !== 401;
  const isFailure = error instanceof MixspaceError && ['internal', 'unprocessable', 'disk_full'].includes(error.code);
  return isRefusal || isFailure ? failed : wrongUsageOrNoService;
}

import { Command, CommanderError } from 'commander';
import { MixspaceApiError } from '../client/errors.js';
import { MixspaceError } from '../errors.js';
import { printable } from '../printable.js';
import { version } from '../program-facts.js';
import { sayAside } from './print.js';

/** In the order of the help. */
const commands: Record<string, () => Promise<Command>> = {
  serve: async () => (await import('./serve.js')).serveCommand(),
  add: async () => (await import('./add.js')).addCommand(),
  sync: async () => (await import('./sync.js')).syncCommand(),
  import: async () => (await import('./import.js')).importCommand(),
  search: async () => (await import('./search.js')).searchCommand(),
  classify: async () => (await import('./classify.js')).classifyCommand(),
  classifiers: async () => (await import('./classifiers.js')).classifiersCommand(),
  embed: async () => (await import('./embed.js')).embedCommand(),
  collections: async () => (await import('./collections.js')).collectionsCommand(),
  facets: async () => (await import('./facets.js')).facetsCommand(),
  label: async () => (await import('./label.js')).labelCommand(),
  duplicates: async () => (await import('./duplicates.js')).duplicatesCommand(),
  clusters: async () => (await import('./clusters.js')).clustersCommand(),
  map: async () => (await import('./map.js')).mapCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  backup: async () => (await import('./backup.js')).backupCommand(),
  restore: async () => (await import('./directory/restore.js')).restoreCommand(),
  copy: async () => (await import('./directory/copy.js')).copyCommand(),
  check: async () => (await import('./directory/check.js')).checkCommand(),
  reembed: async () => (await import('./reembed.js')).reembedCommand(),
  jobs: async () => (await import('./jobs.js')).jobsCommand(),
  keys: async () => (await import('./keys.js')).keysCommand(),
  mcp: async () => (await import('./mcp.js')).mcpCommand(),
  models: async () => (await import('./models/command.js')).modelsCommand(),
  doctor: async () => (await import('./doctor/command.js')).doctorCommand(),
  completion: async () => (await import('./completion/command.js')).completionCommand(wholeProgram),
};

const failed = 1;
const wrongUsageOrNoService = 2;

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

/** With all of its commands. */
export const wholeProgram = (): Promise<Command> => program([]);

/** Knows the command that is asked for, which alone is loaded; where none is, all of them. */
async function program(args: string[]): Promise<Command> {
  const asked = nameOf(args);
  const root = new Command('mixspace')
    .description('Texts and pictures in one vector space: embed, search, classify.')
    .version(version, '--version', 'the version of this program')
    .enablePositionalOptions();
  const loading = Object.hasOwn(commands, asked) ? [commands[asked]!()] : Object.values(commands).map((load) => load());
  for (const command of await Promise.all(loading)) root.addCommand(command);
  for (const command of [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().showHelpAfterError('(--help says more)').configureOutput({ outputError });
  }
  return root;
}

/** What a wrong argument holds is shown; the one line end that commander itself means stays. */
function outputError(text: string, write: (text: string) => void): void {
  write(`${text.replace(/\n$/, '').split(/\n(?=\(Did you mean )/).map(printable).join('\n')}\n`);
}

/** Of the command; `help` asks for the one behind it. */
const nameOf = ([first, second]: string[]): string => (first === 'help' ? second : first) ?? '';

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsageOrNoService;
  const isRefusal = error instanceof MixspaceApiError && error.status < 500 && error.status !== 401;
  const isFailure = error instanceof MixspaceError && ['internal', 'unprocessable', 'disk_full'].includes(error.code);
  return isRefusal || isFailure ? failed : wrongUsageOrNoService;
}

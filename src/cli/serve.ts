import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { readConfig, type Config } from '../config.js';
import { MixspaceError, traceOf } from '../errors.js';
import type { Log } from '../telemetry.js';
import { requireRules, type WalkRules } from '../picture-files.js';
import { giveHeapPagesBack } from './heap-pages.js';
import { settingsOf, withSettings } from './setting-flags.js';
import { rulesOf, walkHelp, withWalkOptions, type WalkFlags } from './walk-options.js';

/** The contract's 10 s until the process is gone: requests get most of it, saving the rest. */
const requestGraceMs = 4_000;
const exitWithinMs = 9_500;

export function serveCommand(): Command {
  const command = withWalkOptions(new Command('serve'))
    .description('start the service; the pictures under each PATH come into the collection default, and go from it with their files; they may be named by path')
    .argument('[paths...]', 'folders of pictures')
    .addHelpText('after', walkHelp);
  return withSettings(command).action(async (paths: string[], { exclude, include, ...options }: Record<string, string | true> & WalkFlags) => {
    const rules = rulesOf({ ...(exclude && { exclude }), ...(include && { include }) });
    requireRules(rules);
    await serve(await configFrom(paths, options), paths, rules);
  });
}

async function configFrom(paths: string[], options: Record<string, string | true>): Promise<Config> {
  const flags = settingsOf(options);
  const config = readConfig(flags);
  await requireFolder(config.modelsDir, 'The models directory', 'MIXSPACE_MODELS_DIR');
  for (const root of config.roots) await requireFolder(root, 'The folder', 'MIXSPACE_ROOTS');
  for (const each of paths) await requirePath(each);
  return { ...config, roots: [...config.roots, ...paths.map((each) => path.resolve(each))] };
}

async function requireFolder(folder: string, what: string, param: string): Promise<void> {
  const refuse = (problem: string): MixspaceError => new MixspaceError('invalid_request', `${what} ${folder} ${problem}.`, { param });
  await readdir(folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR' && (await lstat(folder).then(() => true, () => false))) throw refuse('is no folder');
    if (error.code !== 'ENOENT') throw refuse(`cannot be read (${error.code})`);
    throw refuse((await lstat(folder).then((found) => found.isSymbolicLink(), () => false)) ? 'is a link that leads nowhere' : 'is not there');
  });
}

/** A folder, or one picture. */
async function requirePath(file: string): Promise<void> {
  const found = file === '' ? undefined : await stat(file).catch(() => undefined);
  if (found?.isFile()) return;
  if (found && !found.isDirectory()) throw new MixspaceError('invalid_request', `${file} is neither a folder nor a file.`, { param: 'PATH' });
  await requireFolder(file, 'The folder', 'PATH');
}

async function serve(config: Config, paths: string[], rules: WalkRules): Promise<void> {
  const { KeyRing } = await import('../http/access/key-ring.js');
  const keys = await KeyRing.open(config);
  // Only now: settings that are refused need none of it.
  const [{ openService }, { listen }] = await Promise.all([import('../service.js'), import('../http/server.js')]);
  const service = await openService(config).catch(startFailed);
  const { log } = service.telemetry;
  const server = await listen({ config, keys, ...service }).catch(async (error: unknown) => {
    await service.close();
    return startFailed(error);
  });
  log('info', `Listening on ${server.url}`, { url: server.url, index: config.indexDir, model: service.context.models.defaultModel.id });

  giveHeapPagesBack();

  const takingIn = new AbortController();
  let taken: Promise<void> = Promise.resolve();
  let stopping = false;
  const stop = async (reason: string, exitCode: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log('info', `Stopping on ${reason}.`);
    setTimeout(() => {
      log('error', 'Stopping took too long; what was answered is on disk all the same.');
      process.exit(1);
    }, exitWithinMs).unref();
    takingIn.abort();
    try {
      await server.close(requestGraceMs);
      await taken;
      await service.close();
      log('info', 'Stopped.');
    } catch (error) {
      log('error', 'Stopping failed; what was answered is on disk all the same.', { error: traceOf(error) });
      exitCode = 1;
    }
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  onDefects(log, () => void stop('an error that nobody caught', 1));

  if (paths.length > 0) taken = service.followFolders(paths.map((each) => path.resolve(each)), takingIn.signal, rules);
  await taken;
}

/** However it fails, a service that has not started is a service that is not there. */
function startFailed(error: unknown): never {
  if (!(error instanceof MixspaceError)) throw error;
  throw new MixspaceError('not_ready', error.message, { cause: error });
}

/**
 * What nobody caught. An exception came out of a callback and may have left its work half done: the service ends, as it
 * ends on SIGTERM, for whoever watches over it to start it anew. A rejection is a background task's own end, which
 * others do not lean on: it is told, and the service goes on.
 */
function onDefects(log: Log, end: () => void): void {
  process.on('uncaughtException', (error) => {
    log('error', 'An error that nobody caught; the service ends.', { error: traceOf(error) });
    end();
  });
  process.on('unhandledRejection', (reason) => log('error', 'A background task failed.', { error: traceOf(reason) }));
  // In the log with all else, once a kind, instead of as plain lines.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log('warn', `Node warns: ${message}`, { warning: name }));
}

import type { Command } from 'commander';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import type { LeftOut, LeftOutKind } from '../picture-files.js';
import { addPaths, type AddOptions, type AddSummary } from './add-paths.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, type ClientFlags } from './options.js';
import { plural, printJson, say, sayAside } from './print.js';
import { startProgress } from './progress.js';
import { rulesOf, walkHelp, withWalkOptions, type WalkFlags } from './walk-options.js';

/** A service that is busy with others is waited for, for minutes. */
const retries = 20;
const stoppedByUser = 130;

export function addCommand(): Command {
  return withWalkOptions(clientCommand('add', 'add the pictures of files and folders; run again, it sends only what is not there yet'))
    .argument('<paths...>', 'pictures, or folders of them')
    .addOption(collectionOption().default('default', 'default; another one is created if need be'))
    .option('--verbose', 'name everything that is left out, and why; with --json, as `left_out`')
    .addHelpText('after', `${walkHelp}\n\nExit code: 0 all is there, 1 some pictures failed or something could not be read, 2 wrong usage or no service, 130 stopped by Ctrl-C.`)
    .action(async (paths: string[], flags: ClientFlags & WalkFlags & { collection: string; verbose?: true }) => {
      const client = openClient(flags, { retries });
      await ensureCollection(client, flags.collection);
      const began = performance.now();
      const all: { file: string; why: string; reason?: string }[] = [];
      const onLeftOut = (file: string, kind: LeftOutKind, reason?: string): number => all.push({ file, why: whys[kind], ...(reason === undefined ? {} : { reason }) });
      const summary = await addWithProgress(client, paths, { collection: flags.collection, rules: rulesOf(flags), ...(flags.verbose && { onLeftOut }) });
      const seconds = (performance.now() - began) / 1000;
      if (flags.json) printJson({ ...summary, ...(flags.verbose && { left_out: all }), seconds });
      else {
        tell(summary, seconds);
        for (const { file, why, reason } of all) say(`Left out: ${file} (${reason ?? why})`);
      }
      process.exitCode = summary.stopped ? stoppedByUser : summary.failures.length + summary.leftOut.unreadable.length > 0 ? 1 : 0;
    });
}

export async function ensureCollection(client: MixspaceClient, name: string): Promise<void> {
  try {
    await client.collection(name);
  } catch (error) {
    if (!(error instanceof MixspaceApiError) || error.status !== 404) throw error;
    await client.createCollection({ name });
    sayAside(`Created the collection ${name}.`);
  }
}

async function addWithProgress(client: MixspaceClient, paths: string[], options: AddOptions): Promise<AddSummary> {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(stoppedByUser);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  const progress = startProgress('pictures');
  try {
    return await addPaths(client, paths, { ...options, signal: stopping.signal, onProgress: (done, total) => progress.at(done, total) });
  } finally {
    progress.end();
    process.off('SIGINT', stop);
  }
}

function tell({ found, created, updated, known, failures, leftOut, gone, stopped }: AddSummary, seconds: number): void {
  const settled = created + updated + known + failures.length;
  const rate = created > 0 && seconds > 0 ? ` (${(created / seconds).toFixed(1)} a second)` : '';
  if (stopped) say(`Stopped after ${settled} of ${plural(found, 'picture')}; run it again to go on.`);
  say(
    `${plural(created, 'picture')} added in ${seconds.toFixed(1)} s${rate}, ${known} already there` +
      `${updated > 0 ? `, ${updated} found in one more place` : ''}${failures.length > 0 ? `, ${failures.length} failed` : ''}.`,
  );
  tellLeftOut(leftOut);
  if (gone > 0) say(`${plural(gone, 'item')} of ${gone === 1 ? 'a file that is' : 'files that are'} no longer there ${gone === 1 ? 'stays' : 'stay'}: mixspace sync removes what has gone.`);
  if (failures.length === 0) return;
  say('');
  say('Not added:');
  for (const { file, reason } of failures) say(`  ${file}: ${reason}`);
}

const whys: Record<LeftOutKind, string> = {
  other: 'no picture',
  links: 'a link',
  hidden: 'hidden',
  sideFolders: "another program's folder",
  excluded: 'excluded',
  unreadable: 'it cannot be read',
};

function tellLeftOut({ unreadable, reasons, some, ...counts }: LeftOut): void {
  const sentences = {
    other: plural(counts.other, 'other file left out', 'other files left out'),
    links: plural(counts.links, 'link not followed', 'links not followed'),
    hidden: plural(counts.hidden, 'hidden file or folder left out', 'hidden files and folders left out'),
    sideFolders: plural(counts.sideFolders, "other program's folder left out", "other programs' folders left out"),
    excluded: plural(counts.excluded, 'file or folder excluded', 'files and folders excluded'),
  };
  for (const kind of Object.keys(sentences) as (keyof typeof sentences)[]) {
    if (counts[kind] === 0) continue;
    say(`${sentences[kind]}.`);
    for (const name of some[kind].slice(0, namesTold)) say(`  ${name}`);
    if (counts[kind] > namesTold) say('  ...');
  }
  if (unreadable.length === 0) return;
  say('');
  say('Cannot be read, and so not looked into:');
  unreadable.forEach((file, index) => say(`  ${file}: ${reasons[index]!}`));
}

/** Of each kind, unless all are asked for. */
const namesTold = 3;

import type { Command } from 'commander';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import { addPaths, type AddSummary } from './add-paths.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, type ClientFlags } from './options.js';
import { plural, printJson, say, sayAside } from './print.js';
import { startProgress } from './progress.js';

/** A service that is busy with others is waited for, for minutes. */
const retries = 20;
const stoppedByUser = 130;

export function addCommand(): Command {
  return clientCommand('add', 'add the pictures of files and folders; run again, it sends only what is not there yet')
    .argument('<paths...>', 'pictures, or folders of them')
    .addOption(collectionOption().default('default', 'default; another one is created if need be'))
    .addHelpText('after', '\nExit code: 0 all is there, 1 some pictures failed, 2 wrong usage or no service, 130 stopped by Ctrl-C.')
    .action(async (paths: string[], flags: ClientFlags & { collection: string }) => {
      const client = openClient(flags, { retries });
      await ensureCollection(client, flags.collection);
      const began = performance.now();
      const summary = await addWithProgress(client, paths, flags.collection);
      const seconds = (performance.now() - began) / 1000;
      if (flags.json) printJson({ ...summary, seconds });
      else tell(summary, seconds);
      process.exitCode = summary.stopped ? stoppedByUser : summary.failures.length > 0 ? 1 : 0;
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

async function addWithProgress(client: MixspaceClient, paths: string[], collection: string): Promise<AddSummary> {
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(stoppedByUser);
    stopping.abort();
  };
  process.on('SIGINT', stop);
  const progress = startProgress('pictures');
  try {
    return await addPaths(client, paths, { collection, signal: stopping.signal, onProgress: (done, total) => progress.at(done, total) });
  } finally {
    progress.end();
    process.off('SIGINT', stop);
  }
}

function tell({ found, created, updated, known, failures, leftOut, stopped }: AddSummary, seconds: number): void {
  const settled = created + updated + known + failures.length;
  const rate = created > 0 && seconds > 0 ? ` (${(created / seconds).toFixed(1)} a second)` : '';
  if (stopped) say(`Stopped after ${settled} of ${plural(found, 'picture')}; run it again to go on.`);
  say(
    `${plural(created, 'picture')} added in ${seconds.toFixed(1)} s${rate}, ${known} already there` +
      `${updated > 0 ? `, ${updated} found in one more place` : ''}${failures.length > 0 ? `, ${failures.length} failed` : ''}.`,
  );
  if (leftOut.other > 0) say(`${plural(leftOut.other, 'other file')} left out.`);
  if (leftOut.links > 0) say(`${plural(leftOut.links, 'link')} not followed.`);
  for (const folder of leftOut.unreadable) say(`The folder ${folder} cannot be read.`);
  if (failures.length === 0) return;
  say('');
  say('Not added:');
  for (const { file, reason } of failures) say(`  ${file}: ${reason}`);
}

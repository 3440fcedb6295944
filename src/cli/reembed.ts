import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import type { Collection } from '../contract/collections.js';
import type { ImpossibleItem, ReembedPlan, Reembedding } from '../contract/reembed.js';
import { MixspaceError } from '../errors.js';
import { openClient } from './open-client.js';
import { clientCommand, type ClientFlags } from './options.js';
import { plural, printJson, say } from './print.js';
import { startProgress } from './progress.js';

interface ReembedFlags extends ClientFlags {
  model?: string;
  fromThumbnails?: true;
  skip?: true;
  dryRun?: true;
  detach?: true;
  stop?: true;
  discard?: true;
}

const lookEveryMs = 500;
const stoppedByUser = 130;

export function reembedCommand(): Command {
  return clientCommand('reembed', "embed a collection again with another model; until it is done, it searches as before")
    .argument('[collection]', 'the collection', 'default')
    .option('--model <id>', "the model (default: what was begun goes on; else the collection's own if it has changed, else the default one)")
    .option('--from-thumbnails', 'embed the thumbnail where there is no original')
    .option('--skip', 'go over although some items cannot be embedded: they stay, and searches do not find them')
    .option('--dry-run', 'tell what would be done, and begin nothing')
    .option('--detach', 'begin, and do not wait for the end')
    .option('--stop', 'stop what is under way; run it again to go on')
    .option('--discard', 'stop what is under way, and throw away what was done')
    .addHelpText(
      'after',
      '\nThe service does the work. Ctrl-C stops it and keeps what was done; pressed twice, or when this command is killed, the service works on.' +
        '\nWhat the end of the service interrupts goes on by itself when it is started again.' +
        '\n\nExit code: 0 done, 1 refused or stopped with a problem, 2 wrong usage or no service, 130 stopped by Ctrl-C.',
    )
    .action(async (name: string, flags: ReembedFlags) => {
      const client = openClient(flags);
      if (flags.stop || flags.discard) return stop(client, name, flags);
      if (flags.dryRun) return tellPlan(client, name, flags);
      await begin(client, name, flags);
    });
}

function request({ model, fromThumbnails, skip }: ReembedFlags): { model?: string; from_thumbnails?: true; skip_impossible?: true } {
  return { ...(model === undefined ? {} : { model }), ...(fromThumbnails ? { from_thumbnails: true } : {}), ...(skip ? { skip_impossible: true } : {}) };
}

async function stop(client: MixspaceClient, name: string, { discard, json }: ReembedFlags): Promise<void> {
  const { reembedding } = await client.stopReembedding(name, { discard: discard === true });
  if (json) return printJson({ reembedding: reembedding ?? null });
  say(reembedding ? stoppedSentence(name, reembedding) : discard ? `What was done for ${name} is thrown away; it searches as before.` : `${name} was done before it could be stopped.`);
}

async function tellPlan(client: MixspaceClient, name: string, flags: ReembedFlags): Promise<void> {
  const answer = await client.reembed(name, { ...request(flags), dry_run: true });
  if (flags.json) return printJson(answer);
  if (answer.plan) tell(answer.plan);
  else say(`${name} is being embedded again: ${answer.reembedding!.done} of ${plural(answer.reembedding!.total, 'item')} are done.`);
}

async function begin(client: MixspaceClient, name: string, flags: ReembedFlags): Promise<void> {
  const { plan, reembedding } = await client.reembed(name, request(flags));
  if (!flags.json && plan) tell(plan);
  if (flags.detach) return flags.json ? printJson({ plan, reembedding }) : say(`The service works on it; mixspace reembed ${name} shows how far it is.`);
  const outcome = await watch(client, name, reembedding);
  if (flags.json) printJson(outcome);
  const { collection, wasStopped } = outcome;
  const left = collection.reembedding;
  if (!left) {
    if (!flags.json) say(`${name} has gone over to ${collection.model}: ${plural(collection.counts.total - collection.not_embedded, 'item')} embedded${keptSentence(collection)}.`);
    return;
  }
  if (wasStopped) process.exitCode = stoppedByUser;
  if (left.problem === null) {
    if (!flags.json) say(stoppedSentence(name, left));
    return;
  }
  if (!flags.json) await tellProblem(client, name, left);
  throw new MixspaceError('internal', left.problem);
}

/** Until it is done or has stopped; Ctrl-C stops it. */
async function watch(client: MixspaceClient, name: string, begun: Reembedding | undefined): Promise<{ collection: Collection; wasStopped: boolean }> {
  const waiting = new AbortController();
  let wasStopped = false;
  const onInterrupt = (): void => {
    if (wasStopped) process.exit(stoppedByUser);
    wasStopped = true;
    waiting.abort();
  };
  process.on('SIGINT', onInterrupt);
  const settled = ({ done, impossible }: Reembedding): number => done + impossible;
  const progress = startProgress('items', begun ? settled(begun) : 0);
  try {
    for (;;) {
      if (wasStopped) await client.stopReembedding(name).catch(unlessDone);
      const collection = await client.collection(name);
      const { reembedding } = collection;
      if (reembedding) progress.at(settled(reembedding), reembedding.total);
      if (reembedding?.state !== 'running') return { collection, wasStopped };
      await sleep(lookEveryMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    }
  } finally {
    progress.end();
    process.off('SIGINT', onInterrupt);
  }
}

/** Nothing is left to be stopped when it is done. */
function unlessDone(error: unknown): void {
  if (!(error instanceof MixspaceApiError && error.status === 404)) throw error;
}

function tell({ model, items, kept, from_thumbnails: fromThumbnails, impossible, first_impossible: first }: ReembedPlan): void {
  const notes = [
    ...(kept > 0 ? [`${kept} have their embedding from an earlier time`] : []),
    ...(fromThumbnails > 0 ? [`${fromThumbnails} from their thumbnail`] : []),
    ...(impossible > 0 ? [`${impossible} cannot be embedded again`] : []),
  ];
  say(`${plural(items, 'item')} to embed with ${model}${notes.length > 0 ? `: ${notes.join(', ')}` : ''}.`);
  tellImpossible(first, impossible);
}

async function tellProblem(client: MixspaceClient, name: string, { impossible }: Reembedding): Promise<void> {
  if (impossible === 0) return;
  const { reembedding } = await client.reembedding(name);
  tellImpossible(reembedding?.first_impossible ?? [], impossible);
}

function tellImpossible(first: ImpossibleItem[], count: number): void {
  for (const { id, reason } of first) say(`  ${id}: ${reason}`);
  if (count > first.length) say(`  and ${count - first.length} more`);
}

function stoppedSentence(name: string, { done, total }: Reembedding): string {
  return `Stopped after ${done} of ${plural(total, 'item')}; ${name} searches as before. Run mixspace reembed ${name} again to go on.`;
}

function keptSentence({ not_embedded: count }: Collection): string {
  return count > 0 ? `, ${count} kept without an embedding` : '';
}

import path from 'node:path';
import type { Command } from 'commander';
import type { MixspaceClient } from '../client/index.js';
import type { Job } from '../contract/jobs.js';
import { ensureCollection } from './add.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, type ClientFlags } from './options.js';
import { plural, printJson, say } from './print.js';
import { walkHelp, withWalkOptions, type WalkFlags } from './walk-options.js';

interface SyncFlags extends ClientFlags, WalkFlags {
  collection: string;
  prune?: true;
  dryRun?: true;
}

/** As the service tells it of a job of this kind. */
interface Result {
  root: string;
  dry_run: boolean;
  found: number;
  unchanged: number;
  added: number;
  found_again: number;
  changed: number;
  moved: number;
  removed: number;
  items_removed: number;
  deleted_items: number;
  failed: number;
  unreachable: { count: number; first: { file: string; reason: string }[] };
  withheld: { count: number; of: number; first: string[] };
  gone: string[];
}

export function syncCommand(): Command {
  return withWalkOptions(clientCommand('sync', 'make a collection equal to folders of the machine that the service runs on: what is new comes, what was deleted goes'))
    .argument('<paths...>', 'folders, or pictures')
    .addOption(collectionOption().default('default', 'default; another one is created if need be'))
    .option('--prune', 'remove what is no longer there however much it is')
    .option('--dry-run', 'tell what would be done, and change nothing')
    .addHelpText(
      'after',
      walkHelp + '\n\nThe service does the work: the folders must be its own (`mixspace serve PATH`, MIXSPACE_ROOTS). Ctrl-C leaves it to go on; `mixspace jobs` pauses or cancels it.' +
        '\n\nExit code: 0 they are equal, 1 something failed, was out of reach, or was not removed for want of --prune, 2 wrong usage or no service, 130 stopped by Ctrl-C.',
    )
    .action(async (paths: string[], flags: SyncFlags) => {
      const client = openClient(flags);
      if (!flags.dryRun) await ensureCollection(client, flags.collection);
      const results: Result[] = [];
      for (const each of paths) {
        const result = await synced(client, path.resolve(each), flags);
        if (!result) return;
        results.push(result);
        if (!flags.json) tell(result);
      }
      if (flags.json) printJson({ results });
      if (results.some(({ failed, unreachable, withheld }) => failed + unreachable.count + withheld.count > 0)) process.exitCode = 1;
    });
}

/** Undefined where nobody waits for it any more. */
async function synced(client: MixspaceClient, root: string, { collection, prune, dryRun, exclude, include, ...flags }: SyncFlags): Promise<Result | undefined> {
  const job = await client.sync(collection, { root, ...(prune && { prune }), ...(dryRun && { dry_run: true }), ...(exclude && { exclude }), ...(include && { include }) });
  await follow(job.id, flags, { isSilent: true });
  if (process.exitCode !== undefined) return undefined;
  return (await client.job(job.id)).result as Job['result'] & Result;
}

function tell({ root, dry_run, found, unchanged, added, found_again, changed, moved, removed, deleted_items, failed, unreachable, withheld, gone }: Result): void {
  const parts = [`${added} added`, ...(found_again > 0 ? [`${found_again} found in one more place`] : []), `${changed} changed`, `${moved} moved`, `${removed} removed`, `${unchanged} as before`];
  say(`${root}: ${dry_run ? 'would be ' : ''}${parts.join(', ')}; ${plural(found, 'picture')}.`);
  if (dry_run) for (const file of gone) say(`  would be removed: ${file}`);
  if (deleted_items > 0) say(`  ${plural(deleted_items, 'picture')} whose item was deleted ${deleted_items === 1 ? 'stays' : 'stay'} out; mixspace add brings ${deleted_items === 1 ? 'it' : 'them'} back.`);
  if (failed > 0) say(`  ${failed} failed.`);
  if (unreachable.count > 0) {
    say(`  ${plural(unreachable.count, 'file')} cannot be reached, and ${unreachable.count === 1 ? 'stays' : 'stay'}:`);
    for (const { file, reason } of unreachable.first) say(`    ${file}: ${reason}`);
    if (unreachable.count > unreachable.first.length) say(`    and ${unreachable.count - unreachable.first.length} more`);
  }
  if (withheld.count === 0) return;
  say(`  ${withheld.count} of ${plural(withheld.of, 'file')} are no longer there: nothing was removed, as the disk may only be out of reach. If they were deleted, --prune removes them:`);
  for (const file of withheld.first) say(`    ${file}`);
  if (withheld.count > withheld.first.length) say(`    and ${withheld.count - withheld.first.length} more`);
}

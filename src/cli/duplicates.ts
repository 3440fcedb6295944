import { Option, type Command } from 'commander';
import { modalities, type Modality } from '../domain/modality.js';
import { keepRules, type DuplicateGroup, type DuplicateItem, type KeepRule } from '../contract/duplicates.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, decimal, jsonObject, type ClientFlags } from './options.js';
import { plural, printJson, say } from './print.js';

interface DuplicatesFlags extends ClientFlags {
  threshold?: number;
  filter?: Record<string, unknown>;
  modality?: Modality;
  keep?: KeepRule;
  last?: true;
  detach?: true;
}

export function duplicatesCommand(): Command {
  return clientCommand('duplicates', 'look for items that are nearly the same: encoded again, resized, cut a little')
    .argument('[collection]', 'the collection', 'default')
    .option('--threshold <number>', 'how alike two must be, 0.5 to 1 (default: 0.9 for pictures, 0.98 for texts)', decimal)
    .addOption(new Option('--keep <rule>', 'which of a group to keep (default: largest)').choices(keepRules))
    .addOption(new Option('--modality <name>', 'only these').choices(modalities))
    .option('--filter <json>', 'only among items that match', jsonObject)
    .option('--last', 'tell what was found last, and look for nothing')
    .option('--detach', 'begin, and do not wait for the end')
    .addHelpText('after', '\nThe service does the work, and works on when this command is stopped. Nothing is deleted.')
    .action(async (collection: string, { last, detach, ...flags }: DuplicatesFlags) => {
      const { threshold, filter, modality, keep } = flags;
      const client = openClient(flags);
      if (!last) {
        const job = await client.findDuplicates(collection, { ...(threshold === undefined ? {} : { threshold }), ...(filter && { filter }), ...(modality && { modality }), ...(keep && { keep }) });
        if (detach) return flags.json ? printJson({ job }) : say(`The service works on it; mixspace jobs follow ${job.id} shows how far it is, mixspace duplicates ${collection} --last what it found.`);
        await follow(job.id, flags, { isSilent: true });
        if (process.exitCode !== undefined) return;
      }
      const { groups: _, next_cursor: __, ...found } = await client.duplicates(collection, { limit: 1 });
      const groups: DuplicateGroup[] = [];
      for await (const group of client.duplicateGroups(collection)) {
        if (flags.json) groups.push(group);
        else tell(group);
      }
      if (flags.json) return printJson({ ...found, groups });
      const mirrored = found.mirrored > 0 ? `, ${plural(found.mirrored, 'pair')} of mirror images` : '';
      say(`${plural(found.total, 'group')} among ${plural(found.items, 'item')}: ${found.superfluous} could go${mirrored}.`);
    });
}

const why = { size: 'it is larger', sharpness: 'it is sharper', age: 'all else is equal', mirrored: '' };

function tell({ id, size, mirrored, reason, items }: DuplicateGroup): void {
  say(mirrored ? `${id}: mirror images of each other` : `${id}: ${size} nearly the same; the first is to keep: ${why[reason]}`);
  for (const item of items) say(`  ${item.keep ? 'keep' : '    '}  ${sizeOf(item)}${item.similarity.toFixed(3)} by ${item.evidence}  ${item.id}`);
  if (size > items.length) say(`        and ${size - items.length} more`);
}

const sizeOf = ({ width, height }: DuplicateItem): string => (width === undefined || height === undefined ? '' : `${width} x ${height}  `);

import { Option, type Command } from 'commander';
import { modalities, type Modality } from '../domain/modality.js';
import { keepRules, type DuplicateGroup, type DuplicateItem, type KeepRule } from '../contract/duplicates.js';
import { find, findingCommand, given, type FindingFlags } from './finding.js';
import { decimal, jsonObject } from './options.js';
import { plural, printJson, say } from './print.js';

interface DuplicatesFlags extends FindingFlags {
  threshold?: number;
  filter?: Record<string, unknown>;
  modality?: Modality;
  keep?: KeepRule;
}

export function duplicatesCommand(): Command {
  return findingCommand({
    kind: 'duplicates',
    description: 'look for items that are nearly the same: encoded again, resized, cut a little',
    last: 'tell what was found last, and look for nothing',
    options: (command) =>
      command
        .option('--threshold <number>', 'how alike two must be, 0.5 to 1 (default: 0.9 for pictures, 0.98 for texts)', decimal)
        .addOption(new Option('--keep <rule>', 'which of a group to keep (default: largest)').choices(keepRules))
        .addOption(new Option('--modality <name>', 'only these').choices(modalities))
        .option('--filter <json>', 'only among items that match', jsonObject)
        .addHelpText('after', '\nThe service does the work, and works on when this command is stopped. Nothing is deleted.'),
  }).action((collection: string, { threshold, filter, modality, keep, ...flags }: DuplicatesFlags) =>
    find(
      {
        kind: 'duplicates',
        collection,
        start: (client) => client.findDuplicates(collection, given({ threshold, filter, modality, keep })),
        tell: async (client) => {
          const { groups: _, next_cursor: __, ...found } = await client.duplicates(collection, { limit: 1 });
          const groups: DuplicateGroup[] = [];
          for await (const group of client.duplicateGroups(collection)) {
            if (flags.json) groups.push(group);
            else tell(group);
          }
          if (flags.json) return printJson({ ...found, groups });
          const mirrored = found.mirrored > 0 ? `, ${plural(found.mirrored, 'pair')} of mirror images` : '';
          say(`${plural(found.total, 'group')} among ${plural(found.items, 'item')}: ${found.superfluous} could go${mirrored}.`);
        },
      },
      flags,
    ),
  );
}

const why = { size: 'it is larger', sharpness: 'it is sharper', age: 'all else is equal', mirrored: '' };

function tell({ id, size, mirrored, reason, items }: DuplicateGroup): void {
  say(mirrored ? `${id}: mirror images of each other` : `${id}: ${size} nearly the same; the first is to keep: ${why[reason]}`);
  for (const item of items) say(`  ${item.keep ? 'keep' : '    '}  ${sizeOf(item)}${item.similarity.toFixed(3)} by ${item.evidence}  ${item.id}`);
  if (size > items.length) say(`        and ${size - items.length} more`);
}

const sizeOf = ({ width, height }: DuplicateItem): string => (width === undefined || height === undefined ? '' : `${width} x ${height}  `);

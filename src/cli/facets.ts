import type { Command } from 'commander';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, jsonObject, wholeNumber, type ClientFlags } from './options.js';
import { printJson, printTable } from './print.js';

interface FacetsFlags extends ClientFlags {
  collection: string;
  limit?: number;
  filter?: Record<string, unknown>;
}

export function facetsCommand(): Command {
  return clientCommand('facets', 'count how many items have which value of a field')
    .argument('<fields...>', 'fields of the metadata, or an item\'s own, such as $item.taken_at, $item.folder or $item.exif.camera')
    .addOption(collectionOption())
    .option('--limit <number>', 'values of each at most (default: 20)', wholeNumber)
    .option('--filter <json>', 'only of items that match', jsonObject)
    .action(async (fields: string[], { collection, limit, filter, ...flags }: FacetsFlags) => {
      const facets = await openClient(flags).facets(collection, fields, { ...(limit === undefined ? {} : { limit }), ...(filter === undefined ? {} : { filter }) });
      if (flags.json) return printJson({ facets });
      printTable(
        Object.entries(facets).flatMap(([field, { values, other, missing }]) => [
          ...values.map(({ value, count }) => [field, String(count), typeof value === 'string' ? value : JSON.stringify(value)]),
          ...(other > 0 ? [[field, String(other), '(other values)']] : []),
          ...(missing > 0 ? [[field, String(missing), '(without it)']] : []),
        ]),
      );
    });
}

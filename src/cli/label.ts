import type { Metadata } from '../contract/shared.js';
import { MixspaceError } from '../errors.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, jsonObject, type ClientFlags } from './options.js';
import type { Command } from 'commander';
import { plural, printJson, say } from './print.js';

interface LabelFlags extends ClientFlags {
  collection: string;
  filter?: Record<string, unknown>;
}

export function labelCommand(): Command {
  return clientCommand('label', "lay fields over the metadata of many items: mixspace label '{\"trip\": \"Rome\"}' ID...")
    .argument('<metadata>', 'the fields, as JSON', jsonObject)
    .argument('[ids...]', 'of these items')
    .addOption(collectionOption())
    .option('--filter <json>', 'of all items that match', jsonObject)
    .action(async (metadata: Metadata, ids: string[], { collection, filter, ...flags }: LabelFlags) => {
      if ((ids.length > 0) === (filter !== undefined)) throw new MixspaceError('invalid_request', 'Say which items: either ids or --filter.');
      const merged = await openClient(flags).mergeMetadata(collection, filter ? { filter, metadata } : { ids, metadata });
      const { updated, missing, failed, failures } = merged;
      if (missing.length + failures > 0) process.exitCode = 1;
      if (flags.json) return printJson(merged);
      for (const id of missing) say(`There is no item "${id}".`);
      for (const { id, reason } of failed) say(`${id}: ${reason}`);
      say(`${plural(updated, 'item')} labelled${failures > 0 ? `, ${failures} left as they are` : ''}.`);
    });
}

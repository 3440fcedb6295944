import { Option, type Command } from 'commander';
import { modalities, type Modality } from '../domain/modality.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, jsonObject, wholeNumber, type ClientFlags } from './options.js';
import { plural, printJson, say } from './print.js';

interface MapFlags extends ClientFlags {
  modality?: Modality;
  filter?: Record<string, unknown>;
  neighbors?: number;
  place?: true;
  last?: true;
  detach?: true;
}

export function mapCommand(): Command {
  return clientCommand('map', 'lay all items out on a plane, what is alike close together: the map of the page')
    .argument('[collection]', 'the collection', 'default')
    .addOption(new Option('--modality <name>', 'only these (default: all)').choices(modalities))
    .option('--filter <json>', 'only items that match', jsonObject)
    .option('--neighbors <number>', 'how many of its nearest each item is drawn to (default: 15)', wholeNumber)
    .option('--place', 'make no map: place the items that came since on the one that is there')
    .option('--last', 'tell of the one that was made last, and make none')
    .option('--detach', 'begin, and do not wait for the end')
    .action(async (collection: string, { last, detach, ...flags }: MapFlags) => {
      const { modality, filter, neighbors, place } = flags;
      const client = openClient(flags);
      if (!last) {
        const job = await client.makeMap(collection, { ...(modality && { modality }), ...(filter && { filter }), ...(neighbors === undefined ? {} : { neighbors }), ...(place && { place }) });
        if (detach) return flags.json ? printJson({ job }) : say(`The service works on it; mixspace jobs follow ${job.id} shows how far it is, mixspace map ${collection} --last what it made.`);
        await follow(job.id, flags, { isSilent: true });
        if (process.exitCode !== undefined) return;
      }
      const map = await client.map(collection);
      if (flags.json) return printJson(map);
      const trust = map.trustworthiness === undefined ? '' : `, trustworthiness ${map.trustworthiness.toFixed(3)}`;
      const { added, removed } = map.stale;
      say(`${plural(map.count, 'point')} in ${plural(map.levels.length, 'level')}${trust}, made ${map.made_at}.`);
      if (added > 0) say(`${plural(added, 'item')} came since: mixspace map ${collection} --place places ${added === 1 ? 'it' : 'them'}.`);
      if (removed > 0) say(`${plural(removed, 'item')} of it ${removed === 1 ? 'has' : 'have'} gone.`);
    });
}

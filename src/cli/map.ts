import { Option, type Command } from 'commander';
import { modalities, type Modality } from '../domain/modality.js';
import { find, findingCommand, given, type FindingFlags } from './finding.js';
import { jsonObject, wholeNumber } from './options.js';
import { plural, printJson, say } from './print.js';

interface MapFlags extends FindingFlags {
  modality?: Modality;
  filter?: Record<string, unknown>;
  neighbors?: number;
  place?: true;
}

export function mapCommand(): Command {
  return findingCommand({
    kind: 'map',
    description: 'lay all items out on a plane, what is alike close together: the map of the page',
    last: 'tell of the one that was made last, and make none',
    options: (command) =>
      command
        .addOption(new Option('--modality <name>', 'only these (default: all)').choices(modalities))
        .option('--filter <json>', 'only items that match', jsonObject)
        .option('--neighbors <number>', 'how many of its nearest each item is drawn to (default: 15)', wholeNumber)
        .option('--place', 'make no map: place the items that came since on the one that is there'),
  }).action((collection: string, { modality, filter, neighbors, place, ...flags }: MapFlags) =>
    find(
      {
        kind: 'map',
        collection,
        start: (client) => client.makeMap(collection, given({ modality, filter, neighbors, place })),
        tell: async (client) => {
          const map = await client.map(collection);
          if (flags.json) return printJson(map);
          const trust = map.trustworthiness === undefined ? '' : `, trustworthiness ${map.trustworthiness.toFixed(3)}`;
          const { added, removed } = map.stale;
          say(`${plural(map.count, 'point')} in ${plural(map.levels.length, 'level')}${trust}, made ${map.made_at}.`);
          if (added > 0) say(`${plural(added, 'item')} came since: mixspace map ${collection} --place places ${added === 1 ? 'it' : 'them'}.`);
          if (removed > 0) say(`${plural(removed, 'item')} of it ${removed === 1 ? 'has' : 'have'} gone.`);
        },
      },
      flags,
    ),
  );
}

import { Option, type Command } from 'commander';
import { clusterLanguages, type ClusterLanguage } from '../contract/clusters.js';
import { modalities, type Modality } from '../domain/modality.js';
import { MixspaceError } from '../errors.js';
import { find, findingCommand, given, type FindingFlags } from './finding.js';
import { openClient } from './open-client.js';
import { jsonObject, wholeNumber, type ClientFlags } from './options.js';
import { plural, printJson, printTable, say } from './print.js';

interface ClustersFlags extends FindingFlags {
  count?: number;
  language?: ClusterLanguage;
  modality?: Modality;
  filter?: Record<string, unknown>;
  rename?: string[];
}

export function clustersCommand(): Command {
  return findingCommand({
    kind: 'clusters',
    description: 'put items that are alike together, each cluster named by what it shows',
    last: 'tell those that were made last, and make none',
    options: (command) =>
      command
        .option('--count <number>', 'how many (default: by how many items there are)', wholeNumber)
        .addOption(new Option('--language <code>', 'of the names (default: en)').choices(clusterLanguages))
        .addOption(new Option('--modality <name>', 'of which (default: pictures where there are any)').choices(modalities))
        .option('--filter <json>', 'only items that match', jsonObject)
        .option('--rename <id-and-name...>', 'give a cluster another name: --rename c3 Holidays'),
  }).action((collection: string, { rename: renaming, count, language, modality, filter, ...flags }: ClustersFlags) =>
    renaming
      ? rename(collection, renaming, flags)
      : find(
          {
            kind: 'clusters',
            collection,
            start: (client) => client.makeClusters(collection, given({ count, language, modality, filter })),
            tell: async (client) => {
              const made = await client.clusters(collection, given({ language }));
              if (flags.json) return printJson(made);
              printTable(made.clusters.map(({ id, size, name, words }) => [id, String(size), name, words.filter((word) => word !== name).join(', ')]));
              say(`${plural(made.clusters.length, 'cluster')} of ${plural(made.items, 'item')}.`);
            },
          },
          flags,
        ),
  );
}

async function rename(collection: string, [id, ...name]: string[], flags: ClientFlags): Promise<void> {
  if (id === undefined || name.length === 0) throw new MixspaceError('invalid_request', '--rename takes the id of a cluster and its new name.');
  const renamed = await openClient(flags).renameCluster(collection, id, name.join(' '));
  if (flags.json) printJson(renamed);
  else say(`${renamed.id} is called ${renamed.name}.`);
}

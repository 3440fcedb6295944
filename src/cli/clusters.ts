import { Option, type Command } from 'commander';
import { clusterLanguages, type ClusterLanguage } from '../contract/clusters.js';
import { modalities, type Modality } from '../domain/modality.js';
import { MixspaceError } from '../errors.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, jsonObject, wholeNumber, type ClientFlags } from './options.js';
import { plural, printJson, printTable, say } from './print.js';

interface ClustersFlags extends ClientFlags {
  count?: number;
  language?: ClusterLanguage;
  modality?: Modality;
  filter?: Record<string, unknown>;
  last?: true;
  detach?: true;
  rename?: string[];
}

export function clustersCommand(): Command {
  return clientCommand('clusters', 'put items that are alike together, each cluster named by what it shows')
    .argument('[collection]', 'the collection', 'default')
    .option('--count <number>', 'how many (default: by how many items there are)', wholeNumber)
    .addOption(new Option('--language <code>', 'of the names (default: en)').choices(clusterLanguages))
    .addOption(new Option('--modality <name>', 'of which (default: pictures where there are any)').choices(modalities))
    .option('--filter <json>', 'only items that match', jsonObject)
    .option('--last', 'tell those that were made last, and make none')
    .option('--rename <id-and-name...>', 'give a cluster another name: --rename c3 Holidays')
    .option('--detach', 'begin, and do not wait for the end')
    .action(async (collection: string, { last, detach, rename, ...flags }: ClustersFlags) => {
      const { count, language, modality, filter } = flags;
      const client = openClient(flags);
      if (rename) {
        const [id, ...name] = rename;
        if (id === undefined || name.length === 0) throw new MixspaceError('invalid_request', '--rename takes the id of a cluster and its new name.');
        const renamed = await client.renameCluster(collection, id, name.join(' '));
        return flags.json ? printJson(renamed) : say(`${renamed.id} is called ${renamed.name}.`);
      }
      if (!last) {
        const job = await client.makeClusters(collection, { ...(count === undefined ? {} : { count }), ...(language && { language }), ...(modality && { modality }), ...(filter && { filter }) });
        if (detach) return flags.json ? printJson({ job }) : say(`The service works on it; mixspace jobs follow ${job.id} shows how far it is, mixspace clusters ${collection} --last what it made.`);
        await follow(job.id, flags, { isSilent: true });
        if (process.exitCode !== undefined) return;
      }
      const made = await client.clusters(collection);
      if (flags.json) return printJson(made);
      printTable(made.clusters.map(({ id, size, name, words }) => [id, String(size), name, words.filter((word) => word !== name).join(', ')]));
      say(`${plural(made.clusters.length, 'cluster')} of ${plural(made.items, 'item')}.`);
    });
}

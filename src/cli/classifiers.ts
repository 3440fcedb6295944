import { Command, Option } from 'commander';
import type { Classifier } from '../contract/classifiers.js';
import { listPictures, readPictureFile } from '../picture-files.js';
import { MixspaceError } from '../errors.js';
import type { Job } from '../contract/jobs.js';
import { csvField } from './csv.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, jsonObject, type ClientFlags } from './options.js';
import { plural, printJson, printTable, say } from './print.js';

const picturesAtOnce = 100;
const names = (text: string): string[] => text.split(',').map((label) => label.trim()).filter(Boolean);

export function classifiersCommand(): Command {
  return new Command('classifiers')
    .description('list, save, teach, run or delete classifiers')
    .addCommand(clientCommand('list', 'list the classifiers').action(list), { isDefault: true })
    .addCommand(
      clientCommand('put', 'save labels under a name')
        .argument('<name>')
        .requiredOption('--labels <names>', 'the labels, separated by commas', names)
        .option('--model <id>', "the model (default: the service's)")
        .action(async (name: string, { labels, model, ...flags }: ClientFlags & { labels: string[]; model?: string }) => tell(await openClient(flags).putClassifier(name, { labels, ...(model === undefined ? {} : { model }) }), flags)),
    )
    .addCommand(clientCommand('show', 'its labels, its examples and how good they make it').argument('<name>').action(async (name: string, flags: ClientFlags) => tell(await openClient(flags).classifier(name), flags)))
    .addCommand(
      clientCommand('teach', 'show it pictures of a label')
        .argument('<name>')
        .argument('<label>')
        .argument('<paths...>', 'pictures, or folders of them')
        .option('--not', 'they are not that')
        .action(teach),
    )
    .addCommand(
      clientCommand('forget', 'take its examples away again')
        .argument('<name>')
        .argument('[label]', 'only those of a label')
        .action(async (name: string, label: string | undefined, flags: ClientFlags) => tell(await openClient(flags).removeExamples(name, label === undefined ? {} : { label }), flags)),
    )
    .addCommand(
      clientCommand('run', 'classify a collection: labels with their probabilities go into its metadata')
        .argument('<collection>')
        .requiredOption('--field <name>', 'of the metadata, where to')
        .option('--classifier <name>', 'a saved one')
        .option('--labels <names>', 'or labels, separated by commas', names)
        .option('--filter <json>', 'only the items that it matches', jsonObject)
        .option('--truth <field>', 'a field of the metadata that holds the true label: the result tells how often it is met')
        .option('--abstain', 'an item may be none of them')
        .addOption(new Option('--format <name>', 'then print the items with what was written: CSV, or JSON, an item a line').choices(['csv', 'jsonl']))
        .action(run),
    )
    .addCommand(clientCommand('delete', 'delete a classifier and its examples').argument('<name>').action(async (name: string, flags: ClientFlags) => openClient(flags).deleteClassifier(name)));
}

async function list(flags: ClientFlags): Promise<void> {
  const classifiers = await openClient(flags).classifiers();
  if (flags.json) return printJson({ classifiers });
  printTable(classifiers.map((each) => [each.name, each.model, plural(each.labels.length, 'label'), plural(countOf(each), 'example')]));
  if (classifiers.length === 0) say('There are none.');
}

async function teach(name: string, label: string, paths: string[], { not, ...flags }: ClientFlags & { not?: true }): Promise<void> {
  const client = openClient(flags);
  const { pictures } = await listPictures(paths);
  if (pictures.length === 0) throw new MixspaceError('not_found', 'There are no pictures under these paths.');
  let taught: Classifier | undefined;
  for (let from = 0; from < pictures.length; from += picturesAtOnce) {
    const inputs = await Promise.all(pictures.slice(from, from + picturesAtOnce).map(async (picture) => ({ image: (await readPictureFile(picture)).toString('base64') })));
    taught = await client.addExamples(name, { label, inputs, ...(not ? { not } : {}) });
  }
  tell(taught!, flags);
}

interface RunFlags extends ClientFlags {
  field: string;
  classifier?: string;
  labels?: string[];
  filter?: Record<string, unknown>;
  truth?: string;
  abstain?: true;
  format?: 'csv' | 'jsonl';
}

async function run(collection: string, { field, classifier, labels, filter, truth, abstain, format, ...flags }: RunFlags): Promise<void> {
  const client = openClient(flags);
  const job = await client.classifyCollection(collection, {
    field,
    ...(classifier === undefined ? {} : { classifier }),
    ...(labels === undefined ? {} : { labels }),
    ...(filter === undefined ? {} : { filter }),
    ...(truth === undefined ? {} : { truth }),
    ...(abstain ? { abstain: 'auto' as const } : {}),
  });
  if (format === undefined) return follow(job.id, flags);
  let last: Job = job;
  for await (const event of client.followJob(job.id)) last = event.job;
  if (last.state !== 'done') throw new MixspaceError('unprocessable', last.problem ?? `The job is ${last.state}.`);
  if (format === 'csv') say('id,label,probability');
  for await (const { id, metadata } of client.listItems(collection, filter === undefined ? {} : { filter })) {
    const found = metadata[field] as { label: string | null; probability: number } | undefined;
    if (!found) continue;
    say(format === 'csv' ? [csvField(id), csvField(found.label ?? ''), found.probability].join() : JSON.stringify({ id, ...found }));
  }
}

function tell(classifier: Classifier, { json }: ClientFlags): void {
  if (json) return printJson(classifier);
  const { name, labels, accuracy } = classifier;
  const taught = accuracy === undefined ? '' : `; of them ${(100 * accuracy.zero_shot).toFixed(1)}% right by the labels alone, ${(100 * accuracy.leave_one_out).toFixed(1)}% with the others' help`;
  say(`${name}: ${plural(labels.length, 'label')}, ${plural(countOf(classifier), 'example')}${taught}`);
}

const countOf = ({ examples }: Classifier): number => examples.reduce((sum, { count }) => sum + count, 0);

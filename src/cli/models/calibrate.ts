import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Option, type Command } from 'commander';
import type { MixspaceClient } from '../../client/index.js';
import { readSetting, settings } from '../../config.js';
import { backgroundNames, backgroundTemplate } from '../../domain/background.js';
import { MixspaceError } from '../../errors.js';
import { exists, writeDurably } from '../../files.js';
import { listPictures, readPictureFile } from '../../picture-files.js';
import { clientCommand, wholeNumber, type ClientFlags } from '../options.js';
import { plural, printJson, say, sayAside } from '../print.js';
import { fitCalibration, type Labelled } from './fit-calibration.js';

interface CalibrateFlags extends ClientFlags {
  pictures: string;
  perLabel: number;
  modelsDir?: string;
}

const leastLabels = 3;
const leastPictures = 100;
const picturesAtOnce = 32;
const textsAtOnce = 256;

export function calibrateCommand(): Command {
  const { flag, shown, env } = settings.modelsDir;
  return clientCommand('calibrate', "let a model's probabilities mean something: fit them to pictures whose names are known")
    .argument('<id>', 'the model; a running service has it, and its models directory is on this machine')
    .requiredOption('--pictures <folder>', 'a folder of folders, each named after what its pictures show; best of pictures that the model was not trained on')
    .option('--per-label <number>', 'pictures of a name at most', wholeNumber, 50)
    .addOption(new Option(flag, `where the model's folder is (default: ${shown} of mixspace; environment: ${env})`))
    .addHelpText('after', `\nWrites calibration.json into the model's folder; the service takes it up by itself. Names and pictures that you want to measure with are better left out.\n\nExample: mixspace models calibrate clip-vit-base-patch32 --pictures ./known`)
    .action(calibrate);
}

async function calibrate(id: string, { pictures: folder, perLabel, modelsDir, json, ...flags }: CalibrateFlags): Promise<void> {
  const directory = path.join(readSetting('modelsDir', modelsDir), id);
  if (path.dirname(directory) !== path.resolve(readSetting('modelsDir', modelsDir)) && path.dirname(directory) !== readSetting('modelsDir', modelsDir)) throw new MixspaceError('invalid_request', `"${id}" is no model's name.`, { param: 'ID' });
  if (!(await exists(directory))) throw new MixspaceError('not_found', `There is no model ${id} in ${path.dirname(directory)}.`, { param: 'ID' });
  const { openClient } = await import('../open-client.js');
  const client = openClient(flags);
  const model = (await client.models()).find((each) => each.id === id);
  if (!model || model.logit_scale === null) throw new MixspaceError('not_found', `The service has no model ${id} that can be used.`, { param: 'ID' });

  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new MixspaceError('not_found', `The folder ${folder} cannot be read.`, { param: '--pictures' });
  });
  const labels: string[] = [];
  const files: { file: Awaited<ReturnType<typeof listPictures>>['pictures'][number]; label: number }[] = [];
  for (const { name } of entries.filter((entry) => entry.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { pictures } = await listPictures([path.join(folder, name)]);
    if (pictures.length === 0) continue;
    for (const file of pictures.slice(0, perLabel)) files.push({ file, label: labels.length });
    labels.push(name.replaceAll('_', ' '));
  }
  if (labels.length < leastLabels || files.length < leastPictures) {
    throw new MixspaceError('unprocessable', `${folder} holds ${plural(files.length, 'picture')} of ${plural(labels.length, 'name')}: at least ${leastPictures} of ${leastLabels} are needed.`, { param: '--pictures' });
  }

  const templates = model.templates ?? ['a photo of a {}'];
  const prompts = await texts(client, id, labels.flatMap((label) => templates.map((template) => template.replace(/\{(?:label)?\}/g, () => label))));
  const names = labels.map((_, index) => mean(prompts.slice(index * templates.length, (index + 1) * templates.length)));
  const background = await texts(client, id, backgroundNames.map(backgroundTemplate));
  const labelled: Labelled[] = [];
  for (let from = 0; from < files.length; from += picturesAtOnce) {
    const some = files.slice(from, from + picturesAtOnce);
    const input = await Promise.all(some.map(async ({ file }) => ({ image: (await readPictureFile(file)).toString('base64') })));
    const embeddings = await client.embeddings({ model: id, input });
    embeddings.forEach((embedding, index) => labelled.push({ embedding, label: some[index]!.label }));
    if (from % (picturesAtOnce * 10) === 0) sayAside(`${from + some.length} of ${files.length} pictures`);
  }
  const calibration = fitCalibration(labelled, names, background, model.logit_scale);
  const file = path.join(directory, 'calibration.json');
  const text = `${JSON.stringify({ ...calibration, fitted: { pictures: files.length, labels: labels.length } }, null, 2)}\n`;
  await writeDurably(file, text);
  // The service looks at its packages when they are listed.
  await client.models();
  if (json) printJson(calibration);
  else say(`${id} is calibrated on ${plural(files.length, 'picture')} of ${plural(labels.length, 'name')}: ${file}`);
}

async function texts(client: MixspaceClient, model: string, all: string[]): Promise<Float32Array[]> {
  const embeddings: Float32Array[] = [];
  for (let from = 0; from < all.length; from += textsAtOnce) embeddings.push(...(await client.embeddings({ model, input: all.slice(from, from + textsAtOnce).map((text) => ({ text })) })));
  return embeddings;
}

function mean(embeddings: Float32Array[]): Float32Array {
  const sum = new Float32Array(embeddings[0]!.length);
  for (const embedding of embeddings) embedding.forEach((value, i) => (sum[i]! += value));
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}

import { stat } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { ClassifyResponse } from '../contract/classify.js';
import { MixspaceError } from '../errors.js';
import { listPictures, readPictureFile, unreadable } from '../picture-files.js';
import { MixspaceApiError, type MixspaceClient } from '../client/index.js';
import { csvField } from './csv.js';
import { openClient } from './open-client.js';
import { clientCommand, decimal, wholeNumber, type ClientFlags } from './options.js';
import { readPicture } from './picture-argument.js';
import { printJson, printTable, say, sayAside } from './print.js';

interface ClassifyFlags extends ClientFlags {
  labels?: string[];
  classifier?: string;
  model?: string;
  top?: number;
  abstain?: true;
  multi?: true;
  threshold?: number;
  format: Format;
}

type Format = 'table' | 'csv' | 'jsonl';
type Answer = ClassifyResponse['data'][number];

const picturesAtOnce = 16;

export function classifyCommand(): Command {
  return clientCommand('classify', 'say which of some labels fits pictures best')
    .argument('<paths...>', 'pictures, or folders of them')
    .option('--labels <names>', 'the labels, separated by commas', (text) => text.split(',').map((label) => label.trim()).filter(Boolean))
    .option('--classifier <name>', 'a saved classifier, in place of labels')
    .option('--model <id>', 'the model (default: the service\'s)')
    .option('--top <number>', 'only so many labels, the best first', wholeNumber)
    .option('--abstain', 'a picture may be none of them')
    .option('--multi', 'each label is asked by itself; a picture may be several of them')
    .option('--threshold <number>', 'the least probability of an answer', decimal)
    .addOption(new Option('--format <name>', 'of several pictures: a table, CSV, or JSON, a picture a line').choices(['table', 'csv', 'jsonl']).default('table'))
    .addHelpText('after', '\nExit code: 0 all are classified, 1 some are not, 2 wrong usage or no service.')
    .action(classify);
}

async function classify(paths: string[], { labels, classifier, model, top, abstain, multi, threshold, format, ...flags }: ClassifyFlags): Promise<void> {
  if ((labels === undefined) === (classifier === undefined)) throw new MixspaceError('invalid_request', 'Which labels? Give --labels NAMES, or --classifier NAME.');
  const client = openClient(flags);
  const request = {
    ...(labels === undefined ? {} : { labels }),
    ...(classifier === undefined ? {} : { classifier }),
    ...(model === undefined ? {} : { model }),
    ...(top === undefined ? {} : { top_k: top }),
    ...(abstain ? { abstain: 'auto' as const } : {}),
    ...(multi ? { multi_label: true } : {}),
    ...(threshold === undefined ? {} : { threshold }),
  };
  const [only] = paths;
  if (paths.length === 1 && format === 'table' && !(await stat(only!).catch(() => undefined))?.isDirectory()) {
    const answer = await client.classify({ input: [{ image: (await readPicture(only!)).toString('base64') }], ...request });
    if (flags.json) return printJson(answer);
    const [{ none, predictions }] = answer.data as [Answer];
    return printTable([...predictions.map(({ label, score, similarity }) => [percent(score), label, `cosine ${similarity.toFixed(3)}`]), ...(none === undefined ? [] : [[percent(none), 'none of these', '']])]);
  }
  await several(client, paths, request, flags.json ? 'jsonl' : format);
}

async function several(client: MixspaceClient, paths: string[], request: Omit<Parameters<MixspaceClient['classify']>[0], 'input'>, format: Format): Promise<void> {
  const { pictures } = await listPictures(paths);
  if (pictures.length === 0) throw new MixspaceError('not_found', 'There are no pictures under these paths.');
  if (format === 'csv') say('file,label,score,none');
  let failed = 0;
  const fail = (file: string, reason: string): void => {
    failed++;
    sayAside(`${file}: ${reason}`);
  };
  for (let from = 0; from < pictures.length; from += picturesAtOnce) {
    const read = await Promise.all(
      pictures.slice(from, from + picturesAtOnce).map(async (picture) => {
        try {
          return [{ file: picture.file, image: (await readPictureFile(picture)).toString('base64') }];
        } catch (error) {
          fail(picture.file, unreadable(error));
          return [];
        }
      }),
    );
    const some = read.flat();
    if (some.length === 0) continue;
    for (const { file, answer } of await answersTo(client, some, request, fail)) say(line(file, answer, format));
  }
  if (failed > 0) throw new MixspaceError('unprocessable', `${failed} of ${pictures.length} pictures could not be classified.`);
}

type Read = { file: string; image: string };

/** Together; where one is at fault, one by one. */
async function answersTo(client: MixspaceClient, some: Read[], request: Omit<Parameters<MixspaceClient['classify']>[0], 'input'>, fail: (file: string, reason: string) => void): Promise<{ file: string; answer: Answer }[]> {
  try {
    const { data } = await client.classify({ input: some.map(({ image }) => ({ image })), ...request });
    return data.map((answer, index) => ({ file: some[index]!.file, answer }));
  } catch (error) {
    const isOfOne = error instanceof MixspaceApiError && error.param?.startsWith('input[');
    if (!isOfOne) throw error;
    if (some.length === 1) {
      fail(some[0]!.file, error.message);
      return [];
    }
    const answers = [];
    for (const each of some) answers.push(...(await answersTo(client, [each], request, fail)));
    return answers;
  }
}

function line(file: string, answer: Answer, format: Format): string {
  const { prediction, labels, score, none } = answer;
  const said = labels ? labels.join('; ') : (prediction ?? '');
  if (format === 'jsonl') return JSON.stringify({ file, ...answer });
  if (format === 'csv') return [csvField(file), csvField(said), score, none ?? ''].join();
  return `${percent(score)}  ${said === '' ? 'none of these' : said}  ${file}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

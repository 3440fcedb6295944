import type { Command } from 'commander';
import { clientCommand, openClient, wholeNumber, type ClientFlags } from './options.js';
import { readPicture } from './picture-argument.js';
import { printJson, printTable } from './print.js';

interface ClassifyFlags extends ClientFlags {
  labels: string[];
  model?: string;
  top?: number;
}

export function classifyCommand(): Command {
  return clientCommand('classify', 'say which of some labels fits a picture best')
    .argument('<file>', 'the picture')
    .requiredOption('--labels <names>', 'the labels, separated by commas', (text) => text.split(',').map((label) => label.trim()).filter(Boolean))
    .option('--model <id>', 'the model (default: the service\'s)')
    .option('--top <number>', 'only so many labels, the best first', wholeNumber)
    .action(async (file: string, { labels, model, top, ...flags }: ClassifyFlags) => {
      const answer = await openClient(flags).classify({
        input: [{ image: (await readPicture(file)).toString('base64') }],
        labels,
        ...(model === undefined ? {} : { model }),
        ...(top === undefined ? {} : { top_k: top }),
      });
      if (flags.json) printJson(answer);
      else printTable(answer.data[0]!.predictions.map(({ label, score, similarity }) => [`${(100 * score).toFixed(1)}%`, label, `cosine ${similarity.toFixed(3)}`]));
    });
}

import { stat } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { batches, MixspaceApiError, type CallParts, type MixspaceClient } from '../client/index.js';
import { embeddingEncodings, type EmbeddingEncoding } from '../contract/embeddings.js';
import { MixspaceError } from '../errors.js';
import { namesPicture } from '../domain/picture-names.js';
import { openClient } from './open-client.js';
import { serviceCommand, wholeNumber, type ServiceFlags } from './options.js';
import { readPicture } from './picture-argument.js';
import { sayAside } from './print.js';
import { printableJson } from '../printable.js';

interface EmbedFlags extends ServiceFlags {
  model?: string;
  dimensions?: number;
  forceDimensions?: true;
  encoding: EmbeddingEncoding;
  raw?: true;
  text?: true;
}

type Body = CallParts<'embed'>['body'];
interface Entry {
  argument: string;
  input: { text: string } | { image: string };
}

const perRequest = 32;
const bytesPerRequest = 32e6;

export function embedCommand(): Command {
  return serviceCommand('embed', 'print the embeddings of texts and pictures, a line of JSON for each')
    .argument('<inputs...>', 'a text, or a file: a picture')
    .option('--text', 'take every input as a text, also where a file has that name')
    .option('--model <id>', 'the model (default: the service\'s)')
    .option('--dimensions <number>', 'only the first so many numbers, normalised again', wholeNumber)
    .option('--force-dimensions', 'also where the model was not trained for so many')
    .addOption(new Option('--encoding <name>', 'how each embedding is written').choices(embeddingEncodings).default('float'))
    .option('--raw', 'as the tower gave it, not normalised')
    .addHelpText('after', '\nExit code: 0 all are embedded, 1 some inputs failed and are named on stderr, 2 wrong usage or no service.')
    .action(async (inputs: string[], flags: EmbedFlags) => {
      const client = openClient(flags);
      const { model, dimensions, forceDimensions, encoding, raw } = flags;
      const options: Omit<Body, 'input'> = {
        encoding_format: encoding,
        ...(model === undefined ? {} : { model }),
        ...(dimensions === undefined ? {} : { dimensions }),
        ...(forceDimensions === undefined ? {} : { force_dimensions: true }),
        ...(raw === undefined ? {} : { normalized: false }),
      };
      for await (const batch of batches(entries(inputs, flags.text === true), sizeOf, perRequest, bytesPerRequest)) await embed(client, batch, options);
    });
}

async function* entries(inputs: string[], texts: boolean): AsyncGenerator<Entry> {
  for (const argument of inputs) {
    try {
      const isPicture = !texts && (namesPicture(argument) || (await stat(argument).then((found) => found.isFile(), () => false)));
      yield { argument, input: isPicture ? { image: (await readPicture(argument)).toString('base64') } : { text: argument } };
    } catch (error) {
      if (!(error instanceof MixspaceError)) throw error;
      tellFailed(argument, error.message);
    }
  }
}

/** A request is all or nothing: an input that is refused is told and left out, and the others are sent again. */
async function embed(client: MixspaceClient, batch: Entry[], options: Omit<Body, 'input'>): Promise<void> {
  while (batch.length > 0) {
    try {
      const { model, fingerprint, data } = await client.embed({ ...options, input: batch.map(({ input }) => input) });
      const lines = data.map(({ index, embedding, truncated }) => JSON.stringify({ input: batch[index]!.argument, model, fingerprint, ...(truncated ? { truncated } : {}), embedding }));
      process.stdout.write(`${lines.map(printableJson).join('\n')}\n`);
      return;
    } catch (error) {
      const place = error instanceof MixspaceApiError ? /^input\[(\d+)\]/.exec(error.param ?? '')?.[1] : undefined;
      const refused = place === undefined ? undefined : batch[Number(place)];
      if (refused === undefined) throw error;
      tellFailed(refused.argument, (error as Error).message);
      batch = batch.filter((entry) => entry !== refused);
    }
  }
}

function tellFailed(argument: string, reason: string): void {
  sayAside(`mixspace: ${argument.slice(0, 200)}: ${reason}`);
  process.exitCode = 1;
}

const sizeOf = ({ input }: Entry): number => ('text' in input ? input.text.length : input.image.length);

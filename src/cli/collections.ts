import { Argument, Command, Option } from 'commander';
import { tileChoices, type Tiles } from '../domain/tiles.js';
import { MixspaceError } from '../errors.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, type ClientFlags } from './options.js';
import { plural, printJson, printTable, say, sizeOf } from './print.js';

interface CreateFlags extends ClientFlags {
  model?: string;
  description?: string;
  originals?: 'keep' | 'thumbnail';
  tiles?: Tiles;
}

interface SetFlags extends ClientFlags {
  tiles?: Tiles;
  detach?: true;
}

const tilesOption = (): Option => new Option('--tiles <grid>', 'what pictures are cut into beside the whole, so that small things are found; auto: by size and shape').choices(tileChoices);

export function collectionsCommand(): Command {
  return new Command('collections')
    .description('list collections, make one, or change what one does')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(createCommand())
    .addCommand(setCommand());
}

function listCommand(): Command {
  return clientCommand('list', 'those that there are').action(async (flags: ClientFlags) => {
    const collections = await openClient(flags).collections();
    if (flags.json) return printJson({ collections });
    printTable(
      collections.map(({ name, counts, parts, model, model_available: isThere, not_embedded: unembedded, reembedding, bytes, description, findings }) => {
        const tiles = parts - (counts.total - unembedded);
        return [
          name,
          `${plural(counts.image, 'picture')}${tiles > 0 ? ` and ${plural(tiles, 'tile')}` : ''}, ${plural(counts.text, 'text')}`,
          sizeOf(bytes),
          `${isThere ? model : `${model} (not there)`}${unembedded > 0 ? `, ${unembedded} not embedded` : ''}${reembedding ? `, to ${reembedding.model}: ${reembedding.done} of ${reembedding.total}, ${reembedding.state}` : ''}`,
          findings.map(({ kind, stale }) => `${kind}${stale ? ' (older)' : ''}`).join(', '),
          description ?? '',
        ];
      }),
    );
  });
}

function createCommand(): Command {
  return clientCommand('create', 'make a collection')
    .addArgument(new Argument('<name>', 'its name'))
    .option('--model <id>', 'the model that embeds its items (default: the first that `mixspace models` lists)')
    .option('--description <text>', 'what it is for')
    .addOption(new Option('--originals <choice>', 'whether uploaded pictures are kept as they came, or thumbnails alone (default: keep)').choices(['keep', 'thumbnail']))
    .addOption(tilesOption())
    .action(async (name: string, flags: CreateFlags) => {
      const { model, description, originals, tiles } = flags;
      const made = await openClient(flags).createCollection({ name, ...(model === undefined ? {} : { model }), ...(description === undefined ? {} : { description }), ...(originals && { originals }), ...(tiles && { tiles }) });
      if (flags.json) return printJson(made);
      say(`${made.name} is there, with model ${made.model}${made.tiles === 'none' ? '' : `, tiles ${made.tiles}`}.`);
    });
}

function setCommand(): Command {
  return clientCommand('set', 'change what a collection does; what that means for the pictures that are there is done by a job')
    .addArgument(new Argument('<name>', 'the collection'))
    .addOption(tilesOption())
    .option('--detach', 'begin, and do not wait for the end')
    .action(async (name: string, { detach, ...flags }: SetFlags) => {
      const { tiles } = flags;
      if (tiles === undefined) throw new MixspaceError('invalid_request', `Change what? --tiles takes ${tileChoices.join(', ')}.`);
      const { job, ...collection } = await openClient(flags).patchCollection(name, { tiles });
      if (detach || job === undefined) {
        if (flags.json) return printJson({ ...collection, ...(job === undefined ? {} : { job }) });
        return say(job === undefined ? `${name}: nothing is to be done.` : `The service works on it; mixspace jobs follow ${job} shows how far it is.`);
      }
      await follow(job, flags, { isSilent: true });
      if (process.exitCode !== undefined) return;
      const done = await openClient(flags).job(job);
      if (flags.json) return printJson(done);
      const { from_originals: originals = 0, from_thumbnails: thumbnails = 0, unreachable = 0, bytes = 0, seconds = 0 } = (done.result ?? {}) as Record<string, number>;
      const notes = [...(thumbnails > 0 ? [`${plural(thumbnails, 'picture')} from a thumbnail`] : []), ...(unreachable > 0 ? [`${unreachable} not there to be cut`] : [])];
      say(`${name}: tiles ${tiles}, ${plural(originals, 'picture')} cut${notes.length > 0 ? `, ${notes.join(', ')}` : ''}; ${sizeOf(Math.abs(bytes))} ${bytes < 0 ? 'less' : 'more'}, ${seconds} s.`);
    });
}

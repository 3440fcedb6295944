import type { Command } from 'commander';
import { clientCommand, openClient, type ClientFlags } from './options.js';
import { plural, printJson, printTable, sizeOf } from './print.js';

export function collectionsCommand(): Command {
  return clientCommand('collections', 'list the collections').action(async (flags: ClientFlags) => {
    const collections = await openClient(flags).collections();
    if (flags.json) return printJson({ collections });
    printTable(
      collections.map(({ name, counts, model, model_available: isThere, not_embedded: unembedded, reembedding, bytes, description }) => [
        name,
        `${plural(counts.image, 'picture')}, ${plural(counts.text, 'text')}`,
        sizeOf(bytes),
        `${isThere ? model : `${model} (not there)`}${unembedded > 0 ? `, ${unembedded} not embedded` : ''}${reembedding ? `, to ${reembedding.model}: ${reembedding.done} of ${reembedding.total}, ${reembedding.state}` : ''}`,
        description ?? '',
      ]),
    );
  });
}

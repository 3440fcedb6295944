import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { exportFormats, type ExportFormat } from '../contract/routes.js';
import { MixspaceError } from '../errors.js';
import { publish, removedOnFailure } from '../files.js';
import { openClient, serviceCommand, type ServiceFlags } from './options.js';
import { sayAside, sizeOf } from './print.js';

interface ExportFlags extends ServiceFlags {
  format: ExportFormat;
  thumbnails?: boolean;
  output?: string;
}

export function exportCommand(): Command {
  return serviceCommand('export', 'write out a collection: each item with its embedding, metadata and sources')
    .argument('<collection>', 'its name')
    .addOption(new Option('--format <name>', 'JSON, an item a line, or Parquet').choices(exportFormats).default('jsonl'))
    .option('--thumbnails', 'with the thumbnails of pictures')
    .option('--output <file>', 'where to, once it is whole (default: standard output)')
    .addHelpText('after', '\nExit code: 0 all is written, 1 it broke off, 2 wrong usage or no service.')
    .action(async (collection: string, { format, thumbnails = false, output, ...flags }: ExportFlags) => {
      if (output === undefined && format === 'parquet' && process.stdout.isTTY) throw new MixspaceError('invalid_request', 'Parquet is not for a terminal: say where to with --output FILE.');
      const bytes = await openClient(flags).exportItems(collection, { format, thumbnails });
      const written = await write(bytes, output).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== undefined && error.syscall !== undefined) throw new MixspaceError('invalid_request', `${output ?? 'The output'} cannot be written (${error.code}).`, { cause: error });
        throw new MixspaceError('internal', "The export broke off: what was written is not all. The service's log says why.", { cause: error });
      });
      if (output !== undefined) sayAside(`${sizeOf(written)} in ${output}`);
    });
}

/** How many bytes. A file has its name once it is whole and on disk. */
async function write(bytes: ReadableStream<Uint8Array>, output: string | undefined): Promise<number> {
  let written = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      written += chunk.length;
      yield chunk;
    }
  };
  if (output === undefined) await pipeline(Readable.from(counted()), process.stdout, { end: false });
  else {
    await removedOnFailure(`${output}.tmp`, async () => {
      await pipeline(Readable.from(counted()), createWriteStream(`${output}.tmp`));
      await publish(output);
    });
  }
  return written;
}

import { Option, type Command } from 'commander';
import { exportFormats, type ExportFormat } from '../contract/routes.js';
import { MixspaceError } from '../errors.js';
import { openClient } from './open-client.js';
import { serviceCommand, type ServiceFlags } from './options.js';
import { sayAside, sizeOf } from './print.js';
import { writeOut } from './write-out.js';

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
      const written = await writeOut(bytes, output);
      if (output !== undefined) sayAside(`${sizeOf(written)} in ${output}`);
    });
}

import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { MixspaceApiError, type ImportType, type MixspaceClient } from '../client/index.js';
import type { Job } from '../contract/jobs.js';
import { MixspaceError } from '../errors.js';
import { ensureCollection } from './add.js';
import { follow } from './jobs.js';
import { openClient } from './open-client.js';
import { clientCommand, collectionOption, type ClientFlags } from './options.js';
import { plural, printJson, say, sayAside } from './print.js';

interface ImportFlags extends ClientFlags {
  collection: string;
  detach?: true;
}

/** As the service tells it of a job of this kind. */
interface Result {
  found: number;
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  left_out: Record<string, number>;
}

export function importCommand(): Command {
  return clientCommand('import', 'take in archives of pictures (zip, tar, tar.gz), lists of URLs, or folders of the machine that the service runs on')
    .argument('<sources...>', 'files, folders, or https URLs of pictures')
    .addOption(collectionOption().default('default', 'default; another one is created if need be'))
    .option('--detach', 'begin, and do not wait for the end')
    .addHelpText(
      'after',
      '\nA list of URLs is JSON Lines or CSV with a field url; a field id names the item, all others are its metadata.' +
        '\nBeside a picture, Google Takeout\'s .json, .xmp, and in WebDataset\'s tars .json, .txt and .cls go into its metadata.' +
        '\nThe service does the work: it reads the file where it lies, if it may, else the file is sent. Ctrl-C leaves it to go on; `mixspace jobs` pauses or cancels it.' +
        '\n\nExit code: 0 all is there, 1 something failed, 2 wrong usage or no service, 130 stopped by Ctrl-C.',
    )
    .action(async (sources: string[], flags: ImportFlags) => {
      const client = openClient(flags);
      await ensureCollection(client, flags.collection);
      const urls = sources.filter((source) => /^https:\/\//i.test(source));
      const begin: { what: string; job: () => Promise<Job> }[] = sources.filter((source) => !urls.includes(source)).map((source) => ({ what: source, job: () => begun(client, flags.collection, path.resolve(source)) }));
      if (urls.length > 0) begin.push({ what: plural(urls.length, 'URL'), job: () => client.importFrom(flags.collection, { urls }) });
      const results: ({ source: string; job: string } & Partial<Result>)[] = [];
      for (const { what, job } of begin) {
        const { id } = await job();
        if (!flags.detach) await follow(id, { url: flags.url }, { isSilent: true });
        if (process.exitCode !== undefined) return;
        const result = flags.detach ? undefined : ((await client.job(id)).result as Job['result'] & Result);
        results.push({ source: what, job: id, ...result });
        if (!flags.json) tell(what, id, result);
      }
      if (flags.json) printJson({ results });
      if (results.some(({ failed = 0 }) => failed > 0)) process.exitCode = 1;
    });
}

async function begun(client: MixspaceClient, collection: string, file: string): Promise<Job> {
  const found = await stat(file).catch(() => undefined);
  try {
    return await client.importFrom(collection, { path: file });
  } catch (error) {
    const isOutOfReach = error instanceof MixspaceApiError && error.status === 422 && error.param === 'path';
    if (!isOutOfReach || found === undefined) throw error;
    if (found.isDirectory()) throw new MixspaceError('invalid_request', `${file}: ${error.message} \`mixspace add\` sends the pictures of a folder.`);
  }
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new MixspaceError('invalid_request', `${file} cannot be read (${error.code}).`, { cause: error });
  });
  sayAside(`The service may not read ${file}: it is sent.`);
  return client.importUpload(collection, Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>, { fileName: path.basename(file), type: typeOf(file) });
}

/** The service looks at the bytes; this only says that it is a file. */
function typeOf(file: string): ImportType {
  if (/\.(jsonl|ndjson)$/i.test(file)) return 'application/jsonl';
  if (/\.csv$/i.test(file)) return 'text/csv';
  if (/\.(gz|tgz)$/i.test(file)) return 'application/gzip';
  return /\.tar$/i.test(file) ? 'application/x-tar' : 'application/zip';
}

const leftOutNames: Record<string, string> = { other: 'that are no pictures', hidden: 'hidden', side_folders: 'in folders of other programs', excluded: 'by a .mixspaceignore', links: 'links', aae: '.aae, edits of iPhones' };

function tell(what: string, id: string, result: Result | undefined): void {
  if (!result) return say(`${what}: job ${id} takes it in.`);
  const { found, created, updated, unchanged, failed, left_out: leftOut } = result;
  say(`${what}: ${plural(found, 'picture')}; ${created} added, ${updated} found in one more place or changed, ${unchanged} as before${failed > 0 ? `, ${failed} failed` : ''}.`);
  const left = Object.entries(leftOut).map(([kind, count]) => `${count} ${leftOutNames[kind] ?? kind}`);
  if (left.length > 0) say(`  Left out: ${left.join(', ')}.`);
  if (failed > 0) say(`  \`mixspace jobs show ${id}\` tells again what failed.`);
}

import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MixspaceError } from '../errors.js';
import { publish, removedOnFailure } from '../files.js';

/**
 * Writes what a service sends to a file, which has its name once it is whole and on disk, or to standard output.
 * @returns How many bytes.
 * @throws MixspaceError `invalid_request`: it cannot be written; `disk_full`; `internal`: it broke off.
 */
export async function writeOut(bytes: ReadableStream<Uint8Array>, output: string | undefined): Promise<number> {
  return write(bytes, output).catch((error: NodeJS.ErrnoException) => {
    if (['ENOSPC', 'EDQUOT', 'EIO'].includes(error.code ?? '')) throw new MixspaceError('disk_full', `${output ?? 'The output'} cannot be written on (${error.code}).`, { cause: error });
    if (error.syscall !== undefined) throw new MixspaceError('invalid_request', `${output ?? 'The output'} cannot be written (${error.code}).`, { cause: error });
    throw new MixspaceError('internal', "It broke off: what was written is not all. The service's log says why.", { cause: error });
  });
}

async function write(bytes: ReadableStream<Uint8Array>, output: string | undefined): Promise<number> {
  let written = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      written += chunk.length;
      yield chunk;
    }
  };
  if (output === undefined) await pipeline(Readable.from(counted()), process.stdout, { end: false });
  else if (await isSpecial(output)) await pipeline(Readable.from(counted()), createWriteStream(output));
  else {
    await removedOnFailure(`${output}.tmp`, async () => {
      await pipeline(Readable.from(counted()), createWriteStream(`${output}.tmp`));
      await publish(output);
    });
  }
  return written;
}

/** A device, a pipe: nothing that another file may take the place of. */
async function isSpecial(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

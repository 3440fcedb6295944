import { readFile } from 'node:fs/promises';
import { MixspaceError } from '../errors.js';

/** The bytes of a picture that the command line names. @throws MixspaceError `not_found`. */
export async function readPicture(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new MixspaceError('not_found', `The picture ${file} cannot be read (${error.code}).`);
  });
}

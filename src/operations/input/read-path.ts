import { MixspaceError } from '../../errors.js';
import { openFile, readWhole } from '../../open-file.js';
import { isUnder, outside, realPathUnder } from './roots.js';

/**
 * The bytes of a file under one of the roots, and its real path. Links and `..` are resolved first, so neither leads out;
 * what counts is where the file that was then opened lies, so neither does a folder that is exchanged for a link meanwhile.
 * The path is told as file-names.ts tells it, and so is its real one. A second name of a file outside (a hard link) cannot be told from a file of the folder, and is read.
 * @throws MixspaceError `unprocessable` (outside the roots, not there, no plain file, being written to), `too_large`.
 */
export async function readUnderRoots(roots: string[], file: string, maxBytes: number): Promise<{ bytes: Uint8Array; realPath: string }> {
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'path' });
  const gone = 'There is no file at this path.';
  const real = await realPathUnder(roots, file, { param: 'path', absent: () => gone });
  const opened = await openFile(real).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code === 'ENOENT' ? gone : `The file cannot be opened (${error.code}).`);
  });
  try {
    const { realPath, isFile, size } = opened;
    if (realPath === undefined) throw refuse(gone);
    if (!isUnder(roots, realPath)) throw refuse(outside);
    if (!isFile) throw refuse('The path is not a file.');
    if (size > maxBytes) throw new MixspaceError('too_large', `A picture is at most ${maxBytes} bytes; this one has ${size}.`, { param: 'path' });
    const bytes = await readWhole(opened).catch((error: NodeJS.ErrnoException) => {
      throw refuse(`The file cannot be read (${error.code}).`);
    });
    if (bytes === undefined) throw refuse('The file is being written to; send it again when it is whole.');
    return { bytes, realPath };
  } finally {
    await opened.handle.close();
  }
}

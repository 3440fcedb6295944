import path from 'node:path';
import { MixspaceError } from '../../errors.js';
import { absoluteName, nameBytes } from '../../file-names.js';
import { isWithin, openFile, readWhole, realName } from '../../open-file.js';

/**
 * The bytes of a file under one of the roots, and its real path. Links and `..` are resolved first, so neither leads out;
 * what counts is where the file that was then opened lies, so neither does a folder that is exchanged for a link meanwhile.
 * The path is told as file-names.ts tells it, and so is its real one. A second name of a file outside (a hard link) cannot be told from a file of the folder, and is read.
 * @throws MixspaceError `unprocessable` (outside the roots, not there, no plain file, being written to), `too_large`.
 */
export async function readUnderRoots(roots: string[], file: string, maxBytes: number): Promise<{ bytes: Uint8Array; realPath: string }> {
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'path' });
  if (roots.length === 0) throw refuse('This server takes no paths: it was started without a folder (`mixspace serve PATH`, MIXSPACE_ROOTS).');
  const named = nameBytes(file);
  if (named === undefined || !path.isAbsolute(named.toString('latin1')) || named.includes(0)) throw refuse("A path is absolute, as the server's machine writes it.");
  const isInside = (real: string): boolean => roots.some((root) => isWithin(root, real));
  const outside = `The path is outside the server's folders.`;
  const gone = 'There is no file at this path.';
  // Said of what is outside whether or not it is there: a refusal must not tell what else the disk holds.
  const real = await realName(file).catch(() => undefined);
  if (real === undefined) throw refuse(isInside(absoluteName(file)) ? gone : outside);
  if (!isInside(real)) throw refuse(outside);

  const opened = await openFile(real).catch((error: NodeJS.ErrnoException) => {
    throw refuse(error.code === 'ENOENT' ? gone : `The file cannot be opened (${error.code}).`);
  });
  try {
    const { realPath, isFile, size } = opened;
    if (realPath === undefined) throw refuse(gone);
    if (!isInside(realPath)) throw refuse(outside);
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

/** What is imported lies under a root, or among the files that were sent. */
import type { FileHandle } from 'node:fs/promises';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../../errors.js';
import { isWithin, openFile } from '../../open-file.js';
import type { Context } from '../context.js';

export interface OpenedFile {
  handle: FileHandle;
  size: number;
  /** Changes when its content does. */
  stamp: string;
}

const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'path' });
const outside = "The path is outside the server's folders.";

/** The real path of what lies under one of the roots. @throws MixspaceError `unprocessable`. */
export async function realPathUnder({ roots }: Context, given: string): Promise<{ real: string; isFolder: boolean }> {
  if (roots.length === 0) throw refuse('This server takes no paths: it was started without a folder (`mixspace serve PATH`, MIXSPACE_ROOTS).');
  if (!path.isAbsolute(given) || given.includes('\0')) throw refuse("A path is absolute, as the server's machine writes it.");
  const isInside = (at: string): boolean => roots.some((root) => isWithin(root, at));
  const real = await realpath(given).catch(() => undefined);
  if (real === undefined) throw refuse(isInside(path.resolve(given)) ? 'There is nothing at this path.' : outside);
  if (!isInside(real)) throw refuse(outside);
  return { real, isFolder: (await stat(real)).isDirectory() };
}

/** Opens what was found there, and nothing that has been put in its place to lead elsewhere. `roots` undefined: wherever it lies. @throws MixspaceError `unprocessable`. */
export async function openPlain(real: string, roots: string[] | undefined): Promise<OpenedFile> {
  const opened = await openFile(real).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`The file cannot be opened (${error.code}).`);
  });
  const { handle, isFile, realPath, size } = opened;
  try {
    if (roots && (realPath === undefined || !roots.some((root) => isWithin(root, realPath)))) throw refuse(outside);
    if (!isFile) throw refuse('The path is not a file.');
    const { ino, mtimeNs } = await handle.stat({ bigint: true });
    return { handle, size, stamp: `${ino} ${size} ${mtimeNs}` };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What is imported lies under a root, or among the files that were sent. */
import type { FileHandle } from 'node:fs/promises';
import { stat } from 'node:fs/promises';
import { MixspaceError } from '../../errors.js';
import { openable } from '../../file-names.js';
import { openFile } from '../../open-file.js';
import type { Context } from '../context.js';
import { isUnder, outside, realPathUnder } from '../input/roots.js';

export interface OpenedFile {
  handle: FileHandle;
  size: number;
  /** Changes when its content does. */
  stamp: string;
}

const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'path' });

/** The real path of what lies under one of the roots. @throws MixspaceError `unprocessable`. */
export async function placeUnder({ roots }: Context, given: string): Promise<{ real: string; isFolder: boolean }> {
  const real = await realPathUnder(roots, given, { param: 'path', absent: () => 'There is nothing at this path.' });
  return { real, isFolder: (await stat(openable(real))).isDirectory() };
}

/** Opens what was found there, and nothing that has been put in its place to lead elsewhere. `roots` undefined: wherever it lies. @throws MixspaceError `unprocessable`. */
export async function openPlain(real: string, roots: string[] | undefined): Promise<OpenedFile> {
  const opened = await openFile(real).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`The file cannot be opened (${error.code}).`);
  });
  const { handle, isFile, realPath, size } = opened;
  try {
    if (roots && (realPath === undefined || !isUnder(roots, realPath))) throw refuse(outside);
    if (!isFile) throw refuse('The path is not a file.');
    const { ino, mtimeNs } = await handle.stat({ bigint: true });
    return { handle, size, stamp: `${ino} ${size} ${mtimeNs}` };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

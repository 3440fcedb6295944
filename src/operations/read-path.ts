import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../errors.js';

/**
 * The bytes of a file under one of the roots, and its real path. Links and `..` are resolved first, so neither leads out.
 * @throws MixspaceError `unprocessable` (outside the roots, not there, no plain file), `too_large`.
 */
export async function readUnderRoots(roots: string[], file: string, maxBytes: number): Promise<{ bytes: Uint8Array; realPath: string }> {
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'path' });
  if (roots.length === 0) throw refuse('This server takes no paths: it was started without a folder (`mixspace serve PATH`, MIXSPACE_ROOTS).');
  if (!path.isAbsolute(file) || file.includes('\0')) throw refuse("A path is absolute, as the server's machine writes it.");
  const outside = `The path is outside the server's folders.`;
  // Said of what is outside whether or not it is there: a refusal must not tell what else the disk holds.
  const real = await realpath(file).catch(() => undefined);
  if (real === undefined) throw refuse(roots.some((root) => isWithin(root, path.resolve(file))) ? 'There is no file at this path.' : outside);
  if (!roots.some((root) => isWithin(root, real))) throw refuse(outside);

  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`The file cannot be opened (${error.code}).`);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw refuse('The path is not a file.');
    if (stat.size > maxBytes) throw new MixspaceError('too_large', `A picture is at most ${maxBytes} bytes; this one has ${stat.size}.`, { param: 'path' });
    return { bytes: await handle.readFile(), realPath: real };
  } finally {
    await handle.close();
  }
}

function isWithin(root: string, file: string): boolean {
  const relative = path.relative(root, file);
  return relative === '' || (!relative.startsWith('..' + path.sep) && relative !== '..' && !path.isAbsolute(relative));
}

import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { MixspaceError } from '../../errors.js';
import { isWithin } from '../../open-file.js';
import type { Context } from '../context.js';

/**
 * A folder, or a file, under the service's roots, as an absolute path.
 * @throws MixspaceError `unprocessable`: outside of them, or it cannot be reached.
 */
export async function rootUnder({ roots }: Pick<Context, 'roots'>, given: string): Promise<string> {
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param: 'root' });
  if (roots.length === 0) throw refuse('This server takes no paths: it was started without a folder (`mixspace serve PATH`, MIXSPACE_ROOTS).');
  if (!path.isAbsolute(given) || given.includes('\0')) throw refuse("A path is absolute, as the server's machine writes it.");
  const root = path.resolve(given);
  const isInside = (at: string): boolean => roots.some((each) => isWithin(each, at));
  // Said of what is outside whether or not it is there: a refusal must not tell what else the disk holds.
  const outside = "The path is outside the server's folders: start it with `mixspace serve PATH`, or set MIXSPACE_ROOTS.";
  const real = await realpath(root).catch((error: NodeJS.ErrnoException) => {
    throw refuse(isInside(root) ? `${root} cannot be reached (${error.code}). Nothing was changed.` : outside);
  });
  if (!isInside(real)) throw refuse(outside);
  return root;
}

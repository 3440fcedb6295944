/** What is named by path lies under one of the service's roots, or is refused. */
import path from 'node:path';
import { MixspaceError } from '../../errors.js';
import { absoluteName, nameBytes } from '../../file-names.js';
import { isWithin, realName } from '../../open-file.js';

export const outside = "The path is outside the server's folders.";

export const isUnder = (roots: readonly string[], real: string): boolean => roots.some((root) => isWithin(root, real));

interface Refusals {
  /** The field that names it. */
  param: string;
  /** A sentence about what is not there, or cannot be reached. */
  absent: (code: string | undefined) => string;
  /** Besides, how more folders become the server's. */
  hint?: string;
}

/**
 * The real path, links and `..` resolved, so that neither leads out; both paths as file-names.ts tells them.
 * @throws MixspaceError `unprocessable`: it is not absolute, lies outside the roots, or is not there.
 */
export async function realPathUnder(roots: readonly string[], told: string, { param, absent, hint }: Refusals): Promise<string> {
  const refuse = (message: string): MixspaceError => new MixspaceError('unprocessable', message, { param });
  if (roots.length === 0) throw refuse('This server takes no paths: it was started without a folder (`mixspace serve PATH`, MIXSPACE_ROOTS).');
  const bytes = nameBytes(told);
  if (bytes === undefined || !path.isAbsolute(bytes.toString('latin1')) || bytes.includes(0)) throw refuse("A path is absolute, as the server's machine writes it.");
  const isOutside = (): MixspaceError => refuse(hint === undefined ? outside : `${outside.slice(0, -1)}: ${hint}`);
  const real = await realName(told).catch((error: NodeJS.ErrnoException) => {
    // Said of what is outside whether or not it is there: a refusal must not tell what else the disk holds.
    throw isUnder(roots, absoluteName(told)) ? refuse(absent(error.code)) : isOutside();
  });
  if (!isUnder(roots, real)) throw isOutside();
  return real;
}

import { absoluteName } from '../../file-names.js';
import type { Context } from '../context.js';
import { realPathUnder } from '../input/roots.js';

/**
 * A folder, or a file, under the service's roots, as an absolute path: as it was named, links in it not resolved.
 * @throws MixspaceError `unprocessable`: outside of them, or it cannot be reached.
 */
export async function rootUnder({ roots }: Pick<Context, 'roots'>, given: string): Promise<string> {
  const root = absoluteName(given);
  const absent = (code: string | undefined): string => `${root} cannot be reached (${code}). Nothing was changed.`;
  await realPathUnder(roots, given, { param: 'root', absent, hint: 'start it with `mixspace serve PATH`, or set MIXSPACE_ROOTS.' });
  return root;
}

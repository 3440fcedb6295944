import { MixspaceError } from '../errors.js';
import type { Cursors } from './cursors.js';

/** The number that a page ended with, of a list that is numbered; undefined without a cursor. @throws MixspaceError `invalid_request`. */
export async function placeIn(cursors: Cursors, cursor: string | undefined, scope: unknown): Promise<number | undefined> {
  if (cursor === undefined) return undefined;
  const [place] = await cursors.open(cursor, scope);
  if (typeof place !== 'number' || !Number.isSafeInteger(place)) throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return place;
}

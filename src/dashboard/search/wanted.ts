/** What is looked for, as it stands in the address. */
import type { Query } from '../shell/address.js';
import { pictureOf, type GivenPicture } from './given-pictures.js';

/** `except`: parts of the words that are to be taken as they stand. */
export type Wanted = { by: 'words'; words: string; except?: string[] } | { by: 'item'; id: string } | ({ by: 'picture'; key: string } & GivenPicture) | { by: 'nothing' };

export interface View {
  collection: string;
  wanted: Wanted;
}

export function wantedFrom(query: URLSearchParams): Wanted {
  const [words, id, key] = [query.get('q'), query.get('like'), query.get('picture')];
  const given = key ? pictureOf(key) : undefined;
  if (given) return { by: 'picture', key: key!, ...given };
  if (id) return { by: 'item', id };
  if (!words) return { by: 'nothing' };
  return { by: 'words', words, ...(query.has('as-is') ? { except: query.getAll('as-is') } : {}) };
}

export function queryOf(wanted: Wanted): Query {
  if (wanted.by === 'words') return { q: wanted.words, 'as-is': wanted.except };
  if (wanted.by === 'picture') return { picture: wanted.key };
  return wanted.by === 'item' ? { like: wanted.id } : {};
}

/** Where a search goes on, as its cursor says. */
import { MixspaceError } from '../../errors.js';
import type { ListPlace } from '../../store/catalog.js';
import type { Place } from './plan.js';
import type { CutNote } from './relevance/cut.js';
import type { KnownWords } from './relevance/unknown-words.js';

/** Where a page of a sorted list ended. */
export type SortPlace = [value: string | number | boolean | null, id: string];

/** Behind a match: of what is near; of both lists joined, so many; of what is relevant, sorted; of a listing; of what is reordered, or grouped, so many. */
export type PagePlace = { near: Place } | { joined: number } | { sorted: SortPlace } | { listed: ListPlace } | { diverse: number } | { grouped: number };

/** What the first page found out, and later ones go by. */
export interface Note {
  cuts?: CutNote[];
  unknown?: string[];
  known?: KnownWords;
}

export interface Going {
  place: PagePlace;
  note: Note;
}

export function sealedPlace(place: PagePlace, note: Note = {}): [string] {
  return [JSON.stringify({ place, note } satisfies Going)];
}

export function goingFrom([sealed]: unknown[]): Going {
  if (typeof sealed !== 'string') throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return JSON.parse(sealed) as Going;
}

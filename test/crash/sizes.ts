import type { ServerOptions } from '../server.js';
import { idsOf, isText } from './contents.js';
import type { Random } from './random.js';

export interface CrashSize {
  store: NonNullable<ServerOptions['store']>;
  /** By collection. */
  places: Record<string, PlaceSize>;
  /** After each restart the listing compares every item; these are looked up one by one as well, in each collection. */
  answeredLastLookedUp: number;
  olderItemsLookedUp: number;
  /** Listings, facets and searches, of each so many. */
  questions: number;
  /** Items of each collection looked up one by one at the end, chosen by chance. */
  atTheEnd: number;
}

interface PlaceSize {
  /** How its pictures are cut. */
  tiles?: '2x2';
  lanes: number;
  newGroup: (random: Random, name: string) => string[];
  /** Whether an item is one of those that there are so many of. */
  isCounted: (id: string) => boolean;
  atFirst: number;
  atLeast: number;
  atMost: number;
}

/** Most of its items come as embeddings; they lie in cells. */
export const divided = 'crash';
/** Of texts and pictures, which can be embedded again. */
export const goingOver = 'again';

const ofEmbeddings = { newGroup: (random: Random, name: string) => idsOf(name, random.next() < 0.2 ? random.between(1, 3) : 0, random.between(1, 60)), isCounted: (id: string) => !isText(id) };
const ofContents = { newGroup: (random: Random, name: string) => idsOf(name, random.between(1, 16), 0, random.between(0, 3)), isCounted: () => true };

/** With the store's own settings, but for cells, which come sooner. */
export const usual: CrashSize = {
  store: { cellsFrom: 1_000 },
  places: {
    // A little above the number from which on there are cells.
    [divided]: { lanes: 3, ...ofEmbeddings, atFirst: 1_120, atLeast: 1_080, atMost: 2_400 },
    [goingOver]: { lanes: 1, tiles: '2x2', ...ofContents, atFirst: 200, atLeast: 150, atMost: 400 },
  },
  answeredLastLookedUp: 60,
  olderItemsLookedUp: 30,
  questions: 6,
  atTheEnd: 3_000,
};

/** About half of that. */
export const small: CrashSize = {
  store: { cellsFrom: 500 },
  places: {
    [divided]: { lanes: 3, ...ofEmbeddings, atFirst: 560, atLeast: 540, atMost: 1_200 },
    [goingOver]: { lanes: 1, tiles: '2x2', ...ofContents, atFirst: 40, atLeast: 30, atMost: 80 },
  },
  answeredLastLookedUp: 50,
  olderItemsLookedUp: 20,
  questions: 3,
  atTheEnd: 120,
};

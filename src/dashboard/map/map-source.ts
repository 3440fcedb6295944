/** What a map is drawn from: all that is asked of the service. */
import type { Item } from '../../contract/items.js';
import type { Job } from '../../contract/jobs.js';
import type { CollectionMap } from '../../contract/map.js';
import type { Positions } from './points.js';

/** `job` names it: pictures and points of another one never stand under this one's. */
export type MapState = CollectionMap;

/** What a field says of each point. */
export type Values =
  | { kind: 'categories'; categories: string[]; /** An index into the categories by number; 255: another one, or none. */ of: Uint8Array }
  | { kind: 'numbers' | 'times'; /** By number; times in seconds since 1970; NaN: none. */ of: Float32Array };

export interface MapItem extends Item {
  number: number;
}

interface Signaled {
  signal?: AbortSignal;
}

export interface MapSource {
  readonly collection: string;
  /** Undefined: there is none yet. */
  map(options?: Signaled): Promise<MapState | undefined>;
  /** Of those `from` to `to` (not it). */
  points(map: MapState, range: { from: number; to: number } & Signaled): Promise<Positions>;
  sheet(map: MapState, sheet: number, options?: Signaled): Promise<Blob>;
  /** A larger picture of one. */
  picture(id: string, options?: Signaled): Promise<Blob>;
  /** Those that are still there, at most 1,000. */
  items(numbers: readonly number[], options?: Signaled): Promise<MapItem[]>;
  /** Undefined: it is not on the map. */
  itemOf(id: string, options?: Signaled): Promise<MapItem | undefined>;
  /** Of those of the ids that are on the map. */
  numbersOf(ids: readonly string[], options?: Signaled): Promise<Map<string, number>>;
  /** Each point's cosine with the words, by number; NaN where it has none. */
  scores(map: MapState, words: string, options?: Signaled): Promise<Float32Array>;
  values(map: MapState, field: string, options?: Signaled): Promise<Values>;
  /** Which cluster each point is in; undefined: there are none yet. */
  clusters(map: MapState, options?: Signaled): Promise<Values | undefined>;
  /** `place`: only those that came since, near their neighbors on the map that is there. */
  make(how: { place?: true }): Promise<Job>;
}

/** What a map is drawn from: all that is asked of the service. */
import type { Item } from '../../contract/items.js';
import type { Job } from '../../contract/jobs.js';
import type { Positions } from './points.js';

export interface MapState {
  /** Which map it is: pictures and points of another one never stand under this one's. */
  job: string;
  made_at: string;
  count: number;
  /** Rising numbers of points; the last is `count`. */
  levels: number[];
  sheets: SheetShape & { count: number };
  stale: { added: number; removed: number };
}

/** How small pictures lie on a sheet: number n stands on sheet n / (columns * rows), row by row, each in a square of `size` pixels. */
export interface SheetShape {
  columns: number;
  rows: number;
  size: number;
}

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
  points(range: { from: number; to: number } & Signaled): Promise<Positions>;
  sheet(map: MapState, sheet: number, options?: Signaled): Promise<Blob>;
  /** A larger picture of one. */
  picture(id: string, options?: Signaled): Promise<Blob>;
  /** Those that are still there, at most 1,000. */
  items(numbers: readonly number[], options?: Signaled): Promise<MapItem[]>;
  /** Each point's cosine with the words, by number; NaN where it has none. */
  scores(words: string, options?: Signaled): Promise<Float32Array>;
  values(field: string, options?: Signaled): Promise<Values>;
  make(): Promise<Job>;
}

/** Of the latest clusters. */
export const clusterField = '$cluster';

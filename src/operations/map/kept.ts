/** What the store keeps of a map. */
import { modalities, type Modality } from '../../domain/modality.js';
import type { Filter } from '../../domain/filter.js';
import type { Catalog } from '../../store/catalog.js';
import { MixspaceError } from '../../errors.js';
import type { FindingSummary } from '../finding-summary.js';

export const mapJob = 'map';

export interface MapSummary extends FindingSummary {
  made_at: string;
  model: string;
  fingerprint: string;
  modality?: Modality;
  filter?: Filter;
  neighbors: number;
  /** Points. */
  count: number;
  /** Entries of the list of points. */
  pages: number;
  levels: number[];
  trustworthiness?: number;
}

/** Points by number, from `from` on. */
interface KeptPage {
  from: number;
  ids: string[];
  /** A letter each, as `letters` has them. */
  kinds: string;
  /** x0, y0, ...: base64 of little-endian float32. */
  at: string;
}

const pointsList = 'points';
const pointsOfPage = 500;
const pagesAtOnce = 20;
const letters = modalities.map((modality) => modality[0]!);

export interface Points {
  ids: string[];
  /** Places in the list of modalities. */
  kinds: Uint8Array;
  /** x0, y0, ... */
  at: Float32Array;
}

/** Behind the first `pages` pages and `from` points; how many pages there are then. */
export async function putPoints(catalog: Catalog, { collection, job, signal }: { collection: string; job: string; signal: AbortSignal }, { ids, kinds, at }: Points, { pages, from }: { pages: number; from: number }): Promise<number> {
  let page = pages;
  for (let place = 0; place < ids.length; place += pointsOfPage, page++) {
    signal.throwIfAborted();
    const end = Math.min(ids.length, place + pointsOfPage);
    const body: KeptPage = { from: from + place, ids: ids.slice(place, end), kinds: Array.from(kinds.subarray(place, end), (kind) => letters[kind]).join(''), at: Buffer.from(at.slice(2 * place, 2 * end).buffer).toString('base64') };
    await catalog.putResultEntries(collection, { kind: mapJob, job }, pointsList, [{ number: page, body }]);
  }
  return page;
}

/** Of a page that is damaged, as of items that have gone. */
export async function readPoints(catalog: Catalog, collection: string, job: string, { count, pages }: MapSummary): Promise<Points> {
  const points: Points = { ids: new Array<string>(count).fill(''), kinds: new Uint8Array(count), at: new Float32Array(2 * count).fill(NaN) };
  for (let after = -1; after < pages - 1; after += pagesAtOnce) {
    const { entries } = await catalog.listResultEntries(collection, job, pointsList, { limit: pagesAtOnce, after });
    for (const { number, body } of entries) {
      const { from, ids, kinds, at } = body as KeptPage;
      if (number >= pages || from + ids.length > count) continue;
      ids.forEach((id, i) => (points.ids[from + i] = id));
      for (let i = 0; i < kinds.length; i++) points.kinds[from + i] = Math.max(0, letters.indexOf(kinds[i]!));
      points.at.set(new Float32Array(Uint8Array.from(Buffer.from(at, 'base64')).buffer), 2 * from);
    }
  }
  return points;
}

/** @throws MixspaceError `not_found`: there is none yet. */
export async function latestMap(catalog: Catalog, collection: string): Promise<{ job: string; summary: MapSummary }> {
  const result = await catalog.getResult(collection, mapJob);
  if (!result) throw new MixspaceError('not_found', `No map of collection "${collection}" was made yet, or not to the end: POST to this path starts a job that does.`);
  return { job: result.job, summary: result.summary as MapSummary };
}

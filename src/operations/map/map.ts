import type { ClusterLanguage } from '../../contract/clusters.js';
import type { StartedJob } from '../../contract/duplicates.js';
import type { CollectionMap, MapItems, MapItemsRequest, MapPoints, MapRequest, MapScoresRequest, MapValues } from '../../contract/map.js';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import type { Picture } from '../../store/catalog.js';
import type { Caller, Context, JobContext } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldItem } from '../items.js';
import { toldJob } from '../jobs.js';
import { withoutNegated } from '../search/negation/query.js';
import { partEmbeddings, queryEmbedding, queryOf } from '../search/query.js';
import { listedFor, usualNeighbors, type MapParameters } from './job.js';
import { latestMap, mapJob } from './kept.js';
import type { LiveMap } from './live-map.js';
import { ofSheet, sheetShape } from './sheets.js';
import { valuesOf } from './values.js';

const pageSize = 100;
const itemsAtOnce = 16;
const bytesType = 'application/octet-stream';
/** Its tag says whether it is still what it was. */
const askedAgain = 'private, no-cache';
const notAtAll = 'no-store';

/** Bytes, and how long whoever asked may keep them. */
export type Bytes = Picture & { cacheControl: string };

/** `POST .../map`. @throws MixspaceError `not_found`; `unprocessable`: nothing to be mapped, or too much; `conflict`: the map to place on is of another space; `overloaded`. */
export async function makeMap(context: JobContext, collection: string, { modality, filter, neighbors = usualNeighbors, place }: MapRequest): Promise<StartedJob> {
  if (place) await checkSpace(context, collection);
  else await listedFor(context, collection, { modality, filter });
  const parameters: MapParameters = place ? { neighbors, place } : { neighbors, ...(modality && { modality }), ...(filter && { filter }) };
  const { job } = await context.jobs.start(mapJob, { collection, parameters });
  return { job: toldJob(job) };
}

async function checkSpace({ catalog }: Context, collection: string): Promise<void> {
  const { summary } = await latestMap(catalog, collection);
  const { fingerprint } = await catalog.getCollection(collection);
  if (summary.fingerprint !== fingerprint) throw new MixspaceError('conflict', 'The map was made of another space than the collection is in by now: make it anew.', { param: 'place' });
}

/** `GET .../map`. @throws MixspaceError `not_found`: there is none yet. */
export async function getMap(context: Context, collection: string): Promise<CollectionMap> {
  const map = await mapOf(context, collection);
  const { made_at, model, fingerprint, modality, neighbors, count, levels, trustworthiness } = map.summary;
  const { keys } = await map.now();
  const missing = await map.missingNow();
  return {
    job: map.job,
    made_at,
    model,
    fingerprint,
    ...(modality && { modality }),
    neighbors,
    count,
    levels,
    ...(trustworthiness === undefined ? {} : { trustworthiness }),
    sheets: { count: Math.ceil(count / ofSheet), ...sheetShape },
    bounds: [-1, 1],
    stale: { added: missing.length, removed: keys.reduce((sum, key) => sum + (key === 0 ? 1 : 0), 0) },
  };
}

/** `GET .../map/points`: x0, y0, ... as little-endian float32; NaN of those that have gone. */
export async function mapPoints(context: Context, collection: string, { from = 0, to = Infinity, job }: { from?: number; to?: number; job?: string }): Promise<Bytes> {
  const map = await mapOf(context, collection, job);
  return bytesOf((await map.placesNow()).slice(2 * from, 2 * Math.min(to, map.count)));
}

/** `GET .../map/items`. */
export async function listMapItems(context: Context, collection: string, { from = 0, limit = pageSize, job }: { from?: number; limit?: number; job?: string }): Promise<MapPoints> {
  const map = await mapOf(context, collection, job);
  const { keys } = await map.now();
  const { ids, kinds, at } = map.points;
  const numbers = Array.from({ length: Math.max(0, Math.min(limit, map.count - from)) }, (_, i) => from + i);
  return { items: numbers.filter((number) => keys[number] !== 0).map((number) => ({ number, id: ids[number]!, modality: modalities[kinds[number]!]!, x: at[2 * number]!, y: at[2 * number + 1]! })) };
}

/** `POST .../map/items`: the items whole. */
export async function getMapItems(context: Context, collection: string, { numbers, ids, job }: MapItemsRequest): Promise<MapItems> {
  const map = await mapOf(context, collection, job);
  const { keys } = await map.now();
  const wanted = numbers ?? ids!.flatMap((id) => map.numberOf(id) ?? []);
  const there = wanted.filter((number) => number < map.count && keys[number] !== 0);
  const items = await mapLimited(there, itemsAtOnce, (number) => context.catalog.getItem(collection, map.points.ids[number]!).catch(unlessGone));
  return { items: items.flatMap((item, i) => (item ? [{ ...toldItem(collection, item), number: there[i]! }] : [])) };
}

/** `GET .../map/sheets/{n}`. `known`: tags of sheets that the caller has; where it is one of them, it comes without bytes. */
export async function mapSheet(context: Context, collection: string, n: number, { job, known }: { job?: string; known: string[] }): Promise<Omit<Bytes, 'bytes'> & { bytes: Uint8Array | undefined; tag: string }> {
  const map = await mapOf(context, collection, job);
  const { tag, bytes, isWhole } = await context.maps.sheets.of(context.catalog, map, n, known);
  return { bytes, tag, mediaType: 'image/webp', cacheControl: isWhole ? askedAgain : notAtAll };
}

/** `POST .../map/scores`: cosines of all points with a query, as little-endian float32. @throws MixspaceError what a search's query may throw. */
export async function mapScores(context: Context, name: string, { modality, filter, job, ...request }: MapScoresRequest, caller: Caller): Promise<Bytes> {
  const map = await mapOf(context, name, job);
  const sent = queryOf(request, undefined);
  const query = request.negation === 'auto' ? withoutNegated(sent) : sent;
  const scores = await inItsSpace(context, name, async (collection) => {
    const embedding = queryEmbedding(query, await partEmbeddings(context, collection, query, caller));
    return context.maps.scores.of(context.catalog, map, { embedding, fingerprint: collection.fingerprint }, caller.signal);
  });
  if (modality !== undefined || filter !== undefined) {
    const matches = await map.matching({ modality, filter });
    scores.forEach((_, number) => !matches(number) && (scores[number] = NaN));
  }
  return bytesOf(scores);
}

/** `GET .../map/values`. */
export async function mapValues(context: Context, collection: string, { field, job, language }: { field: string; job?: string | undefined; language?: ClusterLanguage | undefined }): Promise<MapValues> {
  return valuesOf(context.catalog, await mapOf(context, collection, job), field, language);
}

/** @throws MixspaceError `not_found`: there is none, or it is not the one of that job. */
async function mapOf({ catalog, maps }: Context, collection: string, job?: string): Promise<LiveMap> {
  const map = await maps.live.of(catalog, collection);
  if (job !== undefined && job !== map.job) throw new MixspaceError('not_found', `The map of job "${job}" is not there: the latest of collection "${collection}" is that of job "${map.job}".`, { param: 'job' });
  return map;
}

function unlessGone(error: unknown): undefined {
  if (error instanceof MixspaceError && error.code === 'not_found') return undefined;
  throw error;
}

const bytesOf = (numbers: Float32Array): Bytes => ({ bytes: new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), mediaType: bytesType, cacheControl: notAtAll });

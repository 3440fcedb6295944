import { z } from 'zod';
import { ClusterLanguage } from './clusters.js';
import { FieldName, Filter } from './filter.js';
import { Item } from './items.js';
import { limits } from './limits.js';
import { SearchRequest } from './search.js';
import { CollectionName, Modality } from './shared.js';
import { list, maybe } from './zod-helpers.js';

export const MapRequest = z
  .strictObject({
    modality: maybe(Modality).meta({ description: 'Only these. Left out: all; each kind less its mean, so that texts lie among the pictures they speak of.' }),
    filter: maybe(Filter).meta({ description: 'Only items that match.' }),
    neighbors: maybe(z.number().int().min(2, 'neighbors is at least 2.').max(limits.mapNeighbors, `neighbors is at most ${limits.mapNeighbors}.`)).meta({ description: 'How many of its nearest each item is drawn to. Default 15; more show the whole, fewer the detail.' }),
    place: maybe(z.boolean()).meta({ description: 'true: no map is made; items that came since are placed near their neighbors on the one that is there, and nothing on it moves. Without other fields.' }),
  })
  .refine(({ place, ...others }) => !place || Object.values(others).every((other) => other === undefined), { error: 'place: true goes with no other field: what is placed is of the kind that the map was made of.', path: ['place'] })
  .meta({ id: 'MapRequest' });
export type MapRequest = z.infer<typeof MapRequest>;

export const CollectionMap = z
  .object({
    job: z.string().meta({ description: 'That made it; it names the map.' }),
    made_at: z.string(),
    model: z.string(),
    fingerprint: z.string().meta({ description: "Of the space that it was made of; the collection's may be another by now." }),
    modality: Modality.optional(),
    neighbors: z.number().int(),
    count: z.number().int().meta({ description: 'Points, numbered from 0.' }),
    levels: z.array(z.number().int()).meta({ description: 'Rising numbers of points, the last being `count`: the first so many cover the whole map evenly, ever more closely. Within a level neighbors in number are neighbors on the map.' }),
    trustworthiness: z.number().optional().meta({ description: 'At 15, 0..1, measured of 200 points: how far neighbors on the map are neighbors in truth (Venna & Kaski 2001). Left out of few.' }),
    sheets: z.object({ count: z.number().int(), columns: z.number().int(), rows: z.number().int(), size: z.number().int().meta({ description: 'Pixels of the side of one thumbnail.' }) }),
    bounds: z.tuple([z.number(), z.number()]).meta({ description: 'Of x and of y.' }),
    stale: z.object({ added: z.number().int(), removed: z.number().int() }).meta({ description: 'Items that came since and have no place, and points whose items have gone.' }),
  })
  .meta({ id: 'CollectionMap' });
export type CollectionMap = z.infer<typeof CollectionMap>;

export const MapPoint = z
  .object({ number: z.number().int(), id: z.string(), modality: Modality, x: z.number(), y: z.number() })
  .meta({ id: 'MapPoint' });
export type MapPoint = z.infer<typeof MapPoint>;

export const MapPoints = z.object({ items: z.array(MapPoint).meta({ description: 'By number; those that have gone are left out.' }) }).meta({ id: 'MapPoints' });
export type MapPoints = z.infer<typeof MapPoints>;

const PointNumber = z.number().int('A number of a point is whole.').min(0, 'Numbers of points begin at 0.').max(2 ** 31);
export const MapItemsRequest = z
  .strictObject({
    numbers: maybe(list(PointNumber).max(limits.mapItems, `At most ${limits.mapItems} numbers.`)),
    ids: maybe(list(z.string().max(limits.idBytes)).max(limits.mapItems, `At most ${limits.mapItems} ids.`)).meta({ description: 'In place of numbers.' }),
    job: maybe(z.string().max(limits.jobIdLength)).meta({ description: 'Of the map that is meant: 404 once there is another.' }),
  })
  .refine(({ numbers, ids }) => (numbers === undefined) !== (ids === undefined), { error: 'Say numbers or ids, one of the two.', path: ['numbers'] })
  .meta({ id: 'MapItemsRequest' });
export type MapItemsRequest = z.infer<typeof MapItemsRequest>;

export const MapItems = z
  .object({ items: z.array(Item.extend({ number: z.number().int() })).meta({ description: 'In the order asked for; those that have gone, or are not on the map, are left out.' }) })
  .meta({ id: 'MapItems' });
export type MapItems = z.infer<typeof MapItems>;

export const MapScoresRequest = z
  .strictObject({
    query: SearchRequest.shape.query,
    likes: SearchRequest.shape.likes,
    dislikes: SearchRequest.shape.dislikes,
    negation: SearchRequest.shape.negation,
    modality: maybe(Modality).meta({ description: 'All other points are NaN.' }),
    filter: maybe(Filter).meta({ description: 'Points whose items do not match are NaN.' }),
    job: maybe(z.string().max(limits.jobIdLength)).meta({ description: 'Of the map that is meant: 404 once there is another.' }),
  })
  .meta({ id: 'MapScoresRequest' });
export type MapScoresRequest = z.infer<typeof MapScoresRequest>;

export const MapValues = z
  .object({
    field: z.string(),
    kind: z.enum(['categories', 'numbers', 'times']),
    categories: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional().meta({ description: 'The most frequent first, at most 255.' }),
    rest: z.number().int().optional().meta({ description: 'Points with another category than these, strings of over 256 characters among them.' }),
    missing: z.number().int().meta({ description: 'Points without a value, those that have gone among them.' }),
    min: z.number().optional(),
    max: z.number().optional(),
    values: z.string().meta({ description: 'Base64, by number: of categories a byte, its place among them, 255 for another one or none; else a little-endian float32, NaN for none. Times are seconds since 1970, to some two minutes.' }),
  })
  .meta({ id: 'MapValues' });
export type MapValues = z.infer<typeof MapValues>;

/** The clusters as they were made last, as a field. */
export const clusterField = '$cluster';

const whole = (name: string, most: number) => z.string().regex(/^\d{1,9}$/, `${name} is a whole number.`).refine((text) => Number(text) <= most, `${name} is at most ${most}.`).meta({ type: 'integer', minimum: 0, maximum: most });
const job = z.string().max(limits.jobIdLength).optional().meta({ description: 'Of the map that is meant: 404 once there is another.' });
const mostPoints = 2 ** 29;
export const MapPointsQuery = z.strictObject({ from: whole('from', mostPoints).optional(), to: whole('to', mostPoints).optional().meta({ description: 'That one excluded.' }), job });
export const MapItemsQuery = z.strictObject({ from: whole('from', mostPoints).optional(), limit: z.string().regex(/^[1-9]\d{0,8}$/, 'limit is a whole number.').refine((text) => Number(text) <= limits.mapItems, `limit is at most ${limits.mapItems}.`).meta({ type: 'integer', minimum: 1, maximum: limits.mapItems }).optional(), job });
export const MapSheetParams = z.object({ name: CollectionName, n: whole('n', mostPoints) });
export const MapSheetQuery = z.strictObject({ job });
export const MapValuesQuery = z.strictObject({ field: z.union([z.literal(clusterField), FieldName], { error: `field is one of the metadata, one of the items' own, or ${clusterField}.` }), job, language: ClusterLanguage.optional().meta({ description: `Of the names of ${clusterField}. Default: the one that they were made in.` }) });

/** A field of all items at once, as a map is colored by it. */
import type { MapValues } from '../../contract/map.js';
import type { ClusterLanguage } from '../../contract/clusters.js';
import { clusterField } from '../../contract/map.js';
import type { Scalar } from '../../domain/filter.js';
import { timeOf } from '../../domain/times.js';
import type { Catalog } from '../../store/catalog.js';
import { clustersJob, clustersList, membersList, type ClustersSummary, type KeptCluster, type KeptMember } from '../clusters/kept.js';
import { renamedInto } from '../clusters/naming.js';
import { MixspaceError } from '../../errors.js';
import type { LiveMap } from './live-map.js';

const mostCategories = 255;
const other = 255;
const keysAtOnce = 10_000;
/** A longer string is no category. */
const longestCategory = 256;
const membersAtOnce = 5_000;

/** `language`: of the names of clusters; left out: as they were made. */
export async function valuesOf(catalog: Catalog, map: LiveMap, field: string, language?: ClusterLanguage): Promise<MapValues> {
  if (field === clusterField) return clustersOn(catalog, map, language);
  const { keys } = await map.now();
  const values: (Scalar | undefined)[] = [];
  for (let from = 0; from < keys.length; from += keysAtOnce) values.push(...(await catalog.valuesOfKeys(map.collection, field, keys.slice(from, from + keysAtOnce))));
  return told(field, values);
}

/** Numbers and times only where all are; `null` counts as no value among them. */
function told(field: string, values: (Scalar | undefined)[]): MapValues {
  const present = values.filter((value) => value !== undefined && value !== null);
  if (present.length > 0 && present.every((value) => typeof value === 'number')) return measured(field, 'numbers', values.map((value) => (typeof value === 'number' ? value : NaN)));
  if (present.length > 0 && present.every((value) => typeof value === 'string' && timeOf(value) !== undefined)) return measured(field, 'times', values.map((value) => (typeof value === 'string' ? timeOf(value)! / 1000 : NaN)));
  return categorized(field, values);
}

function measured(field: string, kind: 'numbers' | 'times', numbers: number[]): MapValues {
  let [min, max, missing] = [Infinity, -Infinity, 0];
  for (const number of numbers) {
    if (Number.isNaN(number)) missing++;
    else [min, max] = [Math.min(min, number), Math.max(max, number)];
  }
  return { field, kind, min, max, missing, values: base64(Float32Array.from(numbers)) };
}

/** `order`: which categories there are, where that is known; left out: by how many have them, ties as they come. */
function categorized(field: string, values: (Scalar | undefined)[], order?: Scalar[]): MapValues {
  const counts = new Map<Scalar, number>();
  let missing = 0;
  for (const value of values) {
    if (value === undefined) missing++;
    else if (!isTooLong(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const categories = (order ?? [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value)).slice(0, mostCategories);
  const placeOf = new Map(categories.map((value, place) => [value, place]));
  let rest = 0;
  const places = Uint8Array.from(values, (value) => {
    const place = value === undefined ? undefined : placeOf.get(value);
    if (value !== undefined && place === undefined) rest++;
    return place ?? other;
  });
  return { field, kind: 'categories', categories, rest, missing, values: base64(places) };
}

async function clustersOn(catalog: Catalog, map: LiveMap, language: ClusterLanguage | undefined): Promise<MapValues> {
  const result = await catalog.getResult(map.collection, clustersJob);
  if (!result) throw new MixspaceError('not_found', `No clusters of collection "${map.collection}" were made yet.`, { param: 'field' });
  const made = (result.summary as ClustersSummary).language;
  const kept = (await catalog.listResultEntries(map.collection, result.job, clustersList, { limit: 1_000 })).entries.map(({ body }) => body as KeptCluster);
  const clusters = renamedInto(language ?? made, kept, made);
  const values = new Array<Scalar | undefined>(map.count).fill(undefined);
  for (const { id, name } of clusters) {
    for (let after: number | undefined, more = true; more; ) {
      const page = await catalog.listResultEntries(map.collection, result.job, membersList(id), { limit: membersAtOnce, ...(after === undefined ? {} : { after }) });
      for (const { body } of page.entries) {
        const number = map.numberOf((body as KeptMember).id);
        if (number !== undefined) values[number] = name;
      }
      after = page.entries.at(-1)?.number;
      more = page.more && after !== undefined;
    }
  }
  const { keys } = await map.now();
  return categorized(clusterField, values.map((value, number) => (keys[number] === 0 ? undefined : value)), clusters.map(({ name }) => name));
}

const isTooLong = (value: Scalar): boolean => typeof value === 'string' && value.length > longestCategory;

const base64 = (numbers: Float32Array | Uint8Array): string => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString('base64');

import type { MixspaceClient } from '../../client/index.js';
import { limits } from '../../contract/limits.js';
import { clusterField, type MapValues } from '../../contract/map.js';
import type { Language } from '../shell/language.js';
import { whereFound } from '../shell/where-found.js';
import type { MapSource, Values } from './map-source.js';

/** A collection's map, as the service has it; its clusters are named in the language. */
export function serviceSource(client: MixspaceClient, collection: string, language: Language): MapSource {
  return {
    collection,
    map: async (options) => (await whereFound('map', { client, collection, ...options }, () => client.map(collection, options)))?.found,
    points: ({ job }, { from, to, signal }) => client.mapPoints(collection, { from, to, job }, { ...(signal && { signal }) }),
    sheet: ({ job }, sheet, options) => client.mapSheet(collection, sheet, { job, ...options }),
    picture: (id, options) => client.image(collection, id, 'thumbnail', options),
    items: async (numbers, options) => (await client.mapItemsOf(collection, { numbers: [...numbers] }, options)).items,
    itemOf: async (id, options) => (await client.mapItemsOf(collection, { ids: [id] }, options)).items[0],
    numbersOf: async (ids, options) => {
      const numbers = new Map<string, number>();
      for (let from = 0; from < ids.length; from += limits.mapItems) {
        const { items } = await client.mapItemsOf(collection, { ids: ids.slice(from, from + limits.mapItems) }, options);
        for (const { id, number } of items) numbers.set(id, number);
      }
      return numbers;
    },
    scores: ({ job }, words, options) => client.mapScores(collection, { query: words, job }, options),
    values: async ({ job }, field, options) => valuesOf(await client.mapValues(collection, field, { job, ...(field === clusterField && { language }), ...options })),
    clusters: async ({ job }, options) => {
      const clusters = await whereFound('clusters', { client, collection, ...options }, () => client.mapValues(collection, clusterField, { job, language, ...options }));
      return clusters && valuesOf(clusters.found);
    },
    make: (body) => client.makeMap(collection, body),
  };
}

function valuesOf({ kind, categories = [], values }: MapValues): Values {
  const bytes = Uint8Array.from(atob(values), (character) => character.charCodeAt(0));
  return kind === 'categories' ? { kind, categories: categories.map(String), of: bytes } : { kind, of: new Float32Array(bytes.buffer) };
}

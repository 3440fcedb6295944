import type { MixspaceClient } from '../../client/index.js';
import type { MapItem, MapSource, MapState, Values } from './map-source.js';

/** A collection's map, as the service has it. */
export function serviceSource(client: MixspaceClient, collection: string): MapSource {
  const at = (path: string): string => `${client.url}/v1/collections/${encodeURIComponent(collection)}/map${path}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(at(path), init);
    if (!response.ok) throw Object.assign(new Error(((await response.json()) as { error: { message: string } }).error.message), { status: response.status });
    return response;
  };
  const post = (path: string, body: object, signal: AbortSignal | undefined): Promise<Response> => ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: signal ?? null });
  const floats = async (response: Response): Promise<Float32Array> => new Float32Array(await response.arrayBuffer());
  return {
    collection,
    map: ({ signal } = {}) =>
      ask('', { signal: signal ?? null }).then(
        async (response) => (await response.json()) as MapState,
        (error: unknown) => {
          if ((error as { status?: number }).status === 404) return undefined;
          throw error;
        },
      ),
    points: async ({ from, to, signal }) => floats(await ask(`/points?from=${from}&to=${to}`, { signal: signal ?? null })),
    sheet: async ({ job }, sheet, { signal } = {}) => (await ask(`/sheets/${sheet}?job=${encodeURIComponent(job)}`, { signal: signal ?? null })).blob(),
    picture: (id, options) => client.image(collection, id, 'thumbnail', options),
    items: async (numbers, { signal } = {}) => ((await (await post('/items', { numbers }, signal)).json()) as { items: MapItem[] }).items,
    scores: async (words, { signal } = {}) => floats(await post('/scores', { query: words }, signal)),
    values: async (field, { signal } = {}) => valuesOf((await (await ask(`/values?field=${encodeURIComponent(field)}`, { signal: signal ?? null })).json()) as EncodedValues),
    make: async () => ((await (await post('', {}, undefined)).json()) as { job: never }).job,
  };
}

interface EncodedValues {
  kind: Values['kind'];
  categories?: unknown[];
  values: string;
}

function valuesOf({ kind, categories = [], values }: EncodedValues): Values {
  const bytes = Uint8Array.from(atob(values), (character) => character.charCodeAt(0));
  return kind === 'categories' ? { kind, categories: categories.map(String), of: bytes } : { kind, of: new Float32Array(bytes.buffer) };
}

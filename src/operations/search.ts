import type { QueryPart, SearchRequest, SearchResponse, WeightedQuery } from '../contract/search.js';
import { sha256 } from '../content-hash.js';
import { MixspaceError } from '../errors.js';
import type { Collection, SearchRequest as StoreRequest } from '../store/store.js';
import { requireModel, type Caller, type Context } from './context.js';
import { openCursor, sealCursor } from './cursor.js';
import { inItsSpace } from './in-space.js';
import { checkedEmbedding, normalizedSum } from './embedding.js';
import { encodeInputs, resolveInputs } from './inputs.js';
import { toldOf } from './items.js';

const pageSize = 10;

/** `POST /v1/collections/{name}/search`: the query's embedding, then its neighbors in the store. */
export async function search(context: Context, name: string, request: SearchRequest, file: Uint8Array | undefined, caller: Caller): Promise<SearchResponse> {
  const parts = queryParts(request, file);
  const work = (collection: Collection): Promise<SearchResponse> => searchIn(context, collection, request, parts, file, caller);
  // Of an embedding that came without its fingerprint nobody knows whether it is of the other space too.
  const isOfOneSpace = parts.some(({ input }) => typeof input === 'object' && 'embedding' in input && input.fingerprint === undefined);
  return isOfOneSpace ? work(await context.store.getCollection(name)) : inItsSpace(context, name, work);
}

async function searchIn(context: Context, collection: Collection, request: SearchRequest, parts: WeightedQuery[], file: Uint8Array | undefined, caller: Caller): Promise<SearchResponse> {
  const started = performance.now();
  const { name, fingerprint } = collection;
  const scope = (): Promise<unknown> => cursorScope(collection, request, parts, file);
  const after = request.cursor === undefined ? undefined : await placeOf(request.cursor, await scope());
  const embedding = await queryEmbedding(context, collection, parts, file, caller);

  const searching = performance.now();
  const limit = request.limit ?? pageSize;
  const excludeIds = parts.flatMap(({ input }) => (typeof input === 'object' && 'id' in input ? [input.id] : []));
  const answer = await context.store.search(name, {
    embedding,
    fingerprint,
    limit,
    excludeIds,
    ...(request.modality === undefined ? {} : { modality: request.modality }),
    ...(request.filter === undefined ? {} : { filter: request.filter }),
    ...(request.min_score === undefined ? {} : { minScore: request.min_score }),
    ...(request.exact === undefined ? {} : { exact: request.exact }),
    ...(after === undefined ? {} : { after }),
  });
  context.stage('store_search', (performance.now() - searching) / 1000);

  const last = answer.matches.at(-1);
  return {
    matches: answer.matches.map(({ item, score }) => ({ ...toldOf(name, item), score })),
    ...(answer.more && last ? { next_cursor: await sealCursor([last.score, last.item.id, (after?.rank ?? 0) + answer.matches.length], await scope()) } : {}),
    exact: answer.exact,
    took_ms: Math.round((performance.now() - started) * 100) / 100,
  };
}

function queryParts(request: SearchRequest, file: Uint8Array | undefined): WeightedQuery[] {
  const query = request.query ?? (file ? ({ file: true } as const) : undefined);
  if (query === undefined) throw new MixspaceError('invalid_request', 'query is missing.', { param: 'query' });
  const parts = Array.isArray(query) ? query : [{ input: query }];
  const wantsFile = parts.findIndex(({ input }) => typeof input === 'object' && 'file' in input);
  if (wantsFile >= 0 && !file) {
    throw new MixspaceError('invalid_request', '{"file": true} needs a multipart request with a part named file.', { param: Array.isArray(query) ? `query[${wantsFile}].input` : 'query' });
  }
  if (wantsFile < 0 && file) throw new MixspaceError('invalid_request', 'A file was sent, but the query does not use it: leave query out, or say {"file": true}.', { param: 'query' });
  return parts;
}

async function cursorScope({ name, fingerprint }: Collection, request: SearchRequest, parts: WeightedQuery[], file: Uint8Array | undefined): Promise<unknown> {
  return ['search', name, fingerprint, parts, file ? await sha256(file, 'hex') : null, request.modality ?? null, request.filter ?? null, request.min_score ?? null, request.exact ?? false];
}

async function placeOf(cursor: string, scope: unknown): Promise<NonNullable<StoreRequest['after']>> {
  const [score, id, rank] = await openCursor(cursor, scope);
  if (typeof score !== 'number' || typeof id !== 'string' || !Number.isSafeInteger(rank) || typeof rank !== 'number') throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return { score, id, rank };
}

async function queryEmbedding(context: Context, collection: Collection, parts: WeightedQuery[], file: Uint8Array | undefined, caller: Caller): Promise<Float32Array> {
  const single = parts.length === 1 && parts[0]!.weight === undefined;
  const field = (index: number): string => (single ? 'query' : `query[${index}].input`);
  const embedded = await Promise.all(parts.map(({ input }, index) => partEmbedding(context, collection, input, file, caller, field(index))));
  const sum = normalizedSum(embedded.map((embedding, index) => ({ embedding, weight: parts[index]!.weight ?? 1 })));
  if (!sum) throw new MixspaceError('unprocessable', 'The weighted queries add up to zero: there is no direction to search in.', { param: 'query' });
  return sum;
}

async function partEmbedding(context: Context, collection: Collection, part: QueryPart, file: Uint8Array | undefined, caller: Caller, field: string): Promise<Float32Array> {
  if (typeof part === 'object' && 'id' in part) {
    try {
      return await context.store.getEmbedding(collection.name, part.id);
    } catch (error) {
      throw error instanceof MixspaceError ? error.at(`${field}.id`) : error;
    }
  }
  if (typeof part === 'object' && 'embedding' in part) {
    return checkedEmbedding(part.embedding, part.fingerprint, collection, field);
  }
  const model = await requireModel(context, collection);
  const encoding = performance.now();
  if (typeof part === 'object' && 'file' in part) {
    const [outcome] = await context.encoder.encodeImages(model, [file!], { priority: 'interactive', signal: caller.signal });
    if (!outcome!.ok) throw outcome!.error.at('file');
    return outcome!.value.embedding;
  }
  const resolved = await resolveInputs(context, [part], caller, () => field);
  const [encoded] = await encodeInputs(context, model, resolved, 'interactive', caller, () => field);
  context.stage('encode_query', (performance.now() - encoding) / 1000);
  return encoded!.embedding;
}

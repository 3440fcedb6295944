import type { SearchRequest, SearchResponse } from '../../contract/search.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import type { Caller, Context } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldOf } from '../items.js';
import { withoutNegated } from './negation/query.js';
import { pageOf, planOf, type Place } from './plan.js';
import { isOfOneSpace, itemsNamedBy, kindOf, queryEmbedding, queryOf, type Query } from './query.js';

const pageSize = 10;

/**
 * `POST /v1/collections/{name}/search`: the query's embedding, its neighbors in each list of the plan, one page of them.
 * `file`: what came beside the request, for a part of the query to mean.
 */
export async function search(context: Context, name: string, { file, ...request }: SearchRequest & { file: Uint8Array | undefined }, caller: Caller): Promise<SearchResponse> {
  const query = queryOf(request, file);
  const work = (collection: Collection): Promise<SearchResponse> => searchIn(context, collection, { request, query }, caller);
  return isOfOneSpace(query) ? work(await context.catalog.getCollection(name)) : inItsSpace(context, name, work);
}

async function searchIn(context: Context, collection: Collection, { request, query: sent }: { request: SearchRequest; query: Query }, caller: Caller): Promise<SearchResponse> {
  const started = performance.now();
  const scope = scopeOf(collection, request, sent);
  const after = request.cursor === undefined ? undefined : placeOf(await context.cursors.open(request.cursor, scope));
  const plan = planOf({
    limit: request.limit ?? pageSize,
    ...(request.modality === undefined ? {} : { modality: request.modality }),
    ...(request.min_score === undefined ? {} : { minScore: request.min_score }),
    ...(after === undefined ? {} : { after }),
  });
  const query = request.negation === 'auto' ? withoutNegated(sent) : sent;
  const embedding = await queryEmbedding(context, collection, query, caller);

  const searching = performance.now();
  const lists = await context.index.nearest(collection.name, {
    embedding,
    kind: kindOf(query),
    fingerprint: collection.fingerprint,
    leaves: plan.leaves,
    most: plan.limit,
    excludeIds: itemsNamedBy(query),
    ...(request.filter === undefined ? {} : { filter: request.filter }),
    ...(request.exact === undefined ? {} : { exact: request.exact }),
  });
  context.stage('store_search', (performance.now() - searching) / 1000);

  const { matches, exact, next } = pageOf(plan, lists);
  return {
    matches: matches.map(({ item, score }) => ({ ...toldOf(collection.name, item), score })),
    ...(next ? { next_cursor: await context.cursors.seal([next.score, next.id, next.rank], scope) } : {}),
    exact,
    ...(query.negated.length === 0 ? {} : { negated: query.negated }),
    took_ms: Math.round((performance.now() - started) * 100) / 100,
  };
}

/** What a cursor is good for: all that decides which matches there are, and in which order. */
function scopeOf({ name, fingerprint }: Collection, request: SearchRequest, { parts, file }: Query): unknown {
  return ['search', name, fingerprint, parts, file ?? null, request.modality ?? null, request.filter ?? null, request.min_score ?? null, request.exact ?? false, request.negation ?? 'off'];
}

function placeOf([score, id, rank]: unknown[]): Place {
  if (typeof score !== 'number' || typeof id !== 'string' || typeof rank !== 'number') throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return { score, id, rank };
}

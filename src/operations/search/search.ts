import type { SearchRequest, SearchResponse } from '../../contract/search.js';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Collection, ListPlace } from '../../store/catalog.js';
import type { Caller, Context } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldOf } from '../items.js';
import { joined } from './lexical/join.js';
import { askedInWords, foundByWords, type FoundByWords } from './lexical/lexical.js';
import { listed } from './listing.js';
import { withoutNegated } from './negation/query.js';
import { pageOf, planOf, type Page, type Place } from './plan.js';
import { allOf, understandQuery } from './understand/query.js';
import { isOfOneSpace, itemsNamedBy, kindOf, queryEmbedding, queryOf, type Query } from './query.js';

const pageSize = 10;
/** Matches by embeddings that are joined with those by words. */
const joinedMatches = 1_000;

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
  const opened = request.cursor === undefined ? undefined : await context.cursors.open(request.cursor, scope);
  const { query: read, understood } = request.understand ? await understandQuery(context, collection, sent, request.understand) : { query: sent, understood: undefined };
  const query = request.negation === 'auto' ? withoutNegated(read) : read;
  const restricted = allOf([request.filter, ...(understood ?? []).map(({ filter }) => filter)]);
  const limit = request.limit ?? pageSize;
  const took = (): number => Math.round((performance.now() - started) * 100) / 100;
  if (understood && query.parts.length === 0) {
    const { items, next } = await listed(context, collection.name, {
      sort: request.sort,
      limit,
      ...allOf([restricted.filter, request.modality && { '$item.modality': request.modality }]),
      ...(opened ? { after: opened as ListPlace } : {}),
    });
    return { matches: items.map((item) => toldOf(collection.name, item)), ...(next ? { next_cursor: await context.cursors.seal(next, scope) } : {}), understood, exact: true, took_ms: took() };
  }
  const place = opened && placeOf(opened);
  const asked = request.lexical === 'auto' ? askedInWords(query) : undefined;
  const embedding = await queryEmbedding(context, collection, asked?.query ?? query, caller);

  const searching = performance.now();
  const excludeIds = itemsNamedBy(query);
  const common = {
    embedding,
    excludeIds,
    ...restricted,
  };
  const bound = request.min_score === undefined ? {} : { minScore: request.min_score };
  const worded = asked && (await foundByWords(context, collection, asked, { ...common, ...bound, modalities: request.modality === undefined ? [...modalities] : [request.modality] }));
  const near = async ({ limit, after, without = [] }: { limit: number; after?: Place; without?: string[] }): Promise<Page> => {
    const plan = planOf({
      limit,
      ...(request.modality === undefined ? {} : { modality: request.modality }),
      ...bound,
      ...(after === undefined ? {} : { after }),
    });
    const lists = await context.index.nearest(collection.name, {
      ...common,
      kind: kindOf(query),
      fingerprint: collection.fingerprint,
      leaves: plan.leaves,
      most: plan.limit,
      excludeIds: [...excludeIds, ...without],
      ...(asked ? { required: asked.required } : {}),
      ...(request.exact === undefined ? {} : { exact: request.exact }),
    });
    return pageOf(plan, lists);
  };
  const { matches, exact, next } = await pageFrom(near, worded, { limit, place });
  context.stage('store_search', (performance.now() - searching) / 1000);

  return {
    matches: matches.map(({ item, score }) => ({ ...toldOf(collection.name, item), score })),
    ...(next ? { next_cursor: await context.cursors.seal('joined' in next ? [next.joined] : [next.score, next.id, next.rank], scope) } : {}),
    ...(understood ? { understood } : {}),
    ...(query.negated.length > 0 ? { negated: query.negated } : {}),
    exact,
    took_ms: took(),
  };
}

/** Behind so many of the joined list. */
interface JoinedPlace {
  joined: number;
}

/** A page of what is near or, where words found something, of both lists joined; behind those come the others that are near. */
async function pageFrom(
  near: (request: { limit: number; after?: Place; without?: string[] }) => Promise<Page>,
  worded: FoundByWords | undefined,
  { limit, place }: { limit: number; place: Place | JoinedPlace | undefined },
): Promise<Omit<Page, 'next'> & { next?: Place | JoinedPlace }> {
  const without = worded?.matches.map(({ match }) => match.item.id) ?? [];
  if (place && !('joined' in place)) return near({ limit, after: place, without });
  if (!worded || (without.length === 0 && !place)) return near({ limit });
  const { matches, exact, next } = await near({ limit: joinedMatches });
  const list = joined(matches, worded.matches);
  const from = place?.joined ?? 0;
  const to = from + limit;
  const behind = to < list.length ? { joined: to } : next;
  return { matches: list.slice(from, to), exact: exact && worded.complete, ...(behind ? { next: behind } : {}) };
}

/** What a cursor is good for: all that decides which matches there are, and in which order. */
function scopeOf({ name, fingerprint }: Collection, request: SearchRequest, { parts, file }: Query): unknown {
  const { modality, filter, min_score, exact, lexical, negation, understand, sort } = request;
  return ['search', name, fingerprint, parts, file ?? null, modality ?? null, filter ?? null, min_score ?? null, exact ?? false, lexical ?? 'off', negation ?? 'off', understand ?? false, sort ?? null];
}

function placeOf(place: unknown[]): Place | JoinedPlace {
  const [score, id, rank] = place;
  if (place.length === 1 && typeof score === 'number') return { joined: score };
  if (typeof score !== 'number' || typeof id !== 'string' || typeof rank !== 'number') throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return { score, id, rank };
}

import { sortOf } from '../../contract/filter.js';
import type { SearchRequest, SearchResponse } from '../../contract/search.js';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import { requireModel } from '../collection-model.js';
import type { Caller, Context } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldOf } from '../items.js';
import { goingFrom, sealedPlace, type Going, type PagePlace } from './going.js';
import { joined, joinedPage } from './lexical/join.js';
import { foundByWords } from './lexical/lexical.js';
import { listed } from './listing.js';
import { NearList } from './near.js';
import type { Match, MatchPart } from './plan.js';
import { isOfOneSpace, itemsNamedBy, kindOf, queryEmbedding, queryOf, textsOf, type Asked, type Query } from './query.js';
import { readQuery, type ReadQuery } from './read-query.js';
import { leastRelevance } from './relevance/relevance.js';
import { unknownWords } from './relevance/unknown-words.js';
import { sortedPage } from './sorting.js';

const pageSize = 10;

/**
 * `POST /v1/collections/{name}/search`: what the query's sentence says, its embedding, its neighbors in each list of the plan,
 * what words found besides, one page of them. `file`: what came beside the request, for a part of the query to mean.
 */
export async function search(context: Context, name: string, { file, ...request }: SearchRequest & { file: Uint8Array | undefined }, caller: Caller): Promise<SearchResponse> {
  if (request.sort !== undefined && request.cutoff !== 'auto' && !request.understand) {
    throw new MixspaceError('invalid_request', 'sort is of what is relevant, with cutoff "auto", or of what understand leaves nothing to search for.', { param: 'sort' });
  }
  const query = queryOf(request, file);
  const work = (collection: Collection): Promise<SearchResponse> => searchIn(context, collection, { request, query }, caller);
  return isOfOneSpace(query) ? work(await context.catalog.getCollection(name)) : inItsSpace(context, name, work);
}

async function searchIn(context: Context, collection: Collection, { request, query: sent }: Asked, caller: Caller): Promise<SearchResponse> {
  const started = performance.now();
  const scope = scopeOf(collection, request, sent);
  const going = request.cursor === undefined ? undefined : goingFrom(await context.cursors.open(request.cursor, scope));
  const read = await readQuery(context, collection, { request, query: sent });
  const found = await (read.query.parts.length === 0 ? listing(context, collection, { request, read, going }) : finding(context, collection, { request, read, going }, caller));
  const { matches, next, note, cut, unknown = [], exact } = found;
  return {
    matches: matches.map(({ item, ...scores }) => ({ ...toldOf(collection.name, item), ...scores })),
    ...(next ? { next_cursor: await context.cursors.seal(sealedPlace(next, note), scope) } : {}),
    ...(read.understood ? { understood: read.understood } : {}),
    ...(read.query.negated.length > 0 ? { negated: read.query.negated } : {}),
    ...(cut ? { cut } : {}),
    ...(unknown.length > 0 ? { unknown } : {}),
    exact,
    took_ms: Math.round((performance.now() - started) * 100) / 100,
  };
}

interface Found extends Pick<SearchResponse, 'cut' | 'unknown' | 'exact'> {
  matches: { item: Match['item']; score?: number; part?: MatchPart; relevance?: number }[];
  next?: PagePlace | undefined;
  note?: Going['note'];
}

interface ReadRequest {
  request: Asked['request'];
  read: ReadQuery;
  going: Going | undefined;
}

/** Where a sentence leaves nothing to search for. */
async function listing(context: Context, { name }: Collection, { request: { sort, limit = pageSize, modality }, read, going }: ReadRequest): Promise<Found> {
  const after = going && 'listed' in going.place ? going.place.listed : undefined;
  const { items, next } = await listed(context, name, { sort, limit, ...read.restrictedTo(modality && { '$item.modality': modality }), ...(after && { after }) });
  return { matches: items.map((item) => ({ item })), next: next && { listed: next }, exact: true };
}

async function finding(context: Context, collection: Collection, { request, read, going }: ReadRequest, caller: Caller): Promise<Found> {
  const { query, words } = read;
  const { modality, limit = pageSize } = request;
  const embedding = await queryEmbedding(context, collection, query, caller);
  const isCut = request.cutoff === 'auto';
  const { unknown, isAll } = isCut && !going ? await unknownOf(context, collection, query, caller) : { unknown: going?.note.unknown ?? [], isAll: false };
  const searching = performance.now();
  const near = new NearList(context, collection, { request, query, embedding, isUnknown: isAll, required: words?.required ?? [], ...read.restrictedTo() }, going?.note);
  const worded =
    words &&
    (await foundByWords(context, collection, words, {
      embedding,
      modalities: modality === undefined ? [...modalities] : [modality],
      excludeIds: itemsNamedBy(query),
      ...(request.min_score === undefined ? {} : { minScore: request.min_score }),
      ...read.restrictedTo(),
    }));
  const page = isCut && request.sort !== undefined ? await sorted() : await joinedPage(near, worded, { limit, place: going?.place });
  context.stage('store_search', (performance.now() - searching) / 1000);
  return {
    matches: page.matches.map(({ item, score, leaf, part }) => ({ item, score, ...(part && { part }), ...near.relevanceOf(leaf, score) })),
    next: page.next,
    note: { ...near.note, ...(unknown.length > 0 ? { unknown } : {}) },
    ...(isCut ? { cut: { relevance: leastRelevance, left_out: page.leftOut } } : {}),
    unknown,
    exact: page.exact,
  };

  async function sorted(): Promise<{ matches: Match[]; exact: boolean; leftOut: number; next?: PagePlace }> {
    const relevant = await near.relevant(limit);
    const all = worded ? joined(relevant.matches, worded.matches) : relevant.matches;
    const { matches, next } = sortedPage(all, sortOf(request.sort!), { limit, after: going && 'sorted' in going.place ? going.place.sorted : undefined });
    return { matches, exact: relevant.exact && (worded?.complete ?? true), leftOut: relevant.leftOut, ...(next ? { next: { sorted: next } } : {}) };
  }
}

/** Of a query of texts alone. */
async function unknownOf(context: Context, collection: Collection, query: Query, caller: Caller): Promise<{ unknown: string[]; isAll: boolean }> {
  if (kindOf(query) !== 'text') return { unknown: [], isAll: false };
  return unknownWords(context, await requireModel(context, collection), textsOf(query).join(' '), caller);
}

/** What a cursor is good for: all that decides which matches there are, and in which order. */
function scopeOf({ name, fingerprint }: Collection, request: Asked['request'], { parts, file }: Query): unknown {
  const { modality, filter, min_score, exact, cutoff, fusion, lexical, negation, understand, sort } = request;
  const ordered = modality === undefined ? (fusion ?? 'centered') : null;
  return ['search', name, fingerprint, parts, file ?? null, modality ?? null, filter ?? null, min_score ?? null, exact ?? false, cutoff ?? 'none', ordered, lexical ?? 'off', negation ?? 'off', understand ?? false, sort ?? null];
}

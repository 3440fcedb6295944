import { sortOf } from '../../contract/filter.js';
import { limits } from '../../contract/limits.js';
import type { SearchRequest, SearchResponse, Why } from '../../contract/search.js';
import { modalities } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import { requireModel } from '../collection-model.js';
import type { Caller, Context } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldOf } from '../items.js';
import { diverse } from './diversity.js';
import { leftOutOf, whyOf } from './explain/explain.js';
import { goingFrom, sealedPlace, type Going, type PagePlace } from './going.js';
import { groupedBy } from './grouping.js';
import { joinedPage } from './lexical/join.js';
import { foundByWords } from './lexical/lexical.js';
import { listedOrder } from './listing.js';
import { NearList } from './near.js';
import type { Order } from './order.js';
import type { Group, Match, MatchPart } from './plan.js';
import { isOfOneSpace, itemsNamedBy, kindOf, partEmbeddings, queryEmbedding, queryOf, textsOf, type Asked, type Query } from './query.js';
import { readQuery, type ReadQuery } from './read-query.js';
import { leastOf } from './relevance/cut.js';
import { unknownWords, type KnownWords } from './relevance/unknown-words.js';
import { sortedOrder } from './sorting.js';

const pageSize = 10;

/**
 * `POST /v1/collections/{name}/search`: what the query's sentence says, its embedding, its neighbors in each list of the plan,
 * what words found besides, one page of them. `file`: what came beside the request, for a part of the query to mean.
 */
export async function search(context: Context, name: string, { file, ...request }: SearchRequest & { file: Uint8Array | undefined }, caller: Caller): Promise<SearchResponse> {
  if (request.sort !== undefined && request.cutoff !== 'auto' && !request.understand) {
    throw new MixspaceError('invalid_request', 'sort is of what is relevant, with cutoff "auto", or of what understand leaves nothing to search for.', { param: 'sort' });
  }
  if (request.diversity && request.sort !== undefined) {
    throw new MixspaceError('invalid_request', 'diversity is of an order by nearness: leave out sort.', { param: 'sort' });
  }
  if (request.explain === true && (request.limit ?? pageSize) > limits.explained) {
    throw new MixspaceError('invalid_request', `limit is at most ${limits.explained} with explain: true.`, { param: 'limit' });
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
  const { matches, next, note, cut, groups, explained, unknown = [], exact } = found;
  return {
    matches: matches.map(({ item, ...scores }) => ({ ...toldOf(collection.name, item), ...scores })),
    ...(next ? { next_cursor: await context.cursors.seal(sealedPlace(next, note), scope) } : {}),
    ...(read.understood ? { understood: read.understood } : {}),
    ...(read.query.negated.length > 0 ? { negated: read.query.negated } : {}),
    ...(cut ? { cut } : {}),
    ...(groups ? { groups } : {}),
    ...(explained ? { explained } : {}),
    ...(unknown.length > 0 ? { unknown } : {}),
    exact,
    took_ms: Math.round((performance.now() - started) * 100) / 100,
  };
}

interface Found extends Pick<SearchResponse, 'cut' | 'unknown' | 'exact' | 'groups' | 'explained'> {
  matches: { item: Match['item']; score?: number; part?: MatchPart; relevance?: number; group?: Group; why?: Why }[];
  next?: PagePlace | undefined;
  note?: Going['note'];
}

interface ReadRequest {
  request: Asked['request'];
  read: ReadQuery;
  going: Going | undefined;
}

/** Where a sentence leaves nothing to search for. */
async function listing(context: Context, collection: Collection, { request: { sort, limit = pageSize, modality, group_by, explain }, read, going }: ReadRequest): Promise<Found> {
  const order = listedOrder(context, collection.name, { sort, ...read.restrictedTo(modality && { '$item.modality': modality }) });
  const page = await (group_by === undefined ? order : groupedBy(order, group_by))({ limit, place: going?.place });
  return { ...page, ...(explain ? { explained: await leftOutOf(context, collection, { read, modality }) } : {}) };
}

async function finding(context: Context, collection: Collection, { request, read, going }: ReadRequest, caller: Caller): Promise<Found> {
  const { query, words } = read;
  const { modality, limit = pageSize } = request;
  const embeddings = await partEmbeddings(context, collection, query, caller);
  const embedding = queryEmbedding(query, embeddings);
  const isCut = request.cutoff === 'auto';
  const { unknown, known } = isCut && !going ? await unknownOf(context, collection, query, caller) : { unknown: going?.note.unknown ?? [], known: going?.note.known ?? 'all' };
  const searching = performance.now();
  const near = new NearList(context, collection, { request, query, embedding, known, required: words?.required ?? [], ...read.restrictedTo() }, going?.note);
  const worded =
    words &&
    (await foundByWords(context, collection, words, {
      embedding,
      modalities: modality === undefined ? [...modalities] : [modality],
      excludeIds: itemsNamedBy(query),
      ...(request.min_score === undefined ? {} : { minScore: request.min_score }),
      ...read.restrictedTo(),
    }));
  const order: Order<Match> = isCut && request.sort !== undefined ? sortedOrder(near, worded, sortOf(request.sort)) : (asked) => joinedPage(near, worded, asked);
  const heads = request.group_by === undefined ? order : groupedBy(order, request.group_by);
  const page = await (request.diversity ? diverse(context, collection, heads, request.diversity) : heads)({ limit, place: going?.place });
  context.stage('store_search', (performance.now() - searching) / 1000);
  const whys = request.explain ? await whyOf(context, collection, { matches: chosen(request.explain, page.matches), query, embeddings, embedding, words, near }, caller) : undefined;
  return {
    ...page,
    matches: page.matches.map(({ item, score, leaf, part, group }) => ({ item, score, ...(part && { part }), ...(group && { group }), ...near.relevanceOf(leaf, score), ...(whys?.has(item.id) && { why: whys.get(item.id)! }) })),
    note: { ...near.note, ...(unknown.length > 0 ? { unknown, known } : {}) },
    ...(request.explain ? { explained: await leftOutOf(context, collection, { read, modality, ...(isCut ? { cut: { near, leftOut: page.leftOut } } : {}) }) } : {}),
    ...(isCut ? { cut: { relevance: Math.min(1, leastOf(known)), left_out: page.leftOut } } : {}),
    unknown,
  };
}

const chosen = (explain: true | { ids: string[] }, matches: Match[]): Match[] => (explain === true ? matches : matches.filter(({ item }) => explain.ids.includes(item.id)));

/** Of a query of texts alone. */
async function unknownOf(context: Context, collection: Collection, query: Query, caller: Caller): Promise<{ unknown: string[]; known: KnownWords }> {
  if (kindOf(query) !== 'text') return { unknown: [], known: 'all' };
  return unknownWords(context, await requireModel(context, collection), textsOf(query).join(' '), caller);
}

/** What a cursor is good for: all that decides which matches there are, and in which order. */
function scopeOf({ name, fingerprint }: Collection, request: Asked['request'], { parts, file }: Query): unknown {
  const { modality, filter, min_score, exact, cutoff, fusion, lexical, negation, understand, sort, diversity, group_by } = request;
  const ordered = modality === undefined ? (fusion ?? 'centered') : null;
  return ['search', name, fingerprint, parts, file ?? null, modality ?? null, filter ?? null, min_score ?? null, exact ?? false, cutoff ?? 'none', ordered, lexical ?? 'off', negation ?? 'off', understand ?? false, sort ?? null, ...(diversity || group_by !== undefined ? [diversity ?? 0, group_by ?? null] : [])];
}

import type { SearchRequest, SearchResponse } from '../../contract/search.js';
import { sortOf } from '../../contract/filter.js';
import { limits } from '../../contract/limits.js';
import { MixspaceError } from '../../errors.js';
import type { Collection } from '../../store/catalog.js';
import type { Neighbors } from '../../store/vector-index.js';
import { requireModel } from '../collection-model.js';
import type { Caller, Context } from '../context.js';
import { inItsSpace } from '../in-space.js';
import { toldOf } from '../items.js';
import { pageOf, planOf, type Match, type Place, type Plan } from './plan.js';
import { isOfOneSpace, itemsNamedBy, kindOf, queryEmbedding, queryOf, textsOf, type Query } from './query.js';
import { cutList, cutOfNote, cutsOf, noteOf, type Cut, type CutNote } from './relevance/cut.js';
import { leastRelevance } from './relevance/relevance.js';
import { unknownWords } from './relevance/unknown-words.js';
import { sortedPage, type SortPlace } from './sorting.js';

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

/** What a page goes on with, besides its place. */
interface Going {
  standard?: Place['standard'];
  cuts?: CutNote[];
  unknown?: string[];
  sorted?: true;
}

type Body = Omit<SearchRequest, 'query'>;
interface Asked {
  request: Body;
  query: Query;
}

async function searchIn(context: Context, collection: Collection, { request, query }: Asked, caller: Caller): Promise<SearchResponse> {
  const started = performance.now();
  if (request.sort !== undefined && request.cutoff !== 'auto') throw new MixspaceError('invalid_request', 'sort is of what is relevant: it goes with cutoff "auto".', { param: 'sort' });
  const scope = scopeOf(collection, request, query);
  const { place, going } = request.cursor === undefined ? {} : placeOf(await context.cursors.open(request.cursor, scope));
  const after = going?.sorted ? undefined : place && { ...place, ...(going?.standard ? { standard: going.standard } : {}) };
  const limit = request.limit ?? pageSize;
  const plan = planFor(request, { limit, after });
  const embedding = await queryEmbedding(context, collection, query, caller);
  const words = request.cutoff === 'auto' && !going ? await unknownOf(context, collection, query, caller) : { unknown: going?.unknown ?? [], isAll: false };

  const nearest = (asked: Plan): Promise<Neighbors[]> => nearestOf(context, collection, { request, query }, embedding, asked);
  const searching = performance.now();
  let lists = await nearest(plan);
  context.stage('store_search', (performance.now() - searching) / 1000);
  let cut: SearchResponse['cut'];
  if (request.cutoff !== 'auto') return answered(pageOf(plan, lists), []);

  const cuts = going?.cuts?.map(cutOfNote) ?? (await cutsOf(context, collection, { embedding, kind: kindOf(query), isUnknown: words.isAll }, lists));
  const uncut = pageOf(plan, lists).matches;
  cut = { relevance: leastRelevance, left_out: uncut.filter(({ score, leaf }) => score < cuts[leaf]!.from).length };
  if (request.sort === undefined) return answered(pageOf(plan, lists.map((list, i) => cutList(list, cuts[i]!))), cuts);

  const all = planFor({ ...request, fusion: 'raw' }, { limit: limits.page, after: undefined });
  lists = cuts.every(({ from }) => from === Infinity) ? [] : await nearest({ ...all, leaves: all.leaves.map((leaf, i) => ({ ...leaf, minScore: Math.max(leaf.minScore ?? -1, Math.min(1, cuts[i]!.from)) })) });
  const relevant = pageOf(all, lists.map((list, i) => cutList(list, cuts[i]!)));
  const sorted = sortedPage(relevant.matches, sortOf(request.sort), { limit, after: going?.sorted && place ? [place.score as unknown as SortPlace[0], place.id] : undefined });
  return answered({ matches: sorted.matches, exact: relevant.exact, ...(sorted.next ? { sorted: sorted.next } : {}) }, cuts);

  async function answered({ matches, exact, next, sorted }: { matches: Match[]; exact: boolean; next?: Place; sorted?: SortPlace }, cuts: Cut[]): Promise<SearchResponse> {
    const note: Going = {
      ...(next?.standard ? { standard: next.standard } : {}),
      ...(cuts.length > 0 ? { cuts: cuts.map(noteOf), unknown: words.unknown } : {}),
      ...(sorted ? { sorted: true } : {}),
    };
    const place = next ? [next.score, next.id, next.rank] : sorted && [...sorted, 0];
    return {
      matches: matches.map(({ item, score, leaf }) => ({ ...toldOf(collection.name, item), score, ...(cuts[leaf] ? { relevance: cuts[leaf].relevance.of(score) } : {}) })),
      ...(place ? { next_cursor: await context.cursors.seal([...place, JSON.stringify(note)], scope) } : {}),
      exact,
      ...(cut ? { cut } : {}),
      ...(words.unknown.length > 0 ? { unknown: words.unknown } : {}),
      took_ms: Math.round((performance.now() - started) * 100) / 100,
    };
  }
}

function planFor({ modality, min_score: minScore, fusion }: Body, { limit, after }: { limit: number; after: Place | undefined }): Plan {
  return planOf({
    limit,
    ...(modality === undefined ? {} : { modality }),
    ...(minScore === undefined ? {} : { minScore }),
    ...(fusion === undefined ? {} : { fusion }),
    ...(after === undefined ? {} : { after }),
  });
}

function nearestOf(context: Context, { name, fingerprint }: Collection, { request, query }: Asked, embedding: Float32Array, { leaves, fusion, limit }: Plan): Promise<Neighbors[]> {
  const isCut = request.cutoff === 'auto';
  return context.index.nearest(name, {
    embedding,
    kind: kindOf(query),
    fingerprint,
    leaves,
    // What may be cut off leaves no list out.
    ...(isCut ? {} : { most: limit }),
    ...(fusion === 'raw' ? (isCut ? { spread: 'told' as const } : {}) : { spread: Array.isArray(fusion) ? fusion : 'standard' }),
    excludeIds: itemsNamedBy(query),
    ...(request.filter === undefined ? {} : { filter: request.filter }),
    ...(request.exact === undefined ? {} : { exact: request.exact }),
  });
}

/** Of a query of texts alone. */
async function unknownOf(context: Context, collection: Collection, query: Query, caller: Caller): Promise<{ unknown: string[]; isAll: boolean }> {
  if (kindOf(query) !== 'text') return { unknown: [], isAll: false };
  return unknownWords(context, await requireModel(context, collection), textsOf(query).join(' '), caller);
}

/** What a cursor is good for: all that decides which matches there are, and in which order. */
function scopeOf({ name, fingerprint }: Collection, request: Body, { parts, file }: Query): unknown {
  const { modality, filter, min_score: minScore, exact, cutoff, fusion, sort } = request;
  return ['search', name, fingerprint, parts, file ?? null, modality ?? null, filter ?? null, minScore ?? null, exact ?? false, cutoff ?? 'none', modality === undefined ? (fusion ?? 'centered') : null, sort ?? null];
}

function placeOf([score, id, rank, note]: unknown[]): { place: Place; going: Going } {
  if (typeof id !== 'string' || typeof rank !== 'number' || typeof note !== 'string') throw new MixspaceError('invalid_request', 'The cursor cannot be read.', { param: 'cursor' });
  return { place: { score: score as number, id, rank }, going: JSON.parse(note) as Going };
}

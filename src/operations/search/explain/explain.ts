/** Why matches stand where they do: of each, what carried its score; of all, what was left out before. */
import type { SearchResponse, Why } from '../../../contract/search.js';
import type { Modality } from '../../../domain/modality.js';
import type { ModelDescription } from '../../../encoder/encoder.js';
import { MixspaceError } from '../../../errors.js';
import type { Collection, Item } from '../../../store/catalog.js';
import { requireModel } from '../../collection-model.js';
import type { Caller, Context } from '../../context.js';
import type { AskedInWords } from '../lexical/lexical.js';
import type { NearList } from '../near.js';
import type { Match } from '../plan.js';
import type { Query } from '../query.js';
import type { ReadQuery } from '../read-query.js';
import { nearestOf } from '../relevance/background.js';
import { standingTerms } from './standing.js';
import { queryWords, wordWeights } from './words.js';

/** Pictures of a page that a map is made of: 50 are encoded for each. */
const mostHeat = 3;
/** For all of them; what is not made by then is left out. */
const heatMs = 60_000;

export interface Explained {
  matches: Match[];
  query: Query;
  /** Of its parts, and of all of it. */
  embeddings: Float32Array[];
  embedding: Float32Array;
  words: AskedInWords | undefined;
  near: NearList;
}

/** By id, one for each of the matches. */
export async function whyOf(context: Context, collection: Collection, { matches, query, embeddings, embedding, words, near }: Explained, caller: Caller): Promise<Map<string, Why>> {
  if (matches.length === 0) return new Map();
  const model = await usableModel(context, collection);
  const carried = model ? await queryWords(context, model, { query, embeddings }, caller) : [];
  const { items } = await context.catalog.getEmbeddings(collection.name, matches.map(({ item }) => item.id));
  const nearest = new Map(items.map(({ id, parts }) => [id, nearestOf(parts, embedding)]));
  const heat = model ? await heatMaps(context, model, { name: collection.name, matches, embedding }, caller) : new Map<string, NonNullable<Why['heat']>>();
  const why = ({ item, score, leaf, ranks }: Match): Why => {
    const matched = nearest.get(item.id);
    const judged = near.judged(leaf, score);
    return {
      ...(carried.length > 0 && matched ? { words: wordWeights(carried, matched, embedding) } : {}),
      ...(heat.has(item.id) ? { heat: heat.get(item.id)! } : {}),
      ...(judged ? { relevance: judged } : {}),
      ...(words ? { terms: standingTerms(words.terms, item, collection.textFields) } : {}),
      ...(ranks ? { ranks } : {}),
    };
  };
  return new Map(matches.map((match) => [match.item.id, why(match)]));
}

/** A query of items and embeddings alone needs none. */
async function usableModel(context: Context, collection: Collection): Promise<ModelDescription | undefined> {
  try {
    return await requireModel(context, collection);
  } catch (error) {
    if (error instanceof MixspaceError && error.code === 'conflict') return undefined;
    throw error;
  }
}

async function heatMaps(context: Context, model: ModelDescription, { name, matches, embedding }: Pick<Explained, 'matches' | 'embedding'> & { name: string }, { signal }: Caller): Promise<Map<string, NonNullable<Why['heat']>>> {
  const { heatOf } = await import('./heat.js');
  const late = AbortSignal.timeout(heatMs);
  const found = new Map<string, NonNullable<Why['heat']>>();
  for (const { item } of matches.filter(isPicture).slice(0, mostHeat)) {
    try {
      const { bytes } = await context.catalog.getPicture(name, item.id, 'thumbnail');
      const heat = await heatOf(context, model, bytes, { embedding, signal: AbortSignal.any([signal, late]) });
      if (heat) found.set(item.id, heat);
    } catch (error) {
      if (late.aborted && !signal.aborted) break;
      // Its thumbnail is damaged, or went with the item meanwhile.
      if (!(error instanceof MixspaceError && (error.code === 'not_found' || error.code === 'not_ready'))) throw error;
    }
  }
  return found;
}

const isPicture = ({ item }: { item: Item }): boolean => item.modality === 'image' && item.hasImage;

interface LeftOutRequest {
  read: Pick<ReadQuery, 'restrictedTo'>;
  modality: Modality | undefined;
  /** Where one was made. */
  cut?: { near: NearList; leftOut: number };
}

/** What of the collection was searched, and what the cut left out of the page. */
export async function leftOutOf({ catalog }: Context, { name }: Collection, { read, modality, cut }: LeftOutRequest): Promise<NonNullable<SearchResponse['explained']>> {
  const count = async (filter: ReturnType<ReadQuery['restrictedTo']>): Promise<number> => {
    const { [field]: counts } = await catalog.countValues(name, { fields: [field], limit: 10, ...filter });
    return counts!.values.reduce((sum, each) => sum + each.count, 0);
  };
  const restriction = read.restrictedTo(modality && { [field]: modality });
  const items = await count({});
  const best = cut?.near.bestLeftOut;
  return {
    items,
    let_through: 'filter' in restriction ? await count(restriction) : items,
    ...(cut ? { left_out: { count: cut.leftOut, ...(best ? { best: { id: best.item.id, score: best.score, ...cut.near.relevanceOf(best.leaf, best.score) } } : {}) } } : {}),
  };
}

const field = '$item.modality';

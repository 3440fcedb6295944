import type { QueryKind } from '../../../domain/recall.js';
import type { Collection } from '../../../store/catalog.js';
import type { Neighbors } from '../../../store/vector-index.js';
import { requireModel } from '../../collection-model.js';
import type { Context } from '../../context.js';
import { nearestOf, queryBackground, spreadOf } from './background.js';
import { leastBeside, leastRelevance, leastWhereUnknown, relevanceBy, type Evidence, type Relevance } from './relevance.js';
import type { KnownWords } from './unknown-words.js';

/** The query's nearest whose neighborhood tells what a score means there. */
const looked = 5;

/** What is relevant of one list. */
export interface Cut {
  evidence: Evidence;
  relevance: Relevance;
  /** The score from which on; infinite where nothing is. */
  from: number;
}

export interface Judged {
  embedding: Float32Array;
  kind: QueryKind;
  /** Where no word is, nothing is relevant. */
  known: KnownWords;
}

/** Where each of the lists, of which these are the first, ends being relevant. Their spreads must have been told. */
export async function cutsOf(context: Context, collection: Collection, { embedding, kind, known }: Judged, lists: Neighbors[]): Promise<Cut[]> {
  const background = kind === 'text' ? await context.texts.of(await requireModel(context, collection), queryBackground) : undefined;
  const ids = lists.map(({ neighbors }) => neighbors.slice(0, looked).map(({ id }) => id));
  const { items } = background ? await context.catalog.getEmbeddings(collection.name, [...new Set(ids.flat())]) : { items: [] };
  const nearest = new Map(items.map(({ id, parts }) => [id, nearestOf(parts, embedding)]));
  return lists.map(({ neighbors, spread }, list) => {
    const around = background ? ids[list]!.flatMap((id) => (nearest.has(id) ? [background.scores(nearest.get(id)!)] : [])) : [];
    const evidence: Evidence = {
      list: spread ? { mean: spread.mean, deviation: spread.deviation } : spreadOf([0]),
      count: spread?.count ?? 0,
      ...(around.length > 0 ? { texts: { mean: meanOf(around.map(({ mean }) => mean)), deviation: meanOf(around.map(({ deviation }) => deviation)) } } : {}),
    };
    return cutBy(evidence, neighbors[0]?.score, leastOf(known));
  });
}

/** `best`: the list's highest score; `least`: the relevance that it must have. */
function cutBy(evidence: Evidence, best: number | undefined, least: number): Cut {
  const relevance = relevanceBy(evidence);
  return { evidence, relevance, from: best !== undefined && relevance.of(best) >= least ? relevance.scoreAt(leastBeside) : Infinity };
}

/** The relevance from which on the best of a list is what was asked for: 0 to 1, beyond 1 where nothing can be. */
export const leastOf = (known: KnownWords): number => ({ all: leastRelevance, some: leastWhereUnknown, none: Infinity })[known];

/** What a later page needs to know, to be cut as the first was: plain numbers. */
export type CutNote = [mean: number, deviation: number, count: number, from: number | null, texts: [mean: number, deviation: number] | null];

export function noteOf({ evidence: { list, texts, count }, from }: Cut): CutNote {
  return [list.mean, list.deviation, count, Number.isFinite(from) ? from : null, texts ? [texts.mean, texts.deviation] : null];
}

export function cutOfNote([mean, deviation, count, from, texts]: CutNote): Cut {
  const evidence: Evidence = { list: { mean, deviation }, count, ...(texts ? { texts: { mean: texts[0], deviation: texts[1] } } : {}) };
  return { evidence, relevance: relevanceBy(evidence), from: from ?? Infinity };
}

/** A list without what is not relevant. */
export function cutList(list: Neighbors, { from }: Cut): Neighbors {
  const neighbors = list.neighbors.filter(({ score }) => score >= from);
  return { ...list, neighbors, more: list.more && neighbors.length === list.neighbors.length };
}

const meanOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

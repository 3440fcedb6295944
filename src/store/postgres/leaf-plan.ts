import type { QueryKind } from '../../domain/recall.js';
import type { Selectivity } from './selectivity.js';

/**
 * How a leaf is searched. `all`, `matching`: by comparing with all rows, or with those of the items that match; `graph`:
 * through the index, with a list of candidates `ef` long, which goes on until `visits` embeddings were looked at.
 */
export type LeafPlan = { way: 'all' } | { way: 'matching' } | { way: 'graph'; ef: number; visits: number };

export interface LeafQuestion {
  embeddings: number;
  dimension: number;
  /** Places from the nearest on that must be found, those that are left out among them. */
  depth: number;
  kind: QueryKind;
  /** Of the filter; left out: there is none. */
  selectivity?: Selectivity;
}

/** Microseconds, roughly: what counts is how they stand to each other. */
const work = {
  compare: (dimension: number): number => 0.2 + dimension / 1_000,
  visit: (dimension: number): number => 1 + dimension / 400,
  filter: 2,
  look: 4,
};
/** Embeddings that the graph looks at for each that it gives. */
const visitsEach = 10;
/** pgvector takes no more. */
const mostCandidates = 1_000;
/**
 * What lies among the embeddings is found with fewer candidates than what lies to a side of them, as texts do to pictures:
 * of 100,000 x 256, .99 of the ten nearest (test/bench/postgres.ts).
 */
const leastCandidates: Record<QueryKind, number> = { item: 240, image: 240, text: 800, embedding: 800, mixed: 800 };

/** Where a graph is there, and neither exactness nor words are asked for. */
export function planOf(question: LeafQuestion): LeafPlan {
  const { dimension, depth, kind, selectivity } = question;
  const places = depth / (selectivity?.share ?? 1);
  const each = visitsEach * work.visit(dimension) + (selectivity ? work.look + work.filter : 0);
  const exact = exactWork(question);
  if (places * each > exact) return { way: selectivity ? 'matching' : 'all' };
  const ef = Math.min(mostCandidates, Math.max(leastCandidates[kind], 2 * Math.ceil(places)));
  return { way: 'graph', ef, visits: Math.ceil(Math.max(exact / work.visit(dimension), 2 * visitsEach * Math.max(ef, places))) };
}

function exactWork({ embeddings, dimension, selectivity }: LeafQuestion): number {
  if (!selectivity) return embeddings * work.compare(dimension);
  const matching = embeddings * selectivity.share;
  return (selectivity.isIndexed ? matching : embeddings) * work.filter + matching * (work.look + work.compare(dimension));
}

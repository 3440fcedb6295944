/**
 * A query as a plan: leaf searches, each in one list of embeddings; their scores made comparable; the lists fused into one,
 * in which an item stands once; a page cut out of it.
 */
import { compareCodePoints } from '../../domain/code-point-order.js';
import { modalities, type Modality } from '../../domain/modality.js';
import type { Leaf, Match, Neighbors } from '../../store/store.js';

/** Behind the last match of a page. `rank`: how many matches stand before it, it included. */
export interface Place {
  score: number;
  id: string;
  rank: number;
}

export interface Plan {
  leaves: Leaf[];
  /** Matches of a page. */
  limit: number;
  /** Matches before it. */
  rank: number;
}

export interface Page {
  matches: Match[];
  /** Provably what a full comparison gives. */
  exact: boolean;
  /** Where the next page begins; absent where there is none. */
  next?: Place;
}

export interface Wanted {
  modality?: Modality;
  limit: number;
  minScore?: number;
  after?: Place;
}

/** A leaf for each modality that is wanted; each gives as many as the page could need of it. */
export function planOf({ modality, limit, minScore, after }: Wanted): Plan {
  const leaves = (modality === undefined ? modalities : [modality]).map((each): Leaf => ({
    modality: each,
    limit,
    ...(minScore === undefined ? {} : { minScore }),
    ...(after === undefined ? {} : { after }),
  }));
  return { leaves, limit, rank: after?.rank ?? 0 };
}

/** `lists`: what the plan's leaves found, in their order. */
export function pageOf({ limit, rank }: Plan, lists: Neighbors[]): Page {
  const fused = grouped(lists.flatMap(({ matches }) => matches).sort(compareMatches));
  const matches = fused.slice(0, limit);
  const last = matches.at(-1);
  const hasMore = fused.length > limit || lists.some(({ more }) => more);
  return {
    matches,
    exact: lists.every(({ exact }) => exact),
    ...(hasMore && last ? { next: { score: last.score, id: last.item.id, rank: rank + matches.length } } : {}),
  };
}

/** Score descending, then id by code point. */
function compareMatches(a: Match, b: Match): number {
  return b.score - a.score || compareCodePoints(a.item.id, b.item.id);
}

/** Of several embeddings of one item, the best stands for it. */
function grouped(matches: Match[]): Match[] {
  const seen = new Set<string>();
  return matches.filter(({ item }) => !seen.has(item.id) && seen.add(item.id));
}

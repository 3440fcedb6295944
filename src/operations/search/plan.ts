/**
 * A query as a plan: leaf searches, each in one list of embeddings; their scores made comparable; the lists fused into one,
 * in which an item stands once; a page cut out of it.
 */
import { compareCodePoints } from '../../domain/code-point-order.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { MixspaceError } from '../../errors.js';
import type { Item } from '../../store/catalog.js';
import type { Leaf, Neighbor, Neighbors } from '../../store/vector-index.js';

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

export interface Match {
  item: Item;
  /** Cosine similarity, -1..1. */
  score: number;
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

/**
 * `lists`: what the plan's leaves found, in their order.
 * @throws MixspaceError `not_ready`: an item of the page is damaged.
 */
export function pageOf({ limit, rank }: Plan, lists: Neighbors[]): Page {
  const fused = grouped(lists.flatMap(({ neighbors }) => neighbors).sort(compareNeighbors));
  const found = fused.slice(0, limit);
  const last = found.at(-1);
  const hasMore = fused.length > limit || lists.some(({ more }) => more);
  return {
    matches: found.map(matchOf),
    exact: lists.every(({ exact }) => exact),
    ...(hasMore && last ? { next: { score: last.score, id: last.id, rank: rank + found.length } } : {}),
  };
}

/** Score descending, then id by code point. */
function compareNeighbors(a: Neighbor, b: Neighbor): number {
  return b.score - a.score || compareCodePoints(a.id, b.id);
}

/** Of several embeddings of one item, the best stands for it. */
function grouped(neighbors: Neighbor[]): Neighbor[] {
  const seen = new Set<string>();
  return neighbors.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function matchOf({ item, score }: Neighbor): Match {
  if ('problem' in item) throw new MixspaceError('not_ready', item.problem);
  return { item, score };
}

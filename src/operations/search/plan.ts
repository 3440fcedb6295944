/**
 * A query as a plan: leaf searches, each in one list of embeddings; their scores made comparable; the lists fused into one,
 * in which an item stands once; a page cut out of it.
 */
import { compareCodePoints } from '../../domain/code-point-order.js';
import type { Scalar } from '../../domain/filter.js';
import { modalities, type Modality } from '../../domain/modality.js';
import { plainScale, standardScores, type ScoreScale } from '../../domain/standard-scores.js';
import { MixspaceError } from '../../errors.js';
import type { Box } from '../../domain/tiles.js';
import type { Item } from '../../store/catalog.js';
import type { Leaf, Neighbor, Neighbors, ScoreSpread } from '../../store/vector-index.js';

/** Behind the last match of a page. `rank`: how many matches stand before it, it included. */
export interface Place {
  score: number;
  id: string;
  rank: number;
  /** Where lists are compared by their standard scores: the match's list, and the spreads that the first page found. */
  standard?: { modality: Modality; spreads: ListSpread[] };
}

export type ListSpread = Pick<ScoreSpread, 'mean' | 'deviation' | 'sampled'>;

export interface Plan {
  leaves: Leaf[];
  /** `centered`: by their standard scores; by those of these spreads, where a page goes on. */
  fusion: 'raw' | 'centered' | ListSpread[];
  after?: Place;
  /** Matches of a page. */
  limit: number;
  /** Matches before it. */
  rank: number;
}

export interface Match {
  item: Item;
  /** Cosine similarity, -1..1. */
  score: number;
  /** Which of the plan's leaves found it. */
  leaf: number;
  /** What its list is ordered by, best first: only those of one list compare. */
  merit: number;
  group?: Group;
  /** Where lists by embeddings and by words are joined: its places in them, from 1. */
  ranks?: { near?: number; words?: number };
  /** Which part the score is of; left out where it is the whole. */
  part?: MatchPart;
}

/** What a match stands for, where each value of a field has one. */
export interface Group {
  value: Scalar;
  /** Further matches of it among those that were looked at. */
  more: number;
}

export interface MatchPart {
  box: [x: number, y: number, width: number, height: number];
}

export const partOf = (box: Box | undefined): { part?: MatchPart } => (box ? { part: { box: [...box] } } : {});

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
  /** Left out: centered where both kinds are wanted. */
  fusion?: 'raw' | 'centered';
  after?: Place;
}

/** A page that goes on in another list begins behind a score that rounding may have moved: so many more are asked for. */
const besides = 8;
const rounding = 2e-9;

/** A leaf for each modality that is wanted; each gives as many as the page could need of it. */
export function planOf({ modality, limit, minScore, fusion = 'centered', after }: Wanted): Plan {
  const kinds = modality === undefined ? modalities : [modality];
  const standard = after?.standard;
  const scales = standard && standardScores(standard.spreads);
  const placed = standard && scales![kinds.indexOf(standard.modality)]!.standard(after.score);
  const leaves = kinds.map((each, i): Leaf => {
    const isOther = standard !== undefined && each !== standard.modality;
    return {
      modality: each,
      limit: isOther ? limit + besides : limit,
      ...(minScore === undefined ? {} : { minScore }),
      ...(after === undefined ? {} : { after: { score: isOther ? scales![i]!.scoreAt(placed!) + rounding : after.score, id: isOther ? '' : after.id, rank: after.rank } }),
    };
  });
  return { leaves, fusion: kinds.length === 1 ? 'raw' : (standard?.spreads ?? fusion), limit, rank: after?.rank ?? 0, ...(after === undefined ? {} : { after }) };
}

/** One of the fused list. */
type Fused = Neighbor & { leaf: number; standard: number };

/**
 * `lists`: what the plan's leaves found, in their order; with their spreads where lists are centered.
 * @throws MixspaceError `not_ready`: an item of the page is damaged.
 */
export function pageOf({ leaves, fusion, after, limit, rank }: Plan, lists: Neighbors[]): Page {
  const spreads = Array.isArray(fusion) ? fusion : fusion === 'centered' ? lists.map(({ spread }) => spread!) : undefined;
  const scales = spreads ? standardScores(spreads) : lists.map(() => plainScale);
  const fused = grouped(
    lists
      .flatMap(({ neighbors }, leaf) => neighbors.map((neighbor): Fused => ({ ...neighbor, leaf, standard: scales[leaf]!.standard(neighbor.score) })))
      .filter(isBehind(leaves, scales, after))
      .sort(compareFused),
  );
  const found = fused.slice(0, limit);
  const last = found.at(-1);
  const hasMore = fused.length > limit || lists.some(({ more }) => more);
  return {
    matches: found.map(matchOf),
    exact: lists.every(({ exact }) => exact),
    ...(hasMore && last ? { next: { score: last.score, id: last.id, rank: rank + found.length, ...(spreads ? { standard: { modality: leaves[last.leaf]!.modality, spreads } } : {}) } } : {}),
  };
}

/** Standard score descending, then id by code point. */
function compareFused(a: Pick<Fused, 'standard' | 'id'>, b: Pick<Fused, 'standard' | 'id'>): number {
  return b.standard - a.standard || compareCodePoints(a.id, b.id);
}

/** A leaf of the place's own list begins behind it exactly; another one, up to rounding. */
function isBehind(leaves: Leaf[], scales: ScoreScale[], after: Place | undefined): (fused: Fused) => boolean {
  const { standard } = after ?? {};
  if (!after || !standard) return () => true;
  const own = leaves.findIndex(({ modality }) => modality === standard.modality);
  const place = { id: after.id, standard: scales[own]!.standard(after.score) };
  return (fused) => fused.leaf === own || compareFused(place, fused) < 0;
}

/** Of several embeddings of one item, the best stands for it. */
function grouped(neighbors: Fused[]): Fused[] {
  const seen = new Set<string>();
  return neighbors.filter(({ id }) => !seen.has(id) && seen.add(id));
}

function matchOf({ item, score, leaf, standard, box }: Fused): Match {
  if ('problem' in item) throw new MixspaceError('not_ready', item.problem);
  return { item, score, leaf, merit: standard, ...partOf(box) };
}

/**
 * The vector index's port, a follower of the catalog: what the catalog has answered, every search that begins later sees,
 * so nothing is put into it or taken out by hand.
 *
 * Scores are computed from the stored embeddings: the same pair always scores the same. Errors are MixspaceErrors:
 * `not_found`, `conflict`, `not_ready`.
 */
import type { Filter } from '../domain/filter.js';
import type { Modality } from '../domain/modality.js';
import type { QueryKind } from '../domain/recall.js';
import type { Box } from '../domain/tiles.js';
import type { Phrase } from '../domain/words.js';
import type { Item } from './catalog.js';

/** What it can be relied on for. */
export interface IndexCapabilities {
  /** `exact` compares with every embedding, and is told truly. */
  exact: boolean;
  /** Items that the filter does not match take no place among the neighbors. */
  filters: boolean;
  /** A leaf goes on behind a place, without a gap or a second coming. */
  cursors: boolean;
}

/** Where to look, and how many to find there. */
export interface Leaf {
  modality: Modality;
  limit: number;
  /** Goes on behind this place: matches order by score descending, then id ascending (by UTF-8 bytes). `rank`: how many stand before it in the list that the leaf is a part of. */
  after?: { score: number; id: string; rank: number };
  minScore?: number;
}

export interface NearestRequest {
  /** Normalised, of the collection's dimension. */
  embedding: Float32Array;
  /** What it was made of: how much must be looked at follows it. Left out: unknown. */
  kind?: QueryKind;
  /** The embedding's space; `conflict` unless it is the collection's from beginning to end. Left out: trusted to be. */
  fingerprint?: string;
  leaves: Leaf[];
  /** Tell of each list how the embedding scores against it as a whole; `standard`: lists are compared by their standard scores, see `standardScores`; or by those of these spreads. */
  spread?: 'told' | 'standard' | Pick<ScoreSpread, 'mean' | 'deviation' | 'sampled'>[];
  /** How many are wanted of all lists together: what so many of the lists before surpass may be left out of a list, and is told as `more`. */
  most?: number;
  filter?: Filter;
  /** All of them must stand in the item, as full text has it. */
  required?: Phrase[];
  /** Compare with every stored embedding. */
  exact?: boolean;
  /** Items left out. */
  excludeIds?: string[];
}

export interface Neighbor {
  id: string;
  /** Cosine similarity, -1..1. */
  score: number;
  /** Where the part lies that the score is of; left out where it is the whole. */
  box?: Box;
  /** Of one that is damaged, the sentence that refuses it: only who shows it need be refused. */
  item: Item | { problem: string };
}

/** How an embedding scores against a whole list, measured on a sample of it. */
export interface ScoreSpread {
  /** Cosine similarities. */
  mean: number;
  deviation: number;
  /** Of how many it was measured, and how many there are. */
  sampled: number;
  count: number;
}

/** What one leaf found, best first; of an item that has several embeddings there, the best. */
export interface Neighbors {
  neighbors: Neighbor[];
  /** The list is provably that of a full comparison. */
  exact: boolean;
  /** There may be more behind the last of them. */
  more: boolean;
  /** Where it was asked for. */
  spread?: ScoreSpread;
}

export interface VectorIndex {
  readonly capabilities: IndexCapabilities;
  /** The neighbors of an embedding, for each leaf in the order given: all of one moment's space, none merged with another. */
  nearest(collection: string, request: NearestRequest): Promise<Neighbors[]>;
  /** At most so many stored embeddings, drawn by chance. */
  sample(collection: string, modality: Modality, most: number): Promise<Float32Array[]>;
}

/**
 * Full text's port, a follower of the catalog as the vector index is: of each item the words of its text, of the last
 * segments of its sources, and of those fields of its metadata that its collection chooses. What the catalog has answered
 * is found by every call that begins later; what was there before a collection chose other fields, or came with a
 * restore, follows in the background, and the collection's description tells how much is left.
 *
 * Errors are MixspaceErrors: `not_found`, `conflict`, `not_ready`.
 */
import type { Filter } from '../domain/filter.js';
import type { Modality } from '../domain/modality.js';
import type { Box } from '../domain/tiles.js';
import type { Phrase } from '../domain/words.js';
import type { Item } from './catalog.js';

export interface WordCounts {
  /** Of the collection, with an embedding of its space. */
  items: number;
  /** For each phrase, in how many of them it stands, or the most that was asked for. */
  counts: number[];
}

export interface WordsRequest {
  /** What scores are of: normalised, of the collection's dimension. */
  embedding: Float32Array;
  /** The embedding's space; `conflict` unless it is the collection's. Left out: trusted to be. */
  fingerprint?: string;
  modalities: Modality[];
  /** An item is found by any of them, and comes before another by the sum of the weights of those that stand in it. */
  phrases: { phrase: Phrase; weight: number }[];
  /** All of them must stand in it. */
  required?: Phrase[];
  filter?: Filter;
  excludeIds?: string[];
  minScore?: number;
  limit: number;
}

export interface WordMatch {
  id: string;
  /** Cosine similarity of its nearest part, -1..1. */
  score: number;
  /** Where that lies; left out where it is the whole. */
  box?: Box;
  /** Places in `WordsRequest.phrases` of those that stand in it. */
  phrases: number[];
  /** Of one that is damaged, the sentence that refuses it. */
  item: Item | { problem: string };
}

export interface WordMatches {
  /** The greatest weight first, then the highest score, then by id. */
  matches: WordMatch[];
  /** There are no others. */
  complete: boolean;
}

export interface FullText {
  /** `most`: counting goes up to here. */
  countWords(collection: string, phrases: Phrase[], most: number): Promise<WordCounts>;
  /** Items with an embedding of the collection's space. */
  withWords(collection: string, request: WordsRequest): Promise<WordMatches>;
  /** Beginnings of sources up to a folder of this name, its slash included; case and accents do not matter. At most `most`, of the folders of some thousand items. */
  foldersNamed(collection: string, name: string, most: number): Promise<string[]>;
}

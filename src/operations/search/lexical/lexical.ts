import type { Filter } from '../../../domain/filter.js';
import type { Modality } from '../../../domain/modality.js';
import type { Phrase } from '../../../domain/words.js';
import { MixspaceError } from '../../../errors.js';
import type { Collection } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
import { partOf, type Match } from '../plan.js';
import type { Query } from '../query.js';
import { isTelling, mostItems, specificity, weightOf, type WeighedTerm } from './evidence.js';
import { askedIn, type Term } from './terms.js';

/** Matches by words that are joined with the others. */
const mostMatches = 200;

export interface AskedInWords {
  /** As it is to be embedded: without marks of quotation. */
  query: Query;
  required: Phrase[];
  terms: Term[];
}

/** What the texts of a query ask full text for; of those that are to be near. */
export function askedInWords(query: Query): AskedInWords {
  const required: Phrase[] = [];
  const terms: Term[] = [];
  const parts = query.parts.map((part) => {
    const text = typeof part.input === 'string' ? part.input : 'text' in part.input ? part.input.text : undefined;
    if (text === undefined || part.weight <= 0) return part;
    const asked = askedIn(text);
    required.push(...asked.quoted);
    terms.push(...asked.terms);
    return { ...part, input: { text: asked.text } };
  });
  return { query: { ...query, parts }, required, terms };
}

export interface FoundByWords {
  matches: { match: Match; weight: number }[];
  /** There are no others. */
  complete: boolean;
}

/** Items in which words of the query stand that say something, the most telling first, with their cosines. */
export async function foundByWords(
  { words }: Context,
  { name, fingerprint }: Collection,
  { terms, required }: AskedInWords,
  asked: { embedding: Float32Array; modalities: Modality[]; filter?: Filter; minScore?: number; excludeIds: string[] },
): Promise<FoundByWords> {
  if (terms.length === 0) return { matches: [], complete: true };
  const { items, counts } = await words.countWords(name, terms.map(({ phrase }) => phrase), mostItems);
  const weighed = terms.map((term, i): WeighedTerm => ({ ...term, count: counts[i]!, specificity: specificity(counts[i]!, items) }));
  const telling = weighed.filter(isTelling);
  // What all of them together would not say, none does.
  if (telling.length === 0 || weightOf(weighed, telling) === 0) return { matches: [], complete: true };
  const found = await words.withWords(name, {
    ...asked,
    fingerprint,
    phrases: telling.map(({ phrase, specificity: weight, kind }) => ({ phrase, weight: kind === 'code' ? 2 * weight : weight })),
    required,
    limit: mostMatches,
  });
  const matches = found.matches.flatMap(({ item, score, box, phrases }) => {
    const weight = weightOf(weighed, phrases.map((place) => telling[place]!));
    if (weight === 0) return [];
    if ('problem' in item) throw new MixspaceError('not_ready', item.problem);
    return [{ match: { item, score, leaf: asked.modalities.indexOf(item.modality), merit: weight, ...partOf(box) }, weight }];
  });
  return { matches, complete: found.complete };
}

import { wordsOf, type Phrase } from '../../../domain/words.js';
import type { Item } from '../../../store/catalog.js';
import { fieldValueOf } from '../field-value.js';
import type { Term } from '../lexical/terms.js';

export interface StandingTerm {
  text: string;
  /** `text`, `source`, or a field of the metadata. */
  in: string[];
}

/** Where terms of a query stand in an item, as full text has read it. */
export function standingTerms(terms: Term[], item: Item, textFields: string[]): StandingTerm[] {
  const places: [name: string, texts: string[]][] = [
    ['text', item.text === undefined ? [] : [item.text.slice(0, longestRead)]],
    ['source', item.sources.slice(-mostSources).map((source) => source.split(/[/\\]+/).filter(Boolean).slice(-segments).join(' '))],
    ...textFields.map((field): [string, string[]] => [field, [fieldValueOf(item, field)].flat().flatMap((each) => (typeof each === 'string' || typeof each === 'number' ? [String(each).slice(0, longestRead)] : []))]),
  ];
  const read = places.map(([name, texts]) => ({ name, texts: texts.map(wordsOf) }));
  return terms.map(({ text, phrase }) => ({ text, in: read.filter(({ texts }) => texts.some((words) => stands(phrase, words))).map(({ name }) => name) }));
}

/** Characters of a text; sources, and segments of each. */
const longestRead = 20_000;
const mostSources = 16;
const segments = 4;

function stands({ words: phrase, prefix }: Phrase, words: string[]): boolean {
  return words.some((_, start) => phrase.every((word, i) => (prefix && i === phrase.length - 1 ? words[start + i]?.startsWith(word) : words[start + i] === word)));
}

/** What of a query full text is asked for. */
import { folded, phraseOf, type Phrase } from '../../../domain/words.js';
import { isFunctionWord } from './function-words.js';

/** `code`: it holds a number, so that no encoder knows it; `name`: written with a capital inside a sentence. */
export type TermKind = 'code' | 'name' | 'word';

export interface Term {
  /** As it was written. */
  text: string;
  phrase: Phrase;
  kind: TermKind;
}

export interface Asked {
  /** The text without its marks of quotation. */
  text: string;
  /** What stood between them. */
  quoted: Phrase[];
  terms: Term[];
}

export const mostQuoted = 8;
const mostTerms = 32;
/** Characters of a query that are looked at. */
const longest = 2_000;
/** A word written without spaces that is asked for as a whole. */
const longestRun = 40;

const quotation = /"([^"]+)"|“([^“”"]+)[”"]|„([^“”„]+)[“”]|«([^«»]+)»|「([^「」]+)」|『([^『』]+)』/gu;
/** Of a number or a letter and a number: less is no code. */
const leastOfCode = 3;

export function askedIn(text: string): Asked {
  const head = text.slice(0, longest);
  const quoted: Phrase[] = [];
  const rest = head.replace(quotation, (whole, ...groups: (string | undefined)[]) => {
    const phrase = phraseOf(groups.slice(0, 6).find((group) => group !== undefined) ?? '');
    if (!phrase || quoted.length === mostQuoted) return whole;
    quoted.push(phrase);
    return ' ';
  });
  const spoken = quoted.length === 0 ? text : text.replace(quotation, (_, ...groups: (string | undefined)[]) => groups.slice(0, 6).find((group) => group !== undefined) ?? '');
  return { text: spoken, quoted, terms: termsIn(rest) };
}

function termsIn(text: string): Term[] {
  const found = new Map<string, Term>();
  for (const [place, chunk] of text.split(/[\s'’]+/u).filter(Boolean).entries()) {
    for (const term of termsOf(chunk, place === 0)) {
      if (found.size < mostTerms && !found.has(term.phrase.words.join(' '))) found.set(term.phrase.words.join(' '), term);
    }
  }
  return [...found.values()];
}

const isRunOfPairs = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const segmenter = new Intl.Segmenter('zh', { granularity: 'word' });

function termsOf(chunk: string, isFirst: boolean): Term[] {
  const phrase = phraseOf(chunk);
  if (!phrase) return [];
  if (isRunOfPairs.test(chunk)) return termsOfRun(chunk, phrase);
  const characters = phrase.words.join('');
  if (/\p{N}/u.test(characters) && characters.length >= leastOfCode) return [{ text: chunk, phrase, kind: 'code' }];
  const isName = !isFirst && /^\P{L}*\p{Lu}/u.test(chunk);
  return phrase.words.filter((word) => word.length > 1 && !isFunctionWord(word)).map((word): Term => ({ text: word, phrase: { words: [word], prefix: false }, kind: isName ? 'name' : 'word' }));
}

/** The whole, and its words, as far as they can be told apart. */
function termsOfRun(chunk: string, whole: Phrase): Term[] {
  const words = [...segmenter.segment(chunk)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
  const apart = words.filter((word) => (Array.from(word).length > 1 || words.length === 1) && !isFunctionWord(folded(word))).flatMap((word): Term[] => {
    const phrase = phraseOf(word);
    return phrase ? [{ text: word, phrase, kind: /\p{N}/u.test(word) && word.length >= leastOfCode ? 'code' : 'word' }] : [];
  });
  const kind = /\p{N}/u.test(chunk) ? 'code' : 'word';
  return Array.from(chunk).length <= longestRun ? [{ text: chunk, phrase: whole, kind }, ...apart] : apart;
}

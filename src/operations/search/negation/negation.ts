/** What a sentence says is not to be seen, told from what it says is. */
import { around, before, noMarkers, pictureWords, type Before } from './languages.js';

export interface Negation {
  /** What is looked for, without what is missing. */
  rest: string;
  /** Each thing that is missing, in the order said; at least one. */
  negated: string[];
}

/** Characters: a longer text is a text, not a wish. */
const longest = 256;
const most = 8;

/** `undefined` where nothing is said to be missing, or nothing else is said. Words with a minus before them ("-people", `-"parked cars"`) are missing in every language. */
export function negationOf(text: string): Negation | undefined {
  if (text.length > longest) return undefined;
  const folded = text.normalize('NFC').replace(/[’`]/g, "'").replace(/\s+/g, ' ').trim();
  const marked = markedBy(folded);
  if (marked) return marked;
  if (noMarkers.some((pattern) => pattern.test(folded))) return undefined;
  for (const language of compiled) {
    const found = foundBefore(folded, language);
    if (found) return found;
  }
  return foundAround(folded);
}

/** `-word` and `-"some words"`, at the start or behind a space. */
function markedBy(text: string): Negation | undefined {
  const negated: string[] = [];
  const rest = text.replace(/(?<=^| )-(?:"([^"]+)"|([\p{L}\p{N}][^ ]*))/gu, (_, quoted: string | undefined, word: string | undefined) => {
    negated.push(quoted ?? word!);
    return '';
  });
  return negationIn(rest, negated);
}

interface Language {
  marker: RegExp;
  articles: RegExp;
  ends: RegExp;
  and: RegExp;
  hanging: RegExp;
  inPicture: RegExp;
}

const words = (patterns: string[]): string => `(?:${patterns.join('|')})`;
/** Between letters, as `\b` is between ASCII's. */
const begins = '(?<![\\p{L}\\p{N}])';
const ends = '(?![\\p{L}\\p{N}])';
const compiled: Language[] = Object.values(before).map(compile);

function compile({ markers, atPhraseStart, articles, ends: phraseEnds, and, hanging, inPicture }: Before): Language {
  // One that ends with an apostrophe or a space stands right before its word.
  const marker = [`${begins}${words(markers)}(?:(?<=[' ])|${ends})`, ...(atPhraseStart ? [`(?<=^|[,;.:(\\-–—] ?|${begins}${words(hanging)} )${words(atPhraseStart)}${ends}(?!-)`] : [])];
  return {
    marker: new RegExp(words(marker), 'iu'),
    articles: new RegExp(`^(?:${words(articles)}(?:(?<=')|${ends}) ?)+`, 'iu'),
    ends: new RegExp(`[,;.!?()]|${begins}${words(phraseEnds)}${ends}`, 'iu'),
    and: new RegExp(` ?(?:${begins}${words(and)}${ends}|[,&/]) ?`, 'iu'),
    hanging: new RegExp(`${begins}${words(hanging)}$`, 'iu'),
    inPicture: new RegExp(` ?${begins}${words(inPicture)}${ends}`, 'iu'),
  };
}

function foundBefore(text: string, language: Language): Negation | undefined {
  const { marker, articles, ends: phraseEnd, and, inPicture } = language;
  let there = '';
  let left = text;
  const negated: string[] = [];
  for (let found = marker.exec(left); found && negated.length < most; found = marker.exec(left)) {
    there += ` ${withoutHanging(left.slice(0, found.index), language)}`;
    left = left.slice(found.index + found[0].length).trimStart().replace(articles, '').replace(inPicture, '');
    // "without cars, people or bikes": a comma may also stand between things that are missing.
    const end = phraseEnd.exec(left)?.index ?? left.length;
    negated.push(...left.slice(0, end).split(and).map((each) => each.replace(articles, '').trim()));
    left = left.slice(end).replace(/^[,;.!?] ?/, ' ');
  }
  return negated.length === 0 ? undefined : negationIn(`${there} ${withoutHanging(left, language)}`, negated);
}

function withoutHanging(text: string, { hanging }: Language): string {
  for (let before = text; ; before = text) {
    text = text.replace(/[\s,;.:(-]+$/, '').replace(hanging, '');
    if (text === before) return text;
  }
}

function foundAround(text: string): Negation | undefined {
  for (const pattern of around) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) continue;
    const found = negationIn(`${groups['there'] ?? ''} ${groups['behind'] ?? ''}`.replace(/[，、]/g, ' ').replace(pictureWords, ''), [groups['missing']!]);
    if (found) return found;
  }
  return undefined;
}

function negationIn(rest: string, negated: string[]): Negation | undefined {
  const tidied = rest.replace(/\s+/g, ' ').replace(/ (?=[,;.])/g, '').replace(/^[\s,;.]+|[\s,;:]+$/g, '');
  const things = [...new Set(negated.map((each) => each.trim()).filter((each) => each !== ''))].slice(0, most);
  return tidied === '' || things.length === 0 ? undefined : { rest: tidied, negated: things };
}

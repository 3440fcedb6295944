/** Filters that a sentence says: times, kinds, folders and values of the metadata, by rules; what is left is searched for. */
import type { Filter } from '../../../domain/filter.js';
import type { Collection } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
import { isFunctionWord } from '../lexical/function-words.js';
import { folded } from '../../../domain/words.js';
import { hasUnspaced, inLowerCase, lowered } from './boundary.js';
import { dayOf } from './calendar.js';
import { Folders } from './folders.js';
import { kindIn } from './kinds.js';
import { languages } from './languages/index.js';
import { apart, taken, without, type Span } from './spans.js';
import { timesIn, yearAtTheStart } from './times.js';
import { valuesIn, valuesOf, wholeValuesIn } from './values.js';

/** A longer text is no sentence that asks for something. */
export const longestUnderstood = 300;

export interface UnderstoodPart {
  text: string;
  filter: Filter;
}

export interface Understood {
  parts: UnderstoodPart[];
  /** What is to be searched for; blank: nothing. */
  rest: string;
}

/** `except`: parts, by their texts, that are to be searched for instead. */
export async function understand(context: Context, collection: Collection, text: string, { now, except = [] }: { now: Date; except?: string[] }): Promise<Understood> {
  if (text.length > longestUnderstood) return { parts: [], rest: text };
  const isWanted = ({ text: each }: Span): boolean => !except.includes(each);
  let spans: Span[] = [];
  /** What stands in quotation marks is meant as it stands. */
  const hidden = (): string => without(text, spans).replace(/"[^"]+"|“[^”]+”/gu, (quoted) => taken.repeat(quoted.length));
  const add = (found: Span[]): void => {
    const free = found.filter((span) => isWanted(span) && spans.every(({ start, end }) => span.end <= start || span.start >= end));
    spans = [...spans, ...apart(free)].sort((a, b) => a.start - b.start);
  };
  const folders = new Folders(context, collection.name);
  add(await folders.named(without(text, spans)));
  const values = await valuesOf(context, collection);
  add(valuesIn(hidden(), values));
  const times = await timesIn(hidden(), dayOf(now));
  add(times);
  // In a script without spaces a value stands apart only now.
  if (hasUnspaced(text)) add(valuesIn(hidden(), values));
  add(kindIn(hidden()));
  if (times.length === 0 && spans.length > 0) add(yearAtTheStart(hidden(), dayOf(now)));
  add(await folders.called(hidden()));
  if (spans.every(({ filter }) => filter['$item.modality'] === undefined)) add(kindIn(hidden()));
  add(wholeValuesIn(hidden(), values, isNothing));
  return { parts: spans.map(({ text: each, filter }) => ({ text: each, filter })), rest: restOf(without(text, spans), spans.length > 0) };
}

const fillers = languages.map(({ filler, spaced }) => ({ spaced, is: new RegExp(`^(?:${lowered(filler)})$`, 'u'), leads: new RegExp(`^(?:${lowered(filler)})`, 'u') }));
/** Behind a kind, or between particles that have lost what they joined. */
const joint = /^(?:[’']s\s+|(?:of|about|von|vom|über|zu|zum|zur|de|du|des|del|da|do|das|dos|di|dei|della|su|sur|sobre|van|over)\s+|d[’']|(?:里的|裡的|中的|[的のに里裡])\s*)/iu;
/** What is told of, in languages in which that stands before the kind. */
const about = /^(?:关于|關於|有关|有關)|(?:について|に関する|に関して)の?$/u;
const stop = /^[\s,;:.!?،、，。·|–—-]+|[\s,;:،、，|–—-]+$/gu;

/** What is left; '' where it says nothing of what is looked for. */
function restOf(text: string, isUnderstood: boolean): string {
  if (!isUnderstood) return text;
  const left = text.split(taken).map((piece, i) => piece.trim().replace(i > 0 ? joint : /^$/u, '').replace(about, '').trim()).filter(Boolean).join(' ').replace(stop, '');
  const words = inLowerCase(left).split(/[\s,;:.!?،、，。]+/u).filter(Boolean);
  return words.every(isNothing) ? '' : left;
}

const isNothing = (word: string): boolean => isFunctionWord(folded(word)) || fillers.some(({ is }) => is.test(inLowerCase(word))) || isFilled(word);

/** Of a language without spaces: made of fillers alone. */
function isFilled(word: string): boolean {
  for (const { leads } of fillers.filter(({ spaced }) => !spaced)) {
    let rest = word;
    for (let found = leads.exec(rest); found && found[0] !== ''; found = leads.exec(rest)) rest = rest.slice(found[0].length);
    if (rest === '') return true;
  }
  return false;
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { filterOf, presentYear, yearsOf, type Days } from './calendar.js';
import { inLowerCase } from './boundary.js';
import { grammarOf, type Time } from './grammar.js';
import { languages } from './languages/index.js';
import { taken, type Span } from './spans.js';

/** Milliseconds after which others get their turn. */
const sliceMs = 4;

/** A year that ends a query, and is more likely a part of a name. */
const namesBefore = /(?:^|[^\p{L}])(?:windows|office|fifa|expo|euro|version|model|modell|modèle|modelo|route|highway|room|page|no|nr|number|nummer|wonder woman|blade runner|catch|agenda|area|studio|server|edition|ausgabe|peugeot|porsche|cup|wm|em|em\.|olympics|vision|horizon|calendar|kalender|calendario|calendrier)\.?$/iu;

/** Times in a text, those that overlap among them. */
export async function timesIn(text: string, today: number): Promise<Span[]> {
  const lower = inLowerCase(text);
  const found: Time[] = [];
  for (const language of languages) {
    if (language.script && !language.script.test(text)) continue;
    const began = performance.now();
    found.push(...grammarOf(language).timesIn(text, lower, today));
    // The first time its expressions are compiled.
    if (performance.now() - began > sliceMs) await nextTurn();
  }
  const times = found.filter(({ start, days }) => !isOfTheFuture(days, today) && !streets.test(lower.slice(0, start)));
  if (times.length === 0) return yearAtTheEnd(text, today);
  return times.map(({ start, end, told = start, days }) => ({ start, end, text: text.slice(told, end), filter: filterOf(days) }));
}

/** Streets and squares that are called after a day. */
const streets = /(?<!\p{L})(?:rue|avenue|boulevard|place|square|calle|plaza|avenida|paseo|via|viale|piazza|corso|rua|praça|ulica|plac|улица|площадь|straße|platz|street)\s+(?:(?:du|de|del|de la|da|do|des|der)\s+)?(?:\d{1,2}(?:er|º|\.)?\s+(?:de\s+)?)?$/u;

/** Nothing was taken then: it is a name. */
const isOfTheFuture = ({ from }: Days, today: number): boolean => from !== undefined && from > today + 366;

/** "2016 garage band pics": before something else, where the rest of the sentence says filters. */
export function yearAtTheStart(text: string, today: number): Span[] {
  const found = /^\s*(?<year>20\d\d)(?=[\s,]+\p{L})/u.exec(text);
  if (!found || Number(found.groups!['year']) > presentYear(today)) return [];
  return [{ start: 0, end: found[0].length, text: found.groups!['year']!, filter: filterOf(yearsOf(Number(found.groups!['year']))) }];
}

/** "Lisbon 2019": behind something else, and of this century; behind a comma of any. */
function yearAtTheEnd(text: string, today: number): Span[] {
  const found = /^(?<before>.*[\p{L}\p{M}\u0001])(?<comma>\s*[,;:،、，]\s*|\s+)(?<year>(?:19|20)\d\d)\s*[.!?]?\s*$/u.exec(text);
  if (!found) return [];
  const { before, comma, year } = found.groups as { before: string; comma: string; year: string };
  const isApart = comma.trim() !== '' || before.endsWith(taken);
  if (Number(year) > presentYear(today) || (!isApart && (Number(year) < 2000 || namesBefore.test(before)))) return [];
  const start = before.length;
  return [{ start, end: text.length, text: year, filter: filterOf(yearsOf(Number(year))) }];
}

import { filterOf, presentYear, yearsOf, type Days } from './calendar.js';
import { grammarOf } from './grammar.js';
import { languages, type Language } from './languages/index.js';
import type { Span } from './spans.js';

/** A year that ends a query, and is more likely a part of a name. */
const namesBefore = /(?:^|[^\p{L}])(?:windows|office|fifa|expo|euro|version|model|modell|modèle|modelo|route|highway|room|page|no|nr|number|nummer|wonder woman|blade runner|catch|agenda|area|studio|server|edition|ausgabe|peugeot|porsche|cup|wm|em|em\.|olympics|vision|horizon|calendar|kalender|calendario|calendrier)\.?$/iu;

interface Candidate extends Span {
  days: Days;
}

/** Times in a text: of those that overlap the longest. */
export function timesIn(text: string, today: number): Span[] {
  const found = languages.flatMap((language) => timesOf(language, text, today));
  if (found.length === 0) found.push(...yearAtTheEnd(text, today));
  return found.map(({ days: _days, ...span }) => span);
}

function timesOf(language: Language, text: string, today: number): Candidate[] {
  const { rules, preposition } = grammarOf(language);
  const found: Candidate[] = [];
  for (const { free, read } of rules) {
    for (const match of text.matchAll(free)) {
      const { index } = match;
      const days = read({ text: match[0], groups: match.groups ?? {}, before: text.slice(0, index) }, today);
      if (!days || isOfTheFuture(days, today)) continue;
      const start = index - (preposition.exec(text.slice(0, index))?.[0].length ?? 0);
      const end = index + match[0].length;
      found.push({ start, end, text: match[0], filter: filterOf(days), days });
    }
  }
  return found;
}

/** Nothing was taken then: it is a name. */
const isOfTheFuture = ({ from }: Days, today: number): boolean => from !== undefined && from > today + 366;

/** "Lisbon 2019": behind something else, and of this century; behind a comma of any. */
function yearAtTheEnd(text: string, today: number): Candidate[] {
  const found = /^(?<before>.*[\p{L}\p{M}])(?<comma>\s*[,;:،、，]\s*|\s+)(?<year>(?:19|20)\d\d)\s*[.!?]?\s*$/u.exec(text);
  if (!found) return [];
  const { before, comma, year } = found.groups as { before: string; comma: string; year: string };
  const isApart = comma.trim() !== '';
  if (Number(year) > presentYear(today) || (!isApart && (Number(year) < 2000 || namesBefore.test(before)))) return [];
  const start = before.length;
  return [{ start, end: text.length, text: year, filter: filterOf(yearsOf(Number(year))), days: yearsOf(Number(year)) }];
}

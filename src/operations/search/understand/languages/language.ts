import type { Unit } from '../calendar.js';

/**
 * How a language speaks of times, kinds and folders. Patterns are regular expressions without groups that capture, and
 * hold: {m} a month's name, {w} a weekday's, {s} a season or a holiday, {x} any of the three but the weekday, {y} a year, {d} a day's
 * number, {M} a month's, {n} a small number, {u} a unit, {r} and {q} any time, {k} a decade's number, {D} its name, {e} a year of an era, {t} the last two digits of one, {f} a folder's name.
 */
export interface Language {
  /** BCP 47: months and weekdays are as the Unicode CLDR has them. */
  code: string;
  /** Without a letter of it a text is of another language. */
  script?: RegExp;
  /** {w} where the CLDR has it otherwise, Monday first. */
  weekdays?: string[];
  /** Words stand apart. */
  spaced: boolean;
  /** Months as CLDR does not have them, by their number from 0: other cases. */
  months?: string[];
  /** Spring, summer, autumn, winter. */
  seasons: [string, string, string, string];
  /** Christmas, Christmas Eve, New Year's Eve, Halloween, Valentine's Day: said like a season. */
  holidays: [string, string, string, string, string];
  /** The first, the second and the last third of a month or a year {r}. */
  thirds: [string[], string[], string[]];
  /** `needs`: only where a word of this stands in the query as well, since another language means something else by it. */
  relative: { is: string; unit: Unit; offset: number; needs?: string }[];
  units: [string, Unit][];
  /** One to ten. */
  numbers: string[];
  ago: string[];
  /** The last {n} {u}. */
  past: string[];
  /** The {w} of last week; of this one. */
  lastWeek?: string[];
  thisWeek?: string[];
  /** The last {x} or {w}; that of this year; that of last year, and of the year before. */
  last: string[];
  present: string[];
  ofLastYear: string[];
  ofYearBefore?: string[];
  dates: string[];
  /** The last {d} of {m} or {M} that was; of no certain year. */
  dayMonth?: string[];
  /** A {m} that needs nothing before it. */
  monthAlone?: string[];
  monthYear: string[];
  seasonYear: string[];
  /** A {y} that is one beyond doubt. */
  year: string[];
  /** Before a {y} or a {m} that alone would be none; and before any other time, as a part of it. */
  before: string;
  decades: string[];
  /** {D}, from the twenties to the nineties of the twentieth century. */
  decadeNames?: string[];
  since: string[];
  until: string[];
  earlier: string[];
  later: string[];
  between: string[];
  kinds: { image: string; text: string };
  /** Where a kind stands: `first`, before what it is of; `last`, behind it, joined by `joint`. */
  /** `compound`: words before it that make it a thing in the picture; other words before it make one name with it. */
  kindStands: { at: 'first'; follows: string; compound?: string } | { at: 'last'; joint: string };
  /** What may stand before a kind, or is nothing to look for. */
  filler: string;
  /** `before`: before the folder's name; `behind`: behind it. */
  folder: { before?: string[]; behind?: string[] };
}

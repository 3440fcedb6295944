/** A language's patterns as regular expressions that read times. */
import { dateOf, lastOfYearly, lastUnits, lastWeekday, monthOf, ofLastYear, presentYear, seasonOf, thisYears, unitAt, yearsOf, type Days, type Unit } from './calendar.js';
import type { Language } from './languages/index.js';

export interface TimeRule {
  /** Anywhere in a text, with flag `g`. */
  free: RegExp;
  /** A text as a whole. */
  whole: RegExp;
  read: (found: Found, today: number) => Days | undefined;
}

export interface Found {
  text: string;
  groups: Record<string, string | undefined>;
  /** What stands before it in the query. */
  before: string;
}

export interface Grammar {
  language: Language;
  rules: TimeRule[];
  /** What stands before a time, up to it. */
  preposition: RegExp;
}

const yearSource = '(?<![\\d.,:/-])(?:(?:1[89]|20)\\d\\d|[١٢][٠-٩]{3}|[１２][０-９]{3})(?![\\d:])';
const thaiYearSource = '(?<![\\d.,:/-])(?:(?:1[89]|20|2[45])\\d\\d)(?![\\d:])';
const daySource = '(?:0?[1-9]|[12]\\d|3[01]|[٠-٩]{1,2})';
const isoSource = '(?<![\\d-])(?:(?:1[89]|20)\\d\\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])(?![\\d-])';
const buddhistEra = 543;

/** Names that are other words as well: in lower case they are a month only beside a day or a year. */
const otherWords = new Set(['may', 'march']);
const abbreviations: Record<string, string[]> = {
  en: ['jan', 'feb', 'mar', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'oct', 'nov', 'dec'],
  de: ['jan', 'feb', '', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'okt', 'nov', 'dez'],
  nl: ['jan', 'feb', 'mrt', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'okt', 'nov', 'dec'],
};

const grammars = new Map<Language, Grammar>();

export function grammarOf(language: Language): Grammar {
  const known = grammars.get(language);
  if (known) return known;
  const made = new GrammarMaker(language).make();
  grammars.set(language, made);
  return made;
}

class GrammarMaker {
  readonly #language: Language;
  /** Sources by number; months without and with what is only short for them. */
  readonly #months: string[];
  readonly #shortMonths: string[];
  readonly #weekdays: string[];
  readonly #rules: TimeRule[] = [];
  readonly #atoms: string[] = [];

  constructor(language: Language) {
    this.#language = language;
    const { code } = language;
    this.#months = language.months ?? Array.from({ length: 12 }, (_, i) => monthNames(code, i));
    this.#shortMonths = this.#months.map((name, i) => (abbreviations[code]?.[i] ? `${name}|${abbreviations[code]![i]}\\.?` : name));
    // The fifth of January 1970 was a Monday.
    this.#weekdays = Array.from({ length: 7 }, (_, i) => escaped(new Intl.DateTimeFormat(code, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(1970, 0, 5 + i)))));
  }

  make(): Grammar {
    const { dates, monthYear, seasonYear, ofLastYear: lastYear, ofYearBefore = [], last, present, ago, past, year, relative, decades, since, until, earlier, later, between, before, spaced } = this.#language;
    this.#atom(['(?<iso>' + isoSource + ')'], ({ groups }) => {
      const [y, m, d] = groups['iso']!.split('-').map(Number) as [number, number, number];
      return dateOf(y, m - 1, d);
    });
    this.#atom(dates, ({ groups }) => dateOf(this.#year(groups['y']!), groups['M'] ? Number(groups['M']) - 1 : this.#month(groups['m']!), numberOf(groups['d']!)));
    this.#atom(monthYear, ({ groups }) => monthOf(this.#year(groups['y']!), this.#month(groups['m']!)));
    this.#atom(seasonYear, ({ groups }) => seasonOf(this.#year(groups['y']!), this.#season(groups['s'] ?? groups['S']!)));
    this.#atom(ofYearBefore, ({ groups }, today) => ofLastYear(this.#yearly(groups['x']!), today, 2));
    this.#atom(lastYear, ({ groups }, today) => ofLastYear(this.#yearly(groups['x']!), today, 1));
    this.#atom(last, ({ groups }, today) => (groups['w'] ? lastWeekday(this.#place(this.#weekdays, groups['w']), today) : lastOfYearly(this.#yearly(groups['x']!), today, true)));
    this.#atom(present, ({ groups }, today) => thisYears(this.#yearly(groups['x']!), today));
    for (const { is, unit, offset, needs } of relative) {
      const needed = needs === undefined ? undefined : new RegExp(`(?<![\\p{L}\\p{N}])(?:${needs})(?![\\p{L}\\p{N}])`, 'iu');
      this.#atom([is], ({ before: stands }, today) => (needed && !needed.test(stands) ? undefined : unitAt(unit, offset, today)));
    }
    this.#atom(ago, ({ groups }, today) => unitAt(this.#unit(groups['u']!), -this.#number(groups['n']!), today));
    this.#atom(past, ({ groups }, today) => lastUnits(this.#unit(groups['u']!), this.#number(groups['n']!), today));
    this.#atom(decades, ({ text, groups }) => {
      const century = /(?:19|20)\d0/.exec(text)?.[0].slice(0, 2) ?? (Number(groups['k']) >= 3 ? '19' : '20');
      return yearsOf(Number(`${century}${groups['k']!}0`), 10);
    });
    this.#atom(year, ({ groups }) => yearsOf(this.#year(groups['y']!)));
    // What alone is no time is one behind these.
    this.#atoms.push(this.#bare('{y}'));
    this.#rule(between, ({ groups }, today) => {
      const to = this.#time(groups['q']!, today);
      const from = this.#time(groups['r']!, today, to?.from);
      return from?.from !== undefined && to?.to !== undefined && from.from < to.to ? { from: from.from, to: to.to } : undefined;
    });
    const open = (patterns: string[], days: (time: Days) => Days): void => {
      this.#rule(patterns, ({ groups }, today) => {
        const time = this.#time(groups['r']!, today);
        return time?.from === undefined || time.to === undefined ? undefined : days(time);
      });
    };
    open(since, ({ from }) => ({ from: from! }));
    open(until, ({ to }) => ({ to: to! }));
    open(earlier, ({ from }) => ({ to: from! }));
    open(later, ({ to }) => ({ from: to! }));
    if (before !== '') {
      const space = spaced ? '\\s+' : '\\s*';
      this.#rule([`(?:${before})${space}{y}`], ({ groups }) => yearsOf(this.#year(groups['y']!)));
      this.#rule([`(?:${before})${space}{L}`], ({ groups, before: stands }, today) => {
        const name = groups['L']!;
        if (otherWords.has(name) || /\d\S*\s*$/u.test(stands) || new RegExp(`(?:${this.#language.numbers.join('|')})\\s*$`, 'iu').test(stands)) return undefined;
        return lastOfYearly((each) => monthOf(each, this.#month(name)), today, false);
      });
    }
    return { language: this.#language, rules: this.#rules, preposition: new RegExp(before === '' ? '$^' : `${spaced ? '(?<![\\p{L}\\p{N}])' : ''}(?:${before})\\s*$`, 'iu') };
  }

  #atom(patterns: string[], read: TimeRule['read']): void {
    this.#rule(patterns, read);
    this.#atoms.push(...patterns.map((pattern) => this.#bare(pattern)));
  }

  #rule(patterns: string[], read: TimeRule['read']): void {
    const [open, close] = this.#language.spaced ? ['(?<![\\p{L}\\p{N}])', '(?![\\p{L}\\p{N}])'] : ['', ''];
    for (const pattern of patterns) {
      const source = `${open}(?:${this.#filled(pattern, true)})${close}`;
      this.#rules.push({ free: new RegExp(source, 'giu'), whole: new RegExp(`^(?:${source})$`, 'iu'), read });
    }
  }

  /** A pattern without groups. */
  #bare(pattern: string): string {
    return this.#filled(pattern.replace('(?<iso>', '(?:'), false);
  }

  #filled(pattern: string, isNamed: boolean): string {
    return pattern.replaceAll(' ', '\\s+').replaceAll('\\s+?', '\\s*').replace(/\{(\p{L})\}/gu, (_, name: string) => `(${isNamed ? `?<${name}>` : '?:'}${this.#source(name)})`);
  }

  #source(name: string): string {
    const { seasons, units, numbers, code } = this.#language;
    switch (name) {
      case 'm':
        return this.#shortMonths.join('|');
      case 'L':
        return this.#months.join('|');
      case 'w':
        return this.#weekdays.join('|');
      case 's':
        return seasons.join('|');
      case 'S':
        return '[春夏秋冬]';
      case 'x':
        return [...seasons, ...this.#months].join('|');
      case 'y':
        return code === 'th' ? thaiYearSource : yearSource;
      case 'd':
        return daySource;
      case 'M':
        return '0?[1-9]|1[0-2]';
      case 'n':
        return `\\d{1,3}|${numbers.join('|')}`;
      case 'u':
        return units.map(([is]) => is).join('|');
      case 'k':
        return '[1-9]';
      // A month alone takes its year from the other side.
      case 'r':
      case 'q':
        return [...this.#atoms, ...this.#months].join('|');
      default:
        throw new TypeError(`Unknown {${name}} in a pattern of ${code}.`);
    }
  }

  /** `near`: a day of the year that a month alone is of. */
  #time(text: string, today: number, near?: number): Days | undefined {
    for (const { whole, read } of this.#rules) {
      const found = whole.exec(text);
      const days = found && read({ text, groups: found.groups ?? {}, before: '' }, today);
      if (days) return days;
    }
    if (new RegExp(`^(?:${this.#source('y')})$`, 'u').test(text)) return yearsOf(this.#year(text));
    if (near === undefined || otherWords.has(text)) return undefined;
    const month = this.#place(this.#months, text);
    return month < 0 ? undefined : monthOf(presentYear(near), month);
  }

  #yearly(text: string): (year: number) => Days {
    const season = this.#season(text);
    if (season >= 0) return (year) => seasonOf(year, season);
    const month = this.#month(text);
    return (year) => monthOf(year, month);
  }

  #month(text: string): number {
    return this.#place(this.#shortMonths, text);
  }

  #season(text: string): number {
    const short = ['春', '夏', '秋', '冬'].indexOf(text);
    return short >= 0 ? short : this.#place(this.#language.seasons, text);
  }

  #place(sources: readonly string[], text: string): number {
    return sources.findIndex((source) => new RegExp(`^(?:${source})$`, 'iu').test(text));
  }

  #unit(text: string): Unit {
    return this.#language.units.find(([is]) => new RegExp(`^(?:${is})$`, 'iu').test(text))![1];
  }

  #number(text: string): number {
    return /^\d+$/.test(text) ? Number(text) : 1 + this.#place(this.#language.numbers, text);
  }

  #year(text: string): number {
    const year = numberOf(text);
    return this.#language.code === 'th' && year > 2400 ? year - buddhistEra : year;
  }
}

/** As it stands alone and beside a day. */
function monthNames(code: string, month: number): string {
  const at = new Date(Date.UTC(2001, month, 15));
  const alone = new Intl.DateTimeFormat(code, { month: 'long', timeZone: 'UTC' }).format(at);
  const beside = new Intl.DateTimeFormat(code, { day: 'numeric', month: 'long', timeZone: 'UTC' }).formatToParts(at).find(({ type }) => type === 'month')!.value;
  return [...new Set([alone, beside])].map(escaped).join('|');
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Arabic-Indic and full-width digits, too. */
function numberOf(text: string): number {
  return Number(text.normalize('NFKC').replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660)));
}

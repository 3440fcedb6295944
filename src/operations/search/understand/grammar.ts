/** A language's patterns as regular expressions that read times. */
import { dateOf, dayInMonth, holidayOf, lastOfYearly, lastUnits, lastWeekday, monthOf, ofLastYear, presentYear, seasonOf, thirdOf, thisYears, unitAt, weekdayIn, yearsOf, type Days, type Unit } from './calendar.js';
import { close, lowered, open } from './boundary.js';
import { numericDate, numericSource } from './numeric-dates.js';
import { eraSource, numberOf, shortYearSource, yearOf } from './years.js';
import type { Language } from './languages/index.js';

/** A time in a text, from `start` to before `end`. */
export interface Time {
  start: number;
  end: number;
  days: Days;
  /** Where what is told of it begins: behind a preposition. Left out: at its start. */
  told?: number;
  /** Alone it is none: a year's or a month's name that something must stand before. */
  isBare: boolean;
  /** Of a month alone, 0..11. */
  month?: number;
}

interface Found {
  text: string;
  groups: Record<string, string | undefined>;
  /** What stands before it in the text, and that text. */
  before: string;
  input: string;
}

interface Rule {
  pattern: RegExp;
  read: (found: Found, today: number) => Omit<Time, 'start' | 'end' | 'isBare'> | undefined;
  isBare: boolean;
}

/** What stands around a time, or around two of them. */
interface Around {
  /** A day's number and the joint: its month is that of what follows. */
  day?: RegExp;
  before: RegExp;
  joint?: RegExp;
  behind: RegExp;
}

const yearSource = '(?<![\\d.,:/$€£¥#])(?<!(?<!(?<!\\d)(?:19|20)\\d\\d)-)(?:(?:1[89]|20)\\d\\d|[١٢][٠-٩]{3}|[１２][０-９]{3}|[一二][零〇一二三四五六七八九]{3})(?![\\d:])';
const thaiYearSource = '(?<![\\d.,:/-])(?:(?:1[89]|20|2[45])\\d\\d)(?![\\d:])';
const daySource = '(?:0?[1-9]|[12]\\d|3[01]|[٠-٩]{1,2})';

/** Names that are other words as well: in lower case they are a month only beside a day or a year. */
const otherWords = new Set(['may', 'march']);
const abbreviations: Record<string, string[]> = {
  en: ['jan', 'feb', 'mar', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'oct', 'nov', 'dec'],
  de: ['jan', 'feb', '', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'okt', 'nov', 'dez'],
  nl: ['jan', 'feb', 'mrt', 'apr', '', 'jun', 'jul', 'aug', 'sept?', 'okt', 'nov', 'dec'],
};

/** "a 1967 Mustang": what is a preposition in one language is an article in another. */
const articles = /^(?:an?|o|os|as|the|la|le|les|el|los|il|i|lo|der|die|das|den|de[ms]|het)\s*$/u;
/** Things that bear a year, which is theirs and not the picture's. */
const dated = /(?<!\p{L})(?:coin|wine|calendar|stamp|newspaper|vintage|münze|wein|kalender|briefmarke|zeitung|monnaie|vin|calendrier|timbre|journal|moneda|vino|calendario|sello|periódico|moneta|francobollo|giornale|moeda|vinho|calendário|selo|jornal|munt|wijn|krant|монета|вино|календарь|газета)s?\s+$/u;
/** Behind a number that is no year. */
const counted = /^\s*-?(?:m|km|ft|kg|g|ml|mb|rpm|watts?|volts?|kcal|%|€|\$|euros?|dollars?|met(?:er|re)s?|metern|mètres|metros|metri|miles?|feet|pieces?|pièces|piezas|pezzi|teilen?|stücke?|people|persons?|leuten?|personen|personnes|personas|persone|pessoas|steps|stufen|marches|pixels?|years?|jahren?|ans|años|anni|anos)(?![\p{L}\d])/u;

const grammars = new Map<Language, Grammar>();

export function grammarOf(language: Language): Grammar {
  const known = grammars.get(language);
  if (known) return known;
  const made = new Grammar(language);
  grammars.set(language, made);
  return made;
}

const nothing = /$^/u;

export class Grammar {
  readonly #language: Language;
  /** Sources by number; months without and with what is only short for them. */
  readonly #months: string[];
  readonly #shortMonths: string[];
  readonly #weekdays: string[];
  readonly #rules: Rule[] = [];
  readonly #between: Around[];
  readonly #thirds: { around: Around; third: number }[];
  readonly #open: { around: Around; days: (time: Required<Days>) => Days }[];
  readonly #preposition: RegExp;
  readonly #countBefore: RegExp;

  constructor(language: Language) {
    this.#language = language;
    const { code, spaced, before, numbers, between, since, until, earlier, later } = language;
    this.#months = language.months ?? Array.from({ length: 12 }, (_, i) => monthNames(code, i));
    this.#shortMonths = this.#months.map((name, i) => (abbreviations[code]?.[i] ? `${name}|${abbreviations[code][i]}\\.?` : name));
    // The fifth of January 1970 was a Monday.
    this.#weekdays = language.weekdays ?? Array.from({ length: 7 }, (_, i) => escaped(new Intl.DateTimeFormat(code, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(1970, 0, 5 + i)))));
    this.#makeRules();
    this.#between = between.map((pattern) => this.#around(pattern));
    this.#thirds = language.thirds.flatMap((patterns, third) => patterns.map((pattern) => ({ around: this.#around(pattern), third })));
    const opened = (patterns: string[], days: (time: Required<Days>) => Days): { around: Around; days: (time: Required<Days>) => Days }[] => patterns.map((pattern) => ({ around: this.#around(pattern), days }));
    this.#open = [
      ...opened(since, ({ from }) => ({ from })),
      ...opened(until, ({ to }) => ({ to })),
      ...opened(earlier, ({ from }) => ({ to: from })),
      ...opened(later, ({ to }) => ({ from: to })),
    ];
    this.#preposition = before === '' ? nothing : new RegExp(`${spaced ? open : ''}(?:${lowered(before)})\\s*$`, 'u');
    this.#countBefore = new RegExp(`(?:\\d\\S*|${lowered(numbers.join('|'))})\\s+\\S*\\s*$`, 'u');
  }

  /** All times in a text, those that overlap among them. `written`: the text; `text`: the same in lower case. */
  timesIn(written: string, text: string, today: number): Time[] {
    const read = this.#rules.flatMap((rule) => this.#matches(rule, text, today)).filter(({ start, end, isBare }) => !isBare || !otherWords.has(written.slice(start, end)));
    const atoms = [...read, ...this.#thirdsOf(text, read)];
    const times = atoms.filter(({ isBare }) => !isBare).map((time) => this.#withPreposition(text, time));
    for (const atom of atoms) {
      if (atom.isBare) times.push(...this.#afterPreposition(text, atom));
      // After a month alone may be after any.
      if (atom.month !== undefined && atom.isBare) continue;
      for (const { around, days } of this.#open) {
        const whole = wholeOf(text, around, atom);
        if (whole && atom.days.from !== undefined && atom.days.to !== undefined) times.push({ ...this.#withPreposition(text, whole), days: days({ from: atom.days.from, to: atom.days.to }), isBare: false, told: whole.start });
      }
    }
    return [...times, ...this.#pairs(text, atoms)];
  }

  #matches({ pattern, read, isBare }: Rule, text: string, today: number): Time[] {
    const found: Time[] = [];
    // matchAll would make a copy of the expression, which is compiled anew.
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const time = read({ text: match[0], groups: match.groups ?? {}, before: text.slice(0, match.index), input: text }, today);
      if (time) found.push({ start: match.index, end: match.index + match[0].length, isBare, ...time });
    }
    return found;
  }

  #thirdsOf(text: string, atoms: Time[]): Time[] {
    return this.#thirds.flatMap(({ around, third }) => atoms.flatMap((atom) => {
      const whole = wholeOf(text, around, atom);
      const days = whole && thirdOf(atom.days, third);
      return days ? [{ ...whole, days, isBare: false }] : [];
    }));
  }

  #withPreposition<T extends Pick<Time, 'start' | 'end'>>(text: string, time: T): T & Pick<Time, 'told'> {
    return { ...time, told: time.start, start: time.start - (this.#preposition.exec(text.slice(0, time.start))?.[0].length ?? 0) };
  }

  #afterPreposition(text: string, time: Time): Time[] {
    const before = text.slice(0, time.start);
    const preposition = this.#preposition.exec(before)?.[0];
    if (preposition === undefined || (time.month === undefined && (articles.test(preposition) || dated.test(before.slice(0, -preposition.length)))) || (time.month === undefined && counted.test(text.slice(time.end)))) return [];
    // The fourth of July is not July.
    if (time.month !== undefined && this.#countBefore.test(before)) return [];
    return [{ ...time, told: time.start, start: time.start - preposition.length, isBare: false }];
  }

  #pairs(text: string, atoms: Time[]): Time[] {
    const found: Time[] = [];
    for (const around of this.#between) {
      for (const second of atoms) {
        if (second.days.from === undefined || second.days.to === undefined) continue;
        found.push(...this.#daysTo(text, around, second));
        for (const first of atoms) {
          if (first.end > second.start || !around.joint!.test(text.slice(first.end, second.start))) continue;
          // A month alone is of the year of the other.
          const days = first.isBare && first.month !== undefined ? monthBefore(first.month, second) : first.days;
          const whole = wholeOf(text, around, { start: first.start, end: second.end });
          if (whole && days.from !== undefined && days.from < second.days.to) found.push({ ...whole, days: { from: days.from, to: second.days.to }, isBare: false });
        }
      }
    }
    for (const first of atoms) {
      found.push(...this.#daysFrom(text, first));
      for (const second of atoms) {
        if (first.end > second.start || second.start - first.end > longestJoint || second.days.from === undefined || second.days.to === undefined) continue;
        const joint = text.slice(first.end, second.start);
        const days = first.isBare && first.month !== undefined ? monthBefore(first.month, second) : first.days;
        if (days.from === undefined || days.to === undefined || days.from >= second.days.to) continue;
        const isRange = dash.test(joint) && isRecent(days, first, second);
        if (!isRange && !alike.test(joint)) continue;
        const time = this.#withPreposition(text, { start: first.start, end: second.end });
        // Two that are bare are names, unless something stands before them.
        if (isRange || !first.isBare || !second.isBare || time.start < first.start) found.push({ ...time, days: { from: days.from, to: second.days.to }, isBare: false });
      }
    }
    return found;
  }

  /** "3 to 8 August 2021". */
  #daysTo(text: string, around: Around, { start, end, days }: Time): Time[] {
    if (days.to !== days.from! + 1) return [];
    const day = around.day!.exec(text.slice(0, start));
    const from = day && dayInMonth(days.from!, Number(day.groups!['day']));
    if (!day || typeof from !== 'number' || from >= days.from!) return [];
    const whole = day.groups!['dash'] === undefined ? wholeOf(text, around, { start: day.index, end }) : { start: day.index, end };
    return whole ? [{ ...whole, days: { from, to: days.to }, isBare: false }] : [];
  }

  /** "2022年5月3日到8日". */
  #daysFrom(text: string, { start, end, days }: Time): Time[] {
    const day = days.to === days.from! + 1 ? dayBehind.exec(text.slice(end)) : null;
    const to = day && dayInMonth(days.from!, Number(day.groups!['day']));
    return typeof to === 'number' && to > days.from! ? [{ start, end: end + day![0].length, days: { from: days.from!, to: to + 1 }, isBare: false }] : [];
  }

  #makeRules(): void {
    const { dates, monthYear, seasonYear, ofLastYear: lastYear, ofYearBefore = [], last, present, ago, past, year, relative, decades, dayMonth = [], monthAlone = [], lastWeek = [], thisWeek = [] } = this.#language;
    const add = (patterns: string[], read: (found: Found, today: number) => Days | undefined): void => {
      this.#rule(patterns, false, (found, today) => {
        const days = read(found, today);
        return days && { days };
      });
    };
    add([numericSource], ({ text, input }) => numericDate(text, input));
    add(dayMonth, ({ groups }, today) => {
      const [month, day] = [groups['M'] ? Number(groups['M']) - 1 : this.#month(groups['m']!), numberOf(groups['d']!)];
      return dateOf(2000, month, day) && lastOfYearly((each) => dateOf(each, month, day) ?? { from: Infinity }, today, false);
    });
    add(dates, ({ groups }) => dateOf(this.#year(groups), groups['M'] ? Number(groups['M']) - 1 : this.#month(groups['m']!), numberOf(groups['d']!)));
    add(monthAlone, ({ groups }, today) => lastOfYearly((each) => monthOf(each, this.#month(groups['m']!)), today, false));
    add(monthYear, ({ groups }) => monthOf(this.#year(groups), this.#month(groups['m']!)));
    add(seasonYear, ({ groups }) => this.#yearly(groups['s'] ?? groups['S']!)(this.#year(groups)));
    add(ofYearBefore, ({ groups }, today) => ofLastYear(this.#yearly(groups['x']!), today, 2));
    add(lastYear, ({ groups }, today) => ofLastYear(this.#yearly(groups['x']!), today, 1));
    add(last, ({ groups }, today) => (groups['w'] ? lastWeekday(place(this.#weekdays, groups['w']), today) : lastOfYearly(this.#yearly(groups['x']!), today, true)));
    add(present, ({ groups }, today) => thisYears(this.#yearly(groups['x']!), today));
    for (const { is, unit, offset, needs } of relative) {
      const needed = needs === undefined ? undefined : new RegExp(`${open}(?:${lowered(needs)})${close}`, 'u');
      add([is], ({ before }, today) => (needed && !needed.test(before) ? undefined : unitAt(unit, offset, today)));
    }
    add(ago, ({ groups }, today) => unitAt(this.#unit(groups['u']!), -this.#number(groups['n']), today));
    add(past, ({ groups }, today) => lastUnits(this.#unit(groups['u']!), this.#number(groups['n']), today));
    add(lastWeek, ({ groups }, today) => weekdayIn(-1, place(this.#weekdays, groups['w']!), today));
    add(thisWeek, ({ groups }, today) => {
      const days = weekdayIn(0, place(this.#weekdays, groups['w']!), today);
      return days.from! > today ? undefined : days;
    });
    add(decades, ({ text, groups }) => {
      if (groups['D']) return yearsOf(1920 + 10 * place(this.#language.decadeNames!, groups['D']), 10);
      const century = /(?:19|20)\d0/.exec(text)?.[0].slice(0, 2) ?? (Number(groups['k']) >= 3 || /世[纪紀]/.test(text) ? '19' : '20');
      return yearsOf(Number(`${century}${groups['k']!}0`), 10);
    });
    add(year, ({ groups }) => yearsOf(this.#year(groups)));
    this.#rule(['{y}'], true, ({ groups }) => ({ days: yearsOf(this.#year(groups)) }));
    this.#rule(['{L}'], true, ({ groups }, today) => {
      const name = groups['L']!;
      const month = this.#month(name);
      return { month, days: lastOfYearly((each) => monthOf(each, month), today, false) };
    });
  }

  #rule(patterns: string[], isBare: boolean, read: Rule['read']): void {
    const [before, behind] = this.#language.spaced ? [open, close] : ['', ''];
    for (const pattern of patterns) this.#rules.push({ pattern: new RegExp(`${before}(?:${this.#filled(pattern)})${behind}`, 'gu'), read, isBare });
  }

  #around(pattern: string): Around {
    const { spaced } = this.#language;
    const [before, rest] = pattern.split('{r}') as [string, string];
    const [joint, behind] = rest.includes('{q}') ? (rest.split('{q}') as [string, string]) : [undefined, rest];
    return {
      before: new RegExp(`${spaced && before !== '' ? open : ''}${this.#filled(before)}$`, 'u'),
      ...(joint === undefined ? {} : { day: new RegExp(`(?<![\\d.])(?<day>\\d{1,2})(?:st|nd|rd|th|\\.|er|º|日|号|號|일)?(?:${this.#filled(joint)}|(?<dash>\\s*[-–]\\s*))$`, 'u'), joint: new RegExp(`^${this.#filled(joint)}$`, 'u') }),
      behind: new RegExp(`^${this.#filled(behind)}${spaced && behind !== '' ? close : ''}`, 'u'),
    };
  }

  #filled(pattern: string): string {
    return lowered(pattern).replaceAll(' ', '\\s+').replaceAll('\\s+?', '\\s*').replace(/\{(\p{L})\}/gu, (_, name: string) => `(?<${name}>${this.#source(name)})`);
  }

  #source(name: string): string {
    const { seasons, holidays, units, numbers, code, decadeNames = [] } = this.#language;
    const sources: Record<string, () => string> = {
      m: () => this.#shortMonths.join('|'),
      L: () => this.#months.join('|'),
      w: () => this.#weekdays.join('|'),
      s: () => [...seasons, ...holidays].join('|'),
      S: () => '[春夏秋冬]',
      x: () => [...seasons, ...holidays, ...this.#months].join('|'),
      y: () => (code === 'th' ? thaiYearSource : yearSource),
      e: () => eraSource,
      t: () => shortYearSource,
      d: () => daySource,
      M: () => '0?[1-9]|1[0-2]',
      n: () => `\\d{1,3}|${numbers.join('|')}`,
      u: () => units.map(([is]) => is).join('|'),
      k: () => '[1-9]',
      // The longest first: "quatre-vingt-dix" begins as "quatre-vingt".
      D: () => [...decadeNames].sort((a, b) => b.length - a.length).join('|'),
    };
    return lowered(sources[name]!());
  }

  #yearly(text: string): (year: number) => Days {
    const season = this.#season(text);
    if (season >= 0) return (year) => (season < 4 ? seasonOf(year, season) : holidayOf(year, season - 4));
    const month = this.#month(text);
    return (year) => monthOf(year, month);
  }

  #month(text: string): number {
    return place(this.#shortMonths, text);
  }

  #season(text: string): number {
    const short = ['春', '夏', '秋', '冬'].indexOf(text);
    return short >= 0 ? short : place([...this.#language.seasons, ...this.#language.holidays], text);
  }

  #unit(text: string): Unit {
    return this.#language.units[place(this.#language.units.map(([is]) => is), text)]![1];
  }

  #number(text = '1'): number {
    return /^\d+$/.test(text) ? Number(text) : 1 + place(this.#language.numbers, text);
  }

  #year({ y, e, t }: Found['groups']): number {
    return yearOf((y ?? e ?? t)!, this.#language.code === 'th');
  }
}

const dayBehind = /^\s*(?:到|至|から|[-–~～〜])\s*(?<day>\d{1,2})(?:日|号|號)(?:まで)?/u;
/** Between two times, characters. */
const longestJoint = 8;
const dash = /^\s*[-–—~〜～]\s*$/u;
const alike = /^(?:\s+(?:and|or|und|oder|et|ou|y|e|o|u|en|of|i|lub|и|или|ve|veya|و|أو)\s+|\s*(?:&|和|与|與|或|と|や|및|กับ|และ|หรือ)\s*)$/u;

/** A month of the same year as another time, or else of the one before. */
function monthBefore(month: number, { days: { from, to } }: Time): Days {
  const days = monthOf(presentYear(from!), month);
  return days.from! < to! ? days : monthOf(presentYear(from!) - 1, month);
}

/** Years in figures of a time before there were pictures in files may as well be carved in a stone. */
const isRecent = ({ from }: Days, first: Time, second: Time): boolean => !first.isBare || !second.isBare || first.month !== undefined || from! >= dateOf(1990, 0, 1)!.from!;

/** Which of the sources a text is. */
function place(sources: readonly string[], text: string): number {
  return sources.findIndex((source) => new RegExp(`^(?:${lowered(source)})$`, 'u').test(text));
}

/** A time with what must stand around it; `undefined` where it does not. */
function wholeOf(text: string, { before, behind }: Around, { start, end }: Pick<Time, 'start' | 'end'>): Pick<Time, 'start' | 'end'> | undefined {
  const first = before.exec(text.slice(0, start));
  const last = first && behind.exec(text.slice(end));
  return first && last ? { start: first.index, end: end + last[0].length } : undefined;
}

/** As it stands alone and beside a day. */
function monthNames(code: string, month: number): string {
  const at = new Date(Date.UTC(2001, month, 15));
  const alone = new Intl.DateTimeFormat(code, { month: 'long', timeZone: 'UTC' }).format(at);
  const beside = new Intl.DateTimeFormat(code, { day: 'numeric', month: 'long', timeZone: 'UTC' }).formatToParts(at).find(({ type }) => type === 'month')!.value;
  return [...new Set([alone, beside])].map(escaped).join('|');
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

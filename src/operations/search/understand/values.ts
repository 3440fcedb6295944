import type { Filter, Scalar } from '../../../domain/filter.js';
import { timeOf } from '../../../domain/times.js';
import type { Collection, Item } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
import { inLowerCase, isLetter, letters, lowered, open, unspaced } from './boundary.js';
import { namesOf } from './field-names.js';
import { languages } from './languages/index.js';
import { taken, type Span } from './spans.js';

/** Items of which the fields are looked at, fields, and values of a field: with more of them it is no list of names. */
const sampled = 200;
const mostFields = 20;
const mostValues = 1_000;
const longestValue = 40;
/** A field in which nearly every item has a value of its own names nothing. */
const nearlyAll = 0.5;
const fewValues = 50;
/** What is known of values is kept for so many times as long as it took to count them. */
const keptTimes = 50;
/** Of so many collections at most. */
const keptCollections = 64;

type Values = { field: string; values: Scalar[] }[];
const known = new WeakMap<Context['catalog'], Map<string, { until: number; values: Values }>>();

/** Short values of the metadata, field by field. */
export async function valuesOf({ catalog }: Context, { name, createdAt }: Collection): Promise<Values> {
  const kept = known.get(catalog) ?? new Map<string, { until: number; values: Values }>();
  known.set(catalog, kept);
  const id = `${name} ${createdAt}`;
  const there = kept.get(id);
  if (there && there.until > performance.now()) return there.values;
  const began = performance.now();
  const { items } = await catalog.listItems(name, { limit: sampled });
  const fields = fieldsOf(items);
  const counted = fields.length === 0 ? {} : await catalog.countValues(name, { fields, limit: mostValues });
  const values = Object.entries(counted).flatMap(([field, { values: each, other }]) => {
    const total = each.reduce((sum, { count }) => sum + count, 0);
    const isName = other === 0 && (each.length <= fewValues || each.length <= total * nearlyAll);
    return isName ? [{ field, values: each.map(({ value }) => value) }] : [];
  });
  kept.delete(id);
  for (const oldest of kept.keys()) {
    if (kept.size < keptCollections) break;
    kept.delete(oldest);
  }
  kept.set(id, { until: performance.now() + keptTimes * (performance.now() - began), values });
  return values;
}

function fieldsOf(items: Item[]): string[] {
  const fields = new Set<string>();
  for (const { metadata } of items) {
    for (const [field, value] of Object.entries(metadata)) {
      // With a dot in its name no filter could name it.
      if (fields.size < mostFields && !/[.$]/.test(field) && [value].flat().some((each) => typeof each === 'number' || isShort(each))) fields.add(field);
    }
  }
  return [...fields];
}

const isShort = (value: unknown): value is string => typeof value === 'string' && value.length > 1 && value.length <= longestValue && timeOf(value) === undefined;

/** `text`: with marks in place of what is understood already. */
export function valuesIn(text: string, values: Values): Span[] {
  const found: Span[] = [];
  const lower = inLowerCase(text);
  for (const { field, values: each } of values) {
    const names = namesOf(inLowerCase(field)).filter((name) => lower.includes(name));
    for (const value of each) {
      const said = value === null ? '' : String(value);
      if (said === '' || said.length > longestValue) continue;
      for (const start of placesOf(lower, inLowerCase(said))) {
        const end = start + said.length;
        const place = besideField(text, lower, names, { start, end }) ?? (typeof value === 'string' ? alone(text, value, { start, end }) : undefined);
        if (place) found.push({ ...place, filter: { [field]: value } });
      }
    }
  }
  return together(found);
}

type Place = Omit<Span, 'filter'>;

function placesOf(text: string, said: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(said); at >= 0; at = text.indexOf(said, at + 1)) places.push(at);
  return places;
}

const articles = 'the|a|an|my|der|die|das|dem|den|einer|einem|meiner|meinem|le|la|les|un|une|mon|ma|el|los|las|una|mi|il|lo|o|a|um|uma|het|de|een|moim|mijn|l[’\']';
const prepositions = 'in|im|from|by|at|with|of|on|using|von|vom|aus|mit|bei|de|des|du|d[’\']|par|avec|à|au|sur|en|con|del|da|com|do|no|na|em|di|met|van|uit|z|ze|od|w|с|со|из|в|от|на|ile';
/** What was done to a picture, or is said of it, before what it was done with. */
const done = 'taken|shot|made|captured|photographed|filmed|recorded|aufgenommen|fotografiert|gemacht|geschossen|gefilmt|pris|prise|prises|photographiée?s?|faites?|filmée?s?|tomad[ao]s?|hech[ao]s?|sacad[ao]s?|grabad[ao]s?|scattat[aeoi]|fatt[aeoi]|tirad[ao]s?|feit[ao]s?|gemaakt|genomen|zrobion[eay]|снят[оаыйые]{1,2}|сделан[оаыные]{1,2}|çekilen|marked|labell?ed|tagged';
const lead = new RegExp(`${open}(?:(?:${done})\\s+)?(?:${prepositions})\\s+(?:(?:${articles})\\s+)?$`, 'iu');
/** The same in scripts without spaces, and what follows there. */
const leadUnspaced = /(?:用|使用|以|和|跟|与|與|在|从|從|来自|來自|于|於|由|给|給|จาก|โดย|กับ|ด้วย)$/u;
const trailUnspaced = /^\s*(?:一起(?:的|去拍的)?|拍(?:的|摄的|攝的)?|所拍的?|と(?:一緒|いっしょ)(?:に|の)?|で(?:撮った|撮影した|撮影)(?:の)?|里的|裡的|中的|的|の)/u;

const link = /(?:\s*[:=：＝]\s*|\s+(?:is |ist |est |es |è |= )?)["“„«]?$/u;
const linkUnspaced = /(?:\s*[:=：＝]\s*|\s*(?:是|为|為|が|は|の|는|은|이|가|เป็น)?\s*)["“「『]?$/u;
const ends = /^\s*(?:$|[\u0001,;.、，。])/u;

interface Between { start: number; end: number }

/** "camera: Nikon", "rating 5", "in der Farbe Rot", "状态已完成", "draft status". */
function besideField(text: string, lower: string, names: string[], { start, end }: Between): Place | undefined {
  for (const name of names) {
    const isUnspaced = unspaced.test(name);
    const joint = (isUnspaced ? linkUnspaced : link).exec(lower.slice(0, start))?.[0];
    const begins = joint === undefined ? -1 : start - joint.length - name.length;
    if (joint !== undefined && begins >= 0 && lower.startsWith(name, begins) && (isUnspaced || (!isLetter(text[begins - 1]) && !isLetter(text[end])))) {
      const to = /^["”“»」』]/u.test(text.slice(end)) && /["“„«「『]$/u.test(joint) ? end + 1 : end;
      return widened(text, { start: begins, end: to }, { start: begins, end: to });
    }
    const behind = /^\s*-?\s*/u.exec(lower.slice(end))![0];
    const to = end + behind.length + name.length;
    if (behind !== '' && lower.startsWith(name, end + behind.length) && ends.test(text.slice(to)) && !isLetter(text[start - 1])) return widened(text, { start, end: to }, { start, end: to });
  }
  return undefined;
}

/** With what leads to it and joins it to the rest. */
function widened(text: string, { start, end }: Between, told: Between): Place {
  const before = text.slice(0, start);
  const from = start - (lead.exec(before)?.[0] ?? leadUnspaced.exec(before)?.[0] ?? '').length;
  const trail = unspaced.test(text.slice(end, end + 1)) ? (trailUnspaced.exec(text.slice(end))?.[0].length ?? 0) : 0;
  return { start: from, end: end + trail, text: text.slice(told.start, told.end) };
}

const opens = /(?:^|[\s\u0001,，、]|用|和|跟|与|與|在|从|從|来自|來自|于|於|で|من|في|(?:(?<=\u0001)[にの的]))$/u;
const closes = /^(?:$|[\s\u0001,，、]|的|拍|一起|の|で|と(?:一緒|いっしょ)|에서|와|과|의|ที่)/u;
const kinds = languages.flatMap(({ kinds: { image, text } }) => [image, text]).join('|');
/** A name goes on: "Peter Pan", but not "Peter Sommer 2021", nor "Anna Fotos". */
const goesOn = new RegExp(`^\\s+(?!${lowered(kinds)}(?![${letters}]))[${letters}'’-]+(?!\\s+\\d)`, 'u');
const isOfName = /(?<!\p{L})(?:saint|st|st\.|ste|sainte|san|santa|santo|sankt|são|sint|święt[ya]|king|queen|prince|princess|könig|königin|rey|reina|lake|mount)\s+$/iu;

/** A camera that is to be seen in the picture: "an iPhone 14", "of a Nikon Z6", not "with a Nikon Z6". */
const isThing = new RegExp(`(?:(?<!${open}(?:with|on|using|by|mit|avec|par|con|com|met|z|с|in)\\s+)${open}(?:an?|one|eine?[mnr]?|une?|una|uma?|een)\\s+|[一两兩][台部架个個]\\s*|上の|上的)$`, 'iu');

/** A value without its field: written as it is, with a capital or a number; several words in any way. */
function alone(text: string, value: string, { start, end }: Between): Place | undefined {
  if (!isShort(value)) return undefined;
  const whole = text.slice(start, end);
  if (value.toLowerCase() === value.toUpperCase()) {
    if (!/\p{L}/u.test(value) || !opens.test(text.slice(0, start)) || !closes.test(text.slice(end))) return undefined;
  } else {
    if (value.length < 3 || !isWordApart(text, start, end)) return undefined;
    if (isThing.test(text.slice(0, start))) return undefined;
    if (!/\s/.test(value)) {
      if (whole !== value || !/[\p{Lu}\p{N}]/u.test(value)) return undefined;
      if (/^\s+\p{Lu}\p{Ll}/u.test(text.slice(end)) && goesOn.test(inLowerCase(text.slice(end)))) return undefined;
      if (isOfName.test(text.slice(0, start)) || /^[’']s(?!\p{L})/u.test(text.slice(end))) return undefined;
    }
  }
  return widened(text, { start, end }, { start, end });
}

/** Beside letters of a script without spaces a word of one with them stands apart. */
const isWordApart = (text: string, start: number, end: number): boolean => [text[start - 1], text[end]].every((beside) => !isLetter(beside) || unspaced.test(beside!));

/** Words that are values, where nothing else is left, and that of several fields or beside other filters: "archived invoices". `left`: with marks in place of what is understood already. */
export function wholeValuesIn(left: string, values: Values, isNothing: (word: string) => boolean): Span[] {
  const found: Span[] = [];
  const fields = new Set<string>();
  for (const { index, 0: word } of left.matchAll(/[^\s,;:.!?،、，。\u0001]+/gu)) {
    if (isNothing(word)) continue;
    const [, inner] = /^[的の]?(.*?)[的の]?$/u.exec(word)!;
    const spans = values.flatMap(({ field, values: each }) => each.flatMap((value) => (typeof value === 'string' && isShort(value) && isFormOf(inLowerCase(inner!), inLowerCase(value)) ? [{ start: index, end: index + word.length, text: inner!, filter: { [field]: value } }] : [])));
    if (spans.length === 0) return [];
    found.push(...spans);
    for (const { filter } of spans) fields.add(Object.keys(filter)[0]!);
  }
  if (!left.includes(taken) && fields.size < 2) return [];
  return together(found);
}

/** The word or its plural. */
function isFormOf(word: string, value: string): boolean {
  if (word === value) return true;
  if (!word.startsWith(value.slice(0, -1)) || !/^[\p{Script=Latin}\p{Script=Cyrillic}]+$/u.test(value)) return false;
  return /^(?:s|es|en|n|e|er|x|i|y|и|ы)$/u.test(word.startsWith(value) ? word.slice(value.length) : '') || (/[yao]$/.test(value) && /^(?:ies|i|e)$/.test(word.slice(value.length - 1)));
}

/** One value in several fields is any of them. */
function together(spans: Span[]): Span[] {
  const byPlace = new Map<string, Span>();
  for (const span of spans) {
    const place = `${span.start} ${span.end}`;
    const other = byPlace.get(place);
    const filters: Filter[] = other ? [...(other.filter.$or ?? [other.filter]), span.filter] : [];
    byPlace.set(place, other ? { ...other, filter: { $or: filters } } : span);
  }
  return [...byPlace.values()].filter(({ text }) => !text.includes(taken));
}

import type { Filter, Scalar } from '../../../domain/filter.js';
import { timeOf } from '../../../domain/times.js';
import type { Collection, Item } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
import { inLowerCase, isLetter, open } from './boundary.js';
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
    const name = inLowerCase(field);
    const isNamed = lower.includes(name);
    for (const value of each) {
      const said = value === null ? '' : String(value);
      if (said === '' || said.length > longestValue) continue;
      for (const start of placesOf(lower, inLowerCase(said))) {
        const end = start + said.length;
        const place = (isNamed ? behindField(text, lower, { name, start, end }) : undefined) ?? (typeof value === 'string' ? alone(text, value, { start, end }) : undefined);
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

const link = /(?:\s*[:=]\s*|\s+(?:is |ist |est |es |è |= )?)["“„«]?$/u;
const lead = new RegExp(`${open}(?:with|mit|avec|con|com|met|z|с)\\s+$`, 'u');

/** "camera: Nikon", "rating 5". */
function behindField(text: string, lower: string, { name, start, end }: { name: string; start: number; end: number }): Place | undefined {
  const joint = link.exec(lower.slice(0, start))?.[0];
  if (joint === undefined || isLetter(text[end])) return undefined;
  const begins = start - joint.length - name.length;
  if (begins < 0 || lower.slice(begins, start - joint.length) !== name || isLetter(text[begins - 1])) return undefined;
  const from = begins - (lead.exec(lower.slice(0, begins))?.[0].length ?? 0);
  const to = /^["”“»]/u.test(text.slice(end)) && /["“„«]$/u.test(joint) ? end + 1 : end;
  return { start: from, end: to, text: text.slice(from, to) };
}

const prepositions = new RegExp(`${open}(?:in|from|by|at|with|of|von|vom|aus|mit|bei|im|de|par|avec|à|du|en|con|del|da|com|do|em|di|met|van|uit|z|ze|od|w|с|из|в|от)\\s+$`, 'iu');
const opens = /(?:^|[\s\u0001,，、]|在|从|從|来自|來自|于|於|で|من|في)$/u;
const closes = /^(?:$|[\s\u0001,，、]|的|拍|の|で|에서|의|ที่)/u;

/** A value without its field: written as it is, with a capital or a number; several words in any way. */
function alone(text: string, value: string, { start, end }: { start: number; end: number }): Place | undefined {
  if (!isShort(value)) return undefined;
  const whole = text.slice(start, end);
  if (value.toLowerCase() === value.toUpperCase()) {
    if (!/\p{L}/u.test(value) || !opens.test(text.slice(0, start)) || !closes.test(text.slice(end))) return undefined;
  } else {
    if (value.length < 3 || !isWordApart(text, start, end)) return undefined;
    if (!/\s/.test(value) && (whole !== value || !/[\p{Lu}\p{N}]/u.test(value))) return undefined;
  }
  return { start: start - (prepositions.exec(text.slice(0, start))?.[0].length ?? 0), end, text: whole };
}

/** Beside letters of a script without spaces a word of one with them stands apart. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const isWordApart = (text: string, start: number, end: number): boolean => [text[start - 1], text[end]].every((beside) => !isLetter(beside) || unspaced.test(beside!));

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

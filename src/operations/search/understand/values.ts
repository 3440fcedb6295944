import type { Filter, Scalar } from '../../../domain/filter.js';
import { timeOf } from '../../../domain/times.js';
import type { Collection, Item } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
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
  let kept = known.get(catalog);
  if (!kept) known.set(catalog, (kept = new Map()));
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
  for (const { field, values: each } of values) {
    for (const value of each) {
      for (const span of placesOf(text, field, value)) found.push({ ...span, filter: { [field]: value } });
    }
  }
  return together(found);
}

type Place = Omit<Span, 'filter'>;

function placesOf(text: string, field: string, value: Scalar): Place[] {
  const said = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (said === null || said.length === 0 || said.length > longestValue) return [];
  const behindField = [...text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])(?:(?:with|mit|avec|con|com|met|z|с) )?${escaped(field)}(?:\\s*[:=]\\s*|\\s+(?:is |ist |=)?)["“„«]?${escaped(said)}["”“»]?(?![\\p{L}\\p{N}])`, 'giu'))];
  const places = behindField.map(({ index, 0: whole }): Place => ({ start: index, end: index + whole.length, text: whole }));
  if (places.length > 0 || typeof value !== 'string' || !isShort(value)) return places;
  return alone(text, value);
}

const prepositions = /(?<![\p{L}\p{N}])(?:in|from|by|at|with|of|von|vom|aus|mit|bei|im|de|par|avec|à|du|en|con|del|da|com|do|em|di|met|van|uit|z|ze|od|w|с|из|в|от)\s+$/iu;

/** A value without its field: written as it is, with a capital or a number; several words in any way. */
function alone(text: string, value: string): Place[] {
  const hasCase = value.toLowerCase() !== value.toUpperCase();
  const isSeveral = /\s/.test(value);
  if (hasCase && !isSeveral && !/[\p{Lu}\p{N}]/u.test(value)) return [];
  if (!hasCase && !/\p{L}/u.test(value)) return [];
  if (hasCase && value.length < 3) return [];
  const [open, close] = hasCase ? ['(?<![\\p{Script=Latin}\\p{N}])', "(?![\\p{Script=Latin}\\p{N}])"] : ['(?<=^|[\\s\u0001,，、]|在|从|從|来自|來自|于|於|で|من|في)', '(?=$|[\\s\u0001,，、]|的|拍|の|で|에서|의|ที่)'];
  return [...text.matchAll(new RegExp(`${open}${escaped(value)}${close}`, isSeveral ? 'giu' : 'gu'))].map(({ index, 0: whole }) => {
    const start = index - (prepositions.exec(text.slice(0, index))?.[0].length ?? 0);
    return { start, end: index + whole.length, text: whole };
  });
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

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\s+/g, '\\s+');

import type { SearchRequest } from '../../../contract/search.js';
import type { Filter } from '../../../domain/filter.js';
import type { Collection } from '../../../store/catalog.js';
import type { Context } from '../../context.js';
import type { Query } from '../query.js';
import type { UnderstoodPart } from './understand.js';

export interface UnderstoodQuery {
  /** What is left of it; without parts: there is nothing to search for. */
  query: Query;
  understood: UnderstoodPart[];
}

/** Understands the query's text, where it is one; of several, the first. */
export async function understandQuery(context: Context, collection: Collection, query: Query, setting: Exclude<SearchRequest['understand'], undefined | false>): Promise<UnderstoodQuery> {
  const place = query.parts.findIndex(({ input, weight }) => weight > 0 && (typeof input === 'string' || 'text' in input));
  const part = query.parts[place];
  if (!part) return { query, understood: [] };
  const text = typeof part.input === 'string' ? part.input : (part.input as { text: string }).text;
  // With the first that asks: the grammars of all languages.
  const { understand } = await import('./understand.js');
  const { parts, rest } = await understand(context, collection, text, { now: new Date(), ...(setting === true ? {} : { except: setting.except }) });
  const left = rest.trim() === '' ? [] : [{ ...part, input: { text: rest } }];
  return { query: { ...query, parts: [...query.parts.slice(0, place), ...left, ...query.parts.slice(place + 1)] }, understood: parts };
}

/** All of them. */
export function allOf(filters: (Filter | undefined)[]): { filter?: Filter } {
  const [first, ...others] = filters.filter((filter) => filter !== undefined);
  if (first === undefined) return {};
  return { filter: others.length === 0 ? first : { $and: [first, ...others] } };
}

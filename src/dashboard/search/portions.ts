/** What a view looks for, portion by portion, in the order in which it is shown. */
import type { MixspaceClient, Query, SearchOptions } from '../../client/index.js';
import type { Item } from '../../contract/items.js';
import type { SearchMatch, SearchResponse, Why } from '../../contract/search.js';
import { pictureOf } from './given-pictures.js';
import { evenShare, filterOf, isSearch, type Order, type View, type Wanted } from './wanted.js';

/** Without a score: not a search's answer, but one of all. */
export type Result = Omit<SearchMatch, 'score'> & { score?: number | undefined; not_embedded?: string | undefined; created_at?: string; why_of?: WhyOf; section: Section };

/** What stands together under a heading: matches, or those of which none is more likely than not what was asked for; what comes nearest behind them, or where nothing matches; a month (`YYYY-MM`), a folder. */
export type Section = 'matches' | 'unlikely' | 'nearest' | 'nearest alone' | `month ${string}` | `folder ${string}`;

/** Asks why a match stands where it does. */
export type WhyOf = (signal: AbortSignal) => Promise<Why | undefined>;

export type Understood = NonNullable<SearchResponse['understood']>;

export interface Portion {
  found: Result[];
  isLast: boolean;
  tookMs?: number;
  exact?: boolean;
  /** Parts of the words that became filters. */
  understood?: Understood;
}

/** The next one; after one that failed the same again. */
export type Portions = (signal: AbortSignal) => Promise<Portion>;

/** The picture of an address is not kept any more. */
export class GivenPictureGone extends Error {}

const firstSize = 60;
const furtherSize = 200;
const likely = 0.5;

export function portionsOf(client: MixspaceClient, { collection, wanted }: View): Portions {
  return isSearch(wanted) ? searched(client, collection, wanted) : listed(client, collection, wanted);
}

/** First what matches, then the nearest of the rest. */
function searched(client: MixspaceClient, collection: string, wanted: Wanted): Portions {
  const seen = new Set<string>();
  let section: 'matches' | 'unlikely' | 'nearest' | 'nearest alone' = 'matches';
  const isCut = (): boolean => section === 'matches' || section === 'unlikely';
  let cursor: string | undefined;
  let size = firstSize;
  return async (signal) => {
    const asked = { limit: size, cutoff: isCut() ? ('auto' as const) : ('none' as const), ...(cursor !== undefined && { cursor }) };
    const ask = await asking(client, collection, wanted, asked);
    const { matches, next_cursor: next, took_ms: tookMs, exact, understood, cut } = await ask({ signal });
    const whyOf = (id: string): WhyOf => async (leaving) => (await ask({ signal: leaving, explain: { ids: [id] } })).matches.find((match) => match.id === id)?.why;
    if (seen.size === 0 && section === 'matches' && matches.length > 0 && matches.every(({ relevance }) => relevance !== undefined && relevance < likely)) section = 'unlikely';
    const found = matches.filter(({ id }) => !seen.has(id)).map((match): Result => ({ ...match, section, ...(match.score !== undefined && { why_of: whyOf(match.id) }) }));
    for (const { id } of found) seen.add(id);
    cursor = next;
    size = furtherSize;
    const hasMoreBehind = isCut() && next === undefined && (cut?.left_out ?? 0) > 0;
    if (hasMoreBehind) section = seen.size === 0 ? 'nearest alone' : 'nearest';
    return { found, isLast: next === undefined && !hasMoreBehind, tookMs, exact, ...(understood && { understood }) };
  };
}

async function asking(client: MixspaceClient, collection: string, wanted: Wanted, asked: SearchOptions): Promise<(more: SearchOptions) => Promise<SearchResponse>> {
  const { words, except, like, picture, share = evenShare, unlike } = wanted;
  const filter = filterOf(wanted) as SearchOptions['filter'];
  const options: SearchOptions = {
    ...asked,
    ...(filter && { filter }),
    ...(unlike && { dislikes: unlike }),
    ...(words !== undefined && { negation: 'auto', lexical: 'auto', understand: except ? { except } : true }),
  };
  const given = picture === undefined ? undefined : await pictureOf(picture);
  if (picture !== undefined && !given) throw new GivenPictureGone();
  const seen = given ? { file: true as const } : like === undefined ? undefined : { id: like };
  const query = words === undefined ? seen! : seen ? mixed(seen, words, share) : words;
  if (given) return (more) => client.searchByPicture(collection, given.picture, { ...options, query, ...more });
  return (more) => client.search(collection, query, { ...options, ...more });
}

/** What counts nothing is left out: a weight of 0 would still be read, and understood. */
function mixed(seen: { file: true } | { id: string }, words: string, share: number): Query {
  if (share === 0) return seen;
  return [...(share < 1 ? [{ input: seen, weight: 1 - share }] : []), { input: words, weight: share }];
}

function listed(client: MixspaceClient, collection: string, wanted: Wanted): Portions {
  const filter = filterOf(wanted);
  const order = wanted.order ?? 'newest';
  const all = (sort: string, more?: object): Queue => new Queue(client, collection, { sort, ...both(filter, more) });
  if (order === 'folder') return inTurn(all('$item.source'), ({ sources }) => `folder ${folderOf(sources)}`);
  if (order === 'added') return inTurn(all('-$item.created_at'), ({ created_at: at }) => `month ${at.slice(0, 7)}`);
  const sign = order === 'newest' ? '-' : '';
  return byDate(all(`${sign}$item.taken_at`, { '$item.taken_at': { $exists: true } }), all(`${sign}$item.created_at`, { '$item.taken_at': { $exists: false } }), order);
}

function inTurn(queue: Queue, sectionOf: (item: Item) => Section): Portions {
  return async (signal) => {
    await queue.fill(signal);
    return { found: queue.takeAll().map((item) => ({ ...item, section: sectionOf(item) })), isLast: queue.isOver };
  };
}

/** When it was taken, or else added. */
export const dateOf = ({ taken_at: taken, created_at: created }: { taken_at?: string | undefined; created_at?: string | undefined }): string => taken ?? created ?? '';

/** Two lists, each in the order of its date, as one. */
function byDate(taken: Queue, added: Queue, order: Order): Portions {
  const comesFirst = (a: Item, b: Item): boolean => (order === 'newest' ? dateOf(a) >= dateOf(b) : dateOf(a) <= dateOf(b));
  return async (signal) => {
    await Promise.all([taken.fill(signal), added.fill(signal)]);
    const found: Result[] = [];
    // Of a list that is used up for now, nobody knows what comes next.
    while (taken.isKnown && added.isKnown && !(taken.first === undefined && added.first === undefined)) {
      const next = added.first === undefined || (taken.first !== undefined && comesFirst(taken.first, added.first)) ? taken : added;
      const item = next.take();
      found.push({ ...item, section: `month ${dateOf(item).slice(0, 7)}` });
    }
    return { found, isLast: taken.isOver && added.isOver };
  };
}

/** A listing of which some lies here already. */
class Queue {
  readonly #load: (limit: number, cursor: string | undefined, signal: AbortSignal) => Promise<{ items: Item[]; next_cursor?: string | undefined }>;
  #items: Item[] = [];
  #taken = 0;
  #cursor: string | undefined;
  #size = firstSize;
  #hasMore = true;

  constructor(client: MixspaceClient, collection: string, query: { sort: string; filter?: object }) {
    this.#load = (limit, cursor, signal) => client.itemPage(collection, { ...query, limit, ...(cursor !== undefined && { cursor }) }, { signal });
  }

  get first(): Item | undefined {
    return this.#items[this.#taken];
  }

  /** There is a first, or there is none any more. */
  get isKnown(): boolean {
    return this.first !== undefined || !this.#hasMore;
  }

  get isOver(): boolean {
    return this.first === undefined && !this.#hasMore;
  }

  async fill(signal: AbortSignal): Promise<void> {
    if (this.isKnown) return;
    const { items, next_cursor: next } = await this.#load(this.#size, this.#cursor, signal);
    [this.#items, this.#taken, this.#cursor, this.#size, this.#hasMore] = [items, 0, next, furtherSize, next !== undefined];
  }

  take(): Item {
    return this.#items[this.#taken++]!;
  }

  takeAll(): Item[] {
    const all = this.#items.slice(this.#taken);
    this.#taken = this.#items.length;
    return all;
  }
}

function both(filter: object | undefined, more: object | undefined): { filter?: object } {
  if (filter && more) return { filter: { $and: [filter, more] } };
  const one = filter ?? more;
  return one ? { filter: one } : {};
}

/** Of the one that listings go by, the first by its letters; blank where the file lies in none. */
export function folderOf(sources: string[]): string {
  const [source = ''] = sources.length > 1 ? sources.toSorted() : sources;
  if (/^[a-z]+:\/\//i.test(source)) return source.slice(0, Math.max(source.lastIndexOf('/'), source.indexOf('//') + 2));
  return source.slice(0, Math.max(0, Math.max(source.lastIndexOf('/'), source.lastIndexOf('\\'))));
}

/** What is looked for and among what, as it stands in the address. */
import type { Query } from '../shell/address.js';

export type Scalar = string | number | boolean | null;
export const orders = ['newest', 'oldest', 'added', 'folder'] as const;
export type Order = (typeof orders)[number];

export interface Wanted {
  words?: string | undefined;
  /** Parts of the words that are to be taken as they stand. */
  except?: string[] | undefined;
  /** Id of an item, or key of a given picture, that is looked for with the words or without. */
  like?: string | undefined;
  picture?: string | undefined;
  /** Of the words beside the picture, 0 to 1. */
  share?: number | undefined;
  /** Ids of items that are not meant. */
  unlike?: string[] | undefined;
  /** Fields of the metadata, and what they are to be. */
  is?: [field: string, value: Scalar][] | undefined;
  folder?: string | undefined;
  /** Days, `YYYY-MM-DD`, both of them among what is wanted. */
  from?: string | undefined;
  to?: string | undefined;
  /** Where nothing is searched for. */
  order?: Order | undefined;
}

export interface View {
  collection: string;
  wanted: Wanted;
}

export const evenShare = 0.5;

export const isLikeSomething = ({ like, picture }: Wanted): boolean => like !== undefined || picture !== undefined;
/** Else all that is there is listed. */
export const isSearch = (wanted: Wanted): boolean => wanted.words !== undefined || isLikeSomething(wanted);
export const isNarrowed = ({ is, folder, from, to }: Wanted): boolean => is !== undefined || folder !== undefined || from !== undefined || to !== undefined;

export function wantedFrom(query: URLSearchParams): Wanted {
  const one = (name: string): string | undefined => query.get(name) || undefined;
  const many = (name: string): string[] | undefined => (query.has(name) ? query.getAll(name) : undefined);
  const share = Number(query.get('words-share') ?? Number.NaN);
  const is = query.getAll('is').flatMap(conditionFrom);
  return {
    words: one('q'),
    except: many('as-is'),
    like: one('like'),
    picture: one('picture'),
    share: share >= 0 && share <= 1 ? share : undefined,
    unlike: many('unlike'),
    is: is.length > 0 ? is : undefined,
    folder: one('folder'),
    from: dayFrom(one('from')),
    to: dayFrom(one('to')),
    order: orders.find((each) => each === query.get('order')),
  };
}

export function queryOf({ words, except, like, picture, share, unlike, is, folder, from, to, order }: Wanted): Query {
  return {
    q: words,
    'as-is': except,
    like,
    picture,
    'words-share': share === undefined ? undefined : String(share),
    unlike,
    is: is?.map((each) => JSON.stringify(each)),
    folder,
    from,
    to,
    order,
  };
}

/** The same for what finds the same. */
export const keyOf = ({ collection, wanted }: View): string => JSON.stringify([collection, queryOf(wanted)]);

/** The same things, among all. */
export const withoutNarrowing = (wanted: Wanted): Wanted => ({ ...wanted, is: undefined, folder: undefined, from: undefined, to: undefined });

/** As the service's filters say it; undefined: all. */
export function filterOf({ is = [], folder, from, to }: Wanted): object | undefined {
  const parts: object[] = is.map(([field, value]) => ({ [field]: value }));
  if (folder !== undefined) parts.push({ '$item.source': { $prefix: `${folder}/` } });
  if (from !== undefined || to !== undefined) {
    const within = { ...(from !== undefined && { $gte: from }), ...(to !== undefined && { $lte: `${to}T23:59:59` }) };
    parts.push({ $or: [{ '$item.taken_at': within }, { '$item.taken_at': { $exists: false }, '$item.created_at': within }] });
  }
  return parts.length > 1 ? { $and: parts } : parts[0];
}

function conditionFrom(text: string): [string, Scalar][] {
  try {
    const [field, value] = JSON.parse(text) as [unknown, unknown];
    const isScalar = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    return typeof field === 'string' && isScalar ? [[field, value as Scalar]] : [];
  } catch {
    // Written by hand, or cut.
    return [];
  }
}

const dayFrom = (text: string | undefined): string | undefined => (text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined);

import type { Filter } from '../../domain/filter.js';
import type { Collection } from '../../store/catalog.js';
import type { Context } from '../context.js';
import { askedInWords, type AskedInWords } from './lexical/lexical.js';
import { withoutNegated } from './negation/query.js';
import type { Asked, Query } from './query.js';
import { allOf, understandQuery, type UnderstoodQuery } from './understand/query.js';

/** What a query says, once it is read as far as the request asks for. */
export interface ReadQuery {
  /** What is to be embedded; without parts: there is nothing to search for. */
  query: Query;
  understood?: UnderstoodQuery['understood'];
  /** What full text is asked for. */
  words?: AskedInWords;
  /** The request's filter, what the sentence restricts, and another one: all of them. */
  restrictedTo(besides?: Filter): { filter?: Filter };
}

/** First what a sentence restricts, since "without" goes up to its end; then what is not to be there, which no words are looked for of. */
export async function readQuery(context: Context, collection: Collection, { request, query: sent }: Asked): Promise<ReadQuery> {
  const { query: left, understood } = request.understand ? await understandQuery(context, collection, sent, request.understand) : { query: sent, understood: undefined };
  const query = request.negation === 'auto' ? withoutNegated(left) : left;
  const words = request.lexical === 'auto' ? askedInWords(query) : undefined;
  return {
    query: words?.query ?? query,
    ...(understood ? { understood } : {}),
    ...(words ? { words } : {}),
    restrictedTo: (besides) => allOf([request.filter, ...(understood ?? []).map(({ filter }) => filter), besides]),
  };
}

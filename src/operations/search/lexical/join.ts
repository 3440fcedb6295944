import type { NearList, NearPage } from '../near.js';
import type { OrderPage, PageAsked } from '../order.js';
import type { Match } from '../plan.js';
import type { FoundByWords } from './lexical.js';

/** Of the lists fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009): the sum over lists of weight / (60 + rank). */
const k = 60;
/** Matches by embeddings that are joined with those by words. */
const joinedMatches = 1_000;

/** A page of what is near or, where words found something, of both lists joined; behind those come the others that are near. */
export async function joinedPage(near: NearList, worded: FoundByWords | undefined, { limit, place, counted = limit }: PageAsked): Promise<OrderPage<Match>> {
  const without = worded?.matches.map(({ match }) => match.item.id) ?? [];
  if (place && 'near' in place) return placed(await near.page({ limit, after: place.near, without }));
  const from = place && 'joined' in place ? place.joined : 0;
  if (!worded || (without.length === 0 && from === 0)) return placed(await near.page({ limit, counted }));
  const { matches, exact, next, leftOut } = await near.page({ limit: joinedMatches, counted: from + counted });
  const list = joined(matches, worded.matches);
  const to = from + limit;
  return { matches: list.slice(from, to), exact: exact && worded.complete, leftOut, ...(to < list.length ? { next: { joined: to } } : next ? { next: { near: next } } : {}) };
}

function placed({ next, ...page }: NearPage): OrderPage<Match> {
  return { ...page, ...(next ? { next: { near: next } } : {}) };
}

/**
 * One list of both, each id once; of equal sums the one that words found comes first, then the lower rank. Merits are the sums.
 * `near`: weighs one each; `worded`: as it says.
 */
export function joined(near: Match[], worded: { match: Match; weight: number }[]): Match[] {
  const sums = new Map<string, { match: Match; sum: number; order: number }>();
  worded.forEach(({ match, weight }, i) => sums.set(match.item.id, { match: { ...match, ranks: { words: i + 1 } }, sum: weight / (k + i + 1), order: i }));
  near.forEach((match, i) => {
    const other = sums.get(match.item.id);
    if (other) {
      other.sum += 1 / (k + i + 1);
      other.match.ranks!.near = i + 1;
    } else sums.set(match.item.id, { match: { ...match, ranks: { near: i + 1 } }, sum: 1 / (k + i + 1), order: worded.length + i });
  });
  return [...sums.values()].sort((a, b) => b.sum - a.sum || a.order - b.order).map(({ match, sum }) => ({ ...match, merit: sum }));
}

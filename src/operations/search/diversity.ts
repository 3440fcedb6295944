import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Collection } from '../../store/catalog.js';
import type { Context } from '../context.js';
import type { Order } from './order.js';
import type { Match } from './plan.js';

/**
 * The first so many of an order are put in another, whatever the page's size: pages of one order are cut out of it. Of 50
 * too few are unlike each other, of 500 what is put forward is less what was asked for.
 */
const reordered = 200;
/** Milliseconds after which others get their turn. */
const sliceMs = 4;

/**
 * The first 200 of an order by maximal marginal relevance, then the others as they were.
 * `diversity`: 0..1, 0 the order as it is, 1 the most unlike first.
 */
export function diverse({ catalog }: Context, { name }: Collection, order: Order<Match>, diversity: number): Order<Match> {
  return async ({ limit, place, counted = limit }) => {
    if (place && !('diverse' in place)) return order({ limit, place, counted });
    const from = place?.diverse ?? 0;
    const to = from + limit;
    const first = await order({ limit: reordered, counted: from + counted });
    const matches = await marginally(first.matches, await embeddingsOf(first.matches), { diversity, most: to });
    const page = { ...first, matches: matches.slice(from, to) };
    const { next, ...last } = page;
    if (to < first.matches.length) return { ...page, next: { diverse: to } };
    if (!next) return page;
    if (page.matches.length === limit) return { ...page, next };
    const behind = await order({ limit: limit - page.matches.length, place: next });
    return { ...last, ...behind, matches: [...page.matches, ...behind.matches], exact: page.exact && behind.exact, leftOut: page.leftOut + behind.leftOut };
  };

  async function embeddingsOf(matches: Match[]): Promise<(Float32Array | undefined)[]> {
    const { items } = await catalog.getEmbeddings(name, matches.map(({ item }) => item.id));
    const byId = new Map(items.map(({ id, parts }) => [id, parts[0]]));
    return matches.map(({ item }) => byId.get(item.id));
  }
}

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): next comes the one of greatest
 * (1 - diversity) * relevance - diversity * likeness to the nearest of those before it.
 *
 * Relevance is the match's merit on a scale from the last of them, 0, to the first, 1; likeness the cosine on one from what
 * two of them have on average, 0, to 1: so that a diversity means the same for all models, whose cosines lie in other places.
 */
async function marginally<M extends { merit: number }>(matches: M[], embeddings: (Float32Array | undefined)[], { diversity, most }: { diversity: number; most: number }): Promise<M[]> {
  const merits = matches.map(({ merit }) => merit);
  const [low, high] = [Math.min(...merits), Math.max(...merits)];
  const usual = meanCosine(embeddings.filter((each) => each !== undefined));
  const left = matches.map((match, i) => ({ match, embedding: embeddings[i], relevance: high > low ? (match.merit - low) / (high - low) : 1, likeness: 0 }));
  const chosen: M[] = [];
  for (let began = performance.now(); left.length > 0 && chosen.length < most; ) {
    const gain = ({ relevance, likeness }: (typeof left)[number]): number => (1 - diversity) * relevance - diversity * likeness;
    const best = left.reduce((place, each, i) => (gain(each) > gain(left[place]!) ? i : place), 0);
    const [{ match, embedding }] = left.splice(best, 1) as [(typeof left)[number]];
    chosen.push(match);
    for (const each of left) if (embedding && each.embedding) each.likeness = Math.max(each.likeness, (cosine(embedding, each.embedding) - usual) / Math.max(leastRange, 1 - usual));
    if (performance.now() - began < sliceMs) continue;
    await nextTurn();
    began = performance.now();
  }
  return chosen;
}

const leastRange = 1e-6;

/** Of two of them: the length of their sum tells it. */
function meanCosine(embeddings: Float32Array[]): number {
  const count = embeddings.length;
  if (count < 2) return 0;
  const sum = new Float64Array(embeddings[0]!.length);
  for (const each of embeddings) for (let i = 0; i < sum.length; i++) sum[i]! += each[i]!;
  return (sum.reduce((squares, value) => squares + value * value, 0) - count) / (count * (count - 1));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

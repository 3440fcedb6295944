/**
 * The nearest neighbors of each of many embeddings by cosine. Few are all compared with each other. Many are compared within the
 * leaves of trees that halve them by random directions (Dasgupta & Freund 2008, Random projection trees), and what that
 * missed is found among the neighbors of neighbors (Dong, Charikar & Li 2011, Efficient k-nearest neighbor graph
 * construction).
 */
import { randomFrom } from '../clusters/spherical-k-means.js';
import { NearestLists } from './nearest-lists.js';
import { blockRows, mostListed, type Rows } from './rows.js';

/** Up to so many are all compared. */
export const exactUpTo = 12_000;
const trees = 8;
/** Rows of a leaf, at most. */
export const leafRows = 512;
const rounds = 2;
/** Points whose neighbors are theirs, that are looked at of each. */
const mostReverse = 15;
const seed = 23;

/** Yields how much is done, 0..1. `rows`: of length 1, with room for `leafRows` gathered. */
export function* nearestNeighbors(rows: Rows, k: number, { exactly = rows.count <= exactUpTo } = {}): Generator<number, NearestLists> {
  const lists = new NearestLists(rows.count, Math.min(k, rows.count - 1));
  if (exactly) yield* compareAll(rows, lists);
  else {
    // About what each costs.
    const ofTrees = trees / (trees + 2 * rounds);
    for (const done of compareInLeaves(rows, lists)) yield done * ofTrees;
    for (let round = 0; round < rounds; round++) for (const done of compareAround(rows, lists)) yield ofTrees + ((1 - ofTrees) * (round + done)) / rounds;
  }
  return lists;
}

function* compareAll(rows: Rows, lists: NearestLists): Generator<number> {
  const { count } = rows;
  for (let a = 0; a < count; a += blockRows) {
    for (let b = a; b < count; b += blockRows) offerBlock(rows.block(a, b), lists, { a, b, endA: Math.min(count, a + blockRows), endB: Math.min(count, b + blockRows) });
    yield 1 - (1 - Math.min(count, a + blockRows) / count) ** 2;
  }
}

/** To both sides. `names`: which points the rows of the block are; left out: their places. */
function offerBlock(products: Float32Array, lists: NearestLists, { a, b, endA, endB }: Record<'a' | 'b' | 'endA' | 'endB', number>, names?: Uint32Array): void {
  for (let i = a; i < endA; i++) {
    const one = names ? names[i]! : i;
    let least = lists.least(one);
    const line = (i - a) * blockRows - b;
    for (let j = a === b ? i + 1 : b; j < endB; j++) {
      const product = products[line + j]!;
      const other = names ? names[j]! : j;
      if (product > least) {
        lists.offer(one, other, product);
        least = lists.least(one);
      }
      if (product > lists.least(other)) lists.offer(other, one, product);
    }
  }
}

function* compareInLeaves(rows: Rows, lists: NearestLists): Generator<number> {
  const random = randomFrom(seed);
  for (let tree = 0; tree < trees; tree++) {
    const order = Uint32Array.from({ length: rows.count }, (_, i) => i);
    let done = 0;
    for (const leaf of leavesOf(rows, order, random)) {
      if (leaf) compareLeaf(rows, lists, leaf);
      done += leaf?.length ?? 0;
      yield (tree + done / rows.count) / trees;
    }
  }
}

/** Views of `order`, which it sorts; undefined after a part of the work that led to none. */
function* leavesOf(rows: Rows, order: Uint32Array, random: () => number): Generator<Uint32Array | undefined> {
  const waiting = [order];
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    if (part.length <= leafRows) {
      yield part;
      continue;
    }
    const towards = projected(rows, part, random);
    const sorted = Float64Array.from(towards).sort();
    const middle = sorted[part.length >> 1]!;
    // Halves, whatever lies on the middle itself.
    const all = part.slice();
    let [low, high] = [0, part.length];
    let lowerLeft = part.length >> 1;
    for (const value of towards) if (value < middle) lowerLeft--;
    for (let i = 0; i < all.length; i++) {
      const isLow = towards[i]! < middle || (towards[i] === middle && lowerLeft-- > 0);
      part[isLow ? low++ : --high] = all[i]!;
    }
    waiting.push(part.subarray(low), part.subarray(0, low));
    yield undefined;
  }
}

/** How much nearer each lies to one of them than to another, both drawn. */
function projected(rows: Rows, part: Uint32Array, random: () => number): Float64Array {
  const draw = (): number => part[Math.floor(random() * part.length)]!;
  const towards = new Float64Array(part.length);
  for (const [pivot, sign] of [[draw(), 1], [draw(), -1]] as const) {
    for (let from = 0; from < part.length; from += mostListed) {
      const some = part.subarray(from, from + mostListed);
      const products = rows.with(pivot, some);
      for (let i = 0; i < some.length; i++) towards[from + i]! += sign * products[i]!;
    }
  }
  return towards;
}

function compareLeaf(rows: Rows, lists: NearestLists, leaf: Uint32Array): void {
  rows.gather(leaf);
  const { gathered } = rows;
  for (let a = 0; a < leaf.length; a += blockRows) {
    for (let b = a; b < leaf.length; b += blockRows) {
      offerBlock(rows.block(gathered + a, gathered + b), lists, { a, b, endA: Math.min(leaf.length, a + blockRows), endB: Math.min(leaf.length, b + blockRows) }, leaf);
    }
  }
}

/** Each with the neighbors of its neighbors, and of those whose neighbor it is. */
function* compareAround(rows: Rows, lists: NearestLists): Generator<number> {
  const { count, k } = lists;
  const before = lists.neighbors.slice();
  const { from, places } = reverseOf(before, count, k);
  const seen = new Uint32Array(count).fill(count);
  const candidates = new Uint32Array(mostListed);
  for (let point = 0; point < count; point++) {
    seen[point] = point;
    const around = before.subarray(point * k, point * k + k);
    for (const near of around) seen[near] = point;
    let found = 0;
    const add = (other: number): void => {
      if (seen[other] === point || found === candidates.length) return;
      seen[other] = point;
      candidates[found++] = other;
    };
    const addAround = (near: number): void => {
      for (let i = near * k; i < near * k + k; i++) add(before[i]!);
    };
    for (const near of around) addAround(near);
    for (let i = from[point]!; i < from[point + 1]!; i++) {
      add(places[i]!);
      addAround(places[i]!);
    }
    const some = candidates.subarray(0, found);
    const products = rows.with(point, some);
    for (let i = 0; i < found; i++) {
      const product = products[i]!;
      if (product > lists.least(point)) lists.offer(point, some[i]!, product);
      if (product > lists.least(some[i]!)) lists.offer(some[i]!, point, product);
    }
    if (point % 256 === 255) yield (point + 1) / count;
  }
}

/** Of each point the first few that have it among their neighbors: those of `point` from `from[point]` to `from[point + 1]`. */
function reverseOf(neighbors: Uint32Array, count: number, k: number): { from: Uint32Array; places: Uint32Array } {
  const numbers = new Uint32Array(count);
  for (const each of neighbors) if (numbers[each]! < mostReverse) numbers[each]!++;
  const from = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) from[i + 1] = from[i]! + numbers[i]!;
  const places = new Uint32Array(from[count]!);
  numbers.fill(0);
  for (let i = 0; i < neighbors.length; i++) {
    const each = neighbors[i]!;
    if (numbers[each]! < mostReverse) places[from[each]! + numbers[each]!++] = Math.floor(i / k);
  }
  return { from, places };
}

/** The thread that lays maps out. */
import { answerCalls } from '../compute-thread.js';
import { randomFrom } from '../clusters/spherical-k-means.js';
import { fuzzyGraph } from './fuzzy-graph.js';
import { laidOut } from './layout.js';
import { meansOf, centerOn } from './modality-means.js';
import { exactUpTo, leafRows, nearestNeighbors } from './neighbors.js';
import { numbered } from './numbering.js';
import { Placing } from './placing.js';
import { alongAxis, principalAxes } from './principal-axes.js';
import { blockRows, Rows } from './rows.js';
import { trustworthiness } from './trustworthiness.js';

export interface LaidOut {
  /** x0, y0, ... -1..1 by place, as the rows were given. */
  points: Float32Array;
  order: Uint32Array;
  levels: number[];
  /** Left out where there are too few points to tell. */
  trustworthiness?: number;
}

/** A call works so long, then tells how far it is. */
const sliceMs = 200;
const trustAt = 15;
const trustSampled = 200;
const axesSampled = 1_000;
/** Of the beginning, and a little noise, so that no two points begin at one place. */
const spread = 10;
const noise = 1e-3;
const seed = 37;
/** The shares of the work, roughly. */
const shares = { neighbors: 0.45, layout: 0.5 } as const;

let rows: Rows | undefined;
let work: Generator<number, LaidOut> | undefined;
let placing: Placing | undefined;

const methods = {
  begin: ({ count, dimension }: { count: number; dimension: number }): void => {
    rows = new Rows({ count, dimension, gathered: count > exactUpTo ? leafRows : blockRows });
  },
  add: ({ values, from }: { values: Float32Array; from: number }): void => {
    const { dimension } = rows!;
    for (let i = 0; i < values.length / dimension; i++) rows!.row(from + i).set(values.subarray(i * dimension, (i + 1) * dimension));
  },
  /** When all rows were added. `kinds`: each row's modality, by its place in the list. */
  layOut: ({ kinds, neighbors }: { kinds: Uint8Array; neighbors: number }): void => {
    rows!.count = kinds.length;
    work = layOut(rows!, kinds, neighbors);
  },
  goOn: (): { done: number } | LaidOut => {
    const began = performance.now();
    for (;;) {
      const { value, done } = work!.next();
      if (done) return value;
      if (performance.now() - began > sliceMs) return { done: value };
    }
  },
  beginPlacing: (known: { points: Float32Array; kinds: Uint8Array; neighbors: number }): void => {
    rows!.count = known.kinds.length;
    placing = new Placing(rows!, known);
  },
  /** At most 64: where they belong. */
  place: (some: { values: Float32Array; kinds: Uint8Array }): Float32Array => placing!.place(some),
};
export type MapMethods = typeof methods;

function* layOut(all: Rows, kinds: Uint8Array, k: number): Generator<number, LaidOut> {
  const means = meansOf(all, kinds);
  if (means) for (let i = 0; i < all.count; i++) centerOn(means[kinds[i]!]!, all.row(i));
  const points = beginning(all);
  const { count } = all;
  if (count > 2) {
    const nearest = nearestNeighbors(all, k);
    let next = nearest.next();
    for (; !next.done; next = nearest.next()) yield next.value * shares.neighbors;
    for (const done of laidOut(points, fuzzyGraph(next.value))) yield shares.neighbors + done * shares.layout;
  }
  fill(points);
  const told = trustworthiness(all, points, { k: trustAt, sampled: trustSampled });
  let trust = told.next();
  for (; !trust.done; trust = told.next()) yield shares.neighbors + shares.layout + trust.value * (1 - shares.neighbors - shares.layout);
  return { points, ...numbered(points), ...(trust.value === undefined ? {} : { trustworthiness: trust.value }) };
}

/** Along the two principal axes: what lies far apart begins far apart (Kobak & Linderman 2021). */
function beginning(all: Rows): Float32Array {
  const { count } = all;
  const sampled = Math.min(count, axesSampled);
  const { mean, axes } = principalAxes(Array.from({ length: sampled }, (_, i) => all.row(Math.floor((i * count) / sampled))), 2);
  const points = new Float32Array(2 * count);
  let farthest = 0;
  for (let i = 0; i < count; i++) {
    for (let axis = 0; axis < 2; axis++) {
      const direction = axes[axis];
      const along = direction ? alongAxis(all.row(i), mean, direction) : 0;
      points[2 * i + axis] = along;
      farthest = Math.max(farthest, Math.abs(along));
    }
  }
  const random = randomFrom(seed);
  const scale = farthest > 0 ? spread / farthest : 0;
  for (let i = 0; i < points.length; i++) points[i] = points[i]! * scale + (random() - 0.5) * noise;
  return points;
}

/** Moved and scaled, both axes alike, so that they fill -1..1. */
function fill(points: Float32Array): void {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (let i = 0; i < points.length; i++) {
    low[i % 2] = Math.min(low[i % 2]!, points[i]!);
    high[i % 2] = Math.max(high[i % 2]!, points[i]!);
  }
  const scale = 2 / Math.max(high[0]! - low[0]!, high[1]! - low[1]!, Number.MIN_VALUE);
  for (let i = 0; i < points.length; i++) points[i] = Math.max(-1, Math.min(1, (points[i]! - (low[i % 2]! + high[i % 2]!) / 2) * scale));
}

void answerCalls(methods);

/** How much searches look at: learnt from what was asked, and more where that turns out to be too little. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Ask, Recall as Learning } from '../src/store/embedded/recall.js';
import type { CellDirections } from '../src/store/embedded/vectors/centroids.js';
import { repository } from './server.js';

const { Recall } = (await import(pathToFileURL(path.join(repository, 'dist/store/embedded/recall.js')).href)) as typeof import('../src/store/embedded/recall.js');

const directions: CellDirections = { dimension: 1, count: 100, centroids: new Float32Array(1), groups: new Float32Array(1), firstOf: new Uint32Array(2) };
const embedding = Float32Array.of(1);

/** Of the nearest, searches find all once they look at `needed` of all, and one in two before; what is learnt from says that `said` is enough. */
function audit(recall: Learning, { said, needed }: { said: number; needed: number }, isOver = (): boolean => false): Promise<object | undefined> {
  const ask: Ask = async ({ kind }, depth = 10, exact) => {
    const isEnough = exact || (recall.share(kind, depth) ?? 1) >= needed;
    const best = Array.from({ length: depth }, (_, i) => ({ key: i, item: i, score: isEnough || i % 2 === 0 ? 0.9 - i / 10_000 : 0 }));
    return Promise.resolve({ best, exact, selectivity: 1 });
  };
  return recall.audit({ directions, ask, isOver, newestKey: () => Infinity, sample: () => Array.from({ length: 128 }, () => embedding), sharesBefore: (_query, keys) => keys.map(() => said) });
}

describe('The share of all that searches look at', () => {
  it('is a little more than was enough, and told with the recall that it gives', async () => {
    const recall = new Recall();
    expect(recall.share('item', 10)).toBe(0.25);
    expect(await audit(recall, { said: 0.1, needed: 0.1 })).toBe(undefined);
    expect(recall.share('item', 10)).toBeCloseTo(0.122, 6);
    expect(recall.bands).toEqual([expect.objectContaining({ query: 'item', selectivity: 1, recall: 1, queries: 64 })]);
  });

  it('is doubled until it gives what is promised', async () => {
    const recall = new Recall();
    expect(await audit(recall, { said: 0.01, needed: 0.05 })).toMatchObject({ query: 'item', recall: 0.5 });
    expect(recall.share('item', 10)).toBeCloseTo(4 * 0.014, 6);
    expect(recall.bands.map((band) => band.recall)).toEqual([1]);
  });

  it('is all where less does not do', async () => {
    const recall = new Recall();
    expect(await audit(recall, { said: 0.01, needed: 1 })).toMatchObject({ query: 'item' });
    expect(recall.share('item', 10)).toBe(undefined);
  });

  it('is all at depths of which nothing is known', async () => {
    const recall = new Recall();
    await audit(recall, { said: 0.1, needed: 0.1 });
    expect([recall.share('item', 1_000), recall.share('item', 1_001)]).toEqual([expect.closeTo(0.122, 6), undefined]);
  });

  it('is larger of a kind that nothing is known of, until it was searched for', async () => {
    const recall = new Recall();
    await audit(recall, { said: 0.1, needed: 0.1 });
    expect(recall.share('text', 10)).toBeCloseTo(3 * 0.122, 6);
    for (let n = 0; n < 64; n++) recall.note({ embedding, kind: 'text' });
    await audit(recall, { said: 0.05, needed: 0.05 });
    expect(recall.share('text', 10)).toBeCloseTo(0.062, 6);
    expect(recall.bands.map(({ query }) => query)).toEqual(['item', 'text']);
  });

  it('is learnt anew for other cells, for a kind that is new, and when a tenth is others', async () => {
    const recall = new Recall();
    expect(recall.isDue(100, directions)).toBe(true);
    // Of one that came to no end nothing is kept.
    await audit(recall, { said: 0.1, needed: 0.1 }, () => true);
    expect([recall.bands, recall.shares]).toEqual([[], {}]);
    // Not at once again.
    expect(recall.isDue(100, directions)).toBe(false);
  });
});

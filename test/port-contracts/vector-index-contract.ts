import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/domain/filter.js';
import type { Metadata } from '../../src/domain/metadata.js';
import type { ItemWrite } from '../../src/store/catalog.js';
import type { Store } from '../../src/store/store.js';
import type { Leaf, NearestRequest, Neighbors } from '../../src/store/vector-index.js';
import { Random } from '../crash/random.js';
import { byteOrder, matches } from '../model-based/filter-oracle.js';
import { livesOf, type Engine } from './engine.js';
import { direction, idOf, otherSpace, sha256, ShelfOfItems, space } from './oracle.js';

/** Of scores: embeddings are float32, and so may their products be. */
const roundedBy = 1e-6;
/** The share of the best that answers must have found that are not exact. */
const leastRecall = 0.9;

type Request = Omit<NearestRequest, 'leaves'>;

/** What every vector index promises, beside a catalog whose items it follows. */
export function vectorIndexContract(engine: Engine): void {
  const begin = livesOf(engine, { name: 'photos', ...space, originals: 'keep' });

  async function fill({ catalog }: Store, shelf: ShelfOfItems, writes: ItemWrite[]): Promise<void> {
    for (let from = 0; from < writes.length; from += 200) await catalog.write('photos', writes.slice(from, from + 200));
    for (const write of writes) shelf.take(write);
  }
  /** Until the index has what was written, so that it is the index that answers. */
  const settled = async ({ catalog }: Store): Promise<void> => {
    await expect.poll(async () => (await catalog.describeCollection('photos')).graph.state, { interval: 20 }).not.toBe('building');
  };
  const nearest = async ({ index }: Store, leaf: Leaf, request: Request): Promise<Neighbors> => (await index.nearest('photos', { ...request, leaves: [leaf] }))[0]!;

  describe(`A vector index (${engine.name})`, () => {
    it.each([1, 2])('finds the nearest of what is asked for, with right scores, exactly where it says so (seed %i)', { timeout: 120_000 }, async (seed) => {
      const { store } = await begin();
      const { capabilities } = store.index;
      const shelf = new ShelfOfItems();
      await fill(store, shelf, Array.from({ length: 700 }, (_, n) => drawItem(Random.named(`item ${seed} ${n}`), n)));
      await settled(store);
      const recall: number[] = [];
      for (let n = 0; n < 100; n++) {
        const random = Random.named(`query ${seed} ${n}`);
        if (n % 10 === 9) await change(store, shelf, random);
        const request = drawRequest(random, shelf);
        if (!capabilities.filters) delete request.filter;
        const leaf = drawLeaf(random);
        if (capabilities.cursors && random.next() < 0.3) {
          const { neighbors } = await nearest(store, { modality: leaf.modality, limit: random.between(1, 400) }, request);
          if (neighbors.length > 0) leaf.after = { id: neighbors.at(-1)!.id, score: neighbors.at(-1)!.score, rank: neighbors.length };
        }
        const found = await nearest(store, leaf, request);
        if (request.exact && capabilities.exact) expect(found.exact).toBe(true);
        recall.push(compare(found, leaf, request, shelf));
      }
      expect(recall.reduce((sum, each) => sum + each, 0) / recall.length).toBeGreaterThanOrEqual(leastRecall);
    });

    it('answers several leaves in their order, each as if it had been asked for alone', async () => {
      const { store } = await begin();
      const shelf = new ShelfOfItems();
      await fill(store, shelf, Array.from({ length: 120 }, (_, n) => drawItem(Random.named(`leaf ${n}`), n)));
      const request: Request = { embedding: direction(Random.named('query')), exact: true };
      const leaves: Leaf[] = [{ modality: 'text', limit: 3 }, { modality: 'image', limit: 5 }, { modality: 'text', limit: 1000 }];
      const lists = await store.index.nearest('photos', { ...request, leaves });
      expect(lists).toHaveLength(3);
      for (const [at, leaf] of leaves.entries()) {
        compare(lists[at]!, leaf, request, shelf);
        expect(lists[at]).toEqual(await nearest(store, leaf, request));
      }
      expect(lists[2]!.more).toBe(false);
    });

    it('leaves out of a list at most what so many before it surpass, and says that there is more', async () => {
      const { store } = await begin();
      const shelf = new ShelfOfItems();
      await fill(store, shelf, Array.from({ length: 120 }, (_, n) => drawItem(Random.named(`together ${n}`), n)));
      const leaves: Leaf[] = [{ modality: 'text', limit: 8 }, { modality: 'image', limit: 8 }];
      for (let n = 0; n < 20; n++) {
        const request: Request = { embedding: direction(Random.named(`query ${n}`)), exact: true };
        const whole = await store.index.nearest('photos', { ...request, leaves });
        const wanted = await store.index.nearest('photos', { ...request, leaves, most: 8 });
        const best = whole.flatMap(({ neighbors }) => neighbors).sort((a, b) => b.score - a.score)[7]!.score;
        for (const [at, { neighbors, more }] of wanted.entries()) {
          const all = whole[at]!.neighbors;
          expect(neighbors).toEqual(all.slice(0, neighbors.length));
          expect(neighbors.length).toBeGreaterThanOrEqual(all.filter(({ score }) => score >= best).length);
          expect(more).toBe(neighbors.length < all.length || whole[at]!.more);
        }
      }
    });

    it('tells how an embedding scores against a whole list: of few exactly, of many from a sample, and of what is there now', async () => {
      const { store } = await begin();
      const shelf = new ShelfOfItems();
      const items = Array.from({ length: 700 }, (_, n) => drawItem(Random.named(`spread ${n}`), n, n % 7 === 0 ? 'text' : 'image'));
      const check = async (within: number): Promise<void> => {
        for (let n = 0; n < 20; n++) {
          const request: Request = { embedding: direction(Random.named(`against ${n}`)), spread: 'told' };
          const lists = await store.index.nearest('photos', { ...request, leaves: [{ modality: 'image', limit: 1 }, { modality: 'text', limit: 1 }] });
          for (const [place, modality] of (['image', 'text'] as const).entries()) {
            const scores = shelf.ranked(modality, request).map(({ score }) => score);
            const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
            const deviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
            const { spread } = lists[place]!;
            expect(spread!.count).toBe(scores.length);
            expect(Math.abs(spread!.mean - mean)).toBeLessThan(within * deviation);
            expect(Math.abs(spread!.deviation / deviation - 1)).toBeLessThan(within);
          }
        }
      };
      await fill(store, shelf, items.slice(0, 140));
      await check(1e-3);
      await fill(store, shelf, items.slice(140));
      await settled(store);
      await check(0.25);
      const few = { embedding: direction(Random.named('none')), spread: 'told' as const };
      await store.catalog.deleteItems('photos');
      expect((await nearest(store, { modality: 'image', limit: 1 }, few)).spread).toEqual({ mean: 0, deviation: 0, sampled: 0, count: 0 });
    });

    it('sees each write and each deletion in the next search', async () => {
      const { store } = await begin();
      const { catalog } = store;
      const between: ItemWrite[] = [];
      for (let n = 0; n <= 280; n++) {
        const id = idOf(n);
        const [own, next] = [direction(Random.named(`own ${n}`)), direction(Random.named(`next ${n}`))];
        const first = async (embedding: Float32Array, modality: Leaf['modality'] = 'image'): Promise<[string, number] | undefined> => {
          const { neighbors } = await nearest(store, { modality, limit: 1 }, { embedding });
          return neighbors[0] && [neighbors[0].id, neighbors[0].score];
        };
        const write = (embedding: Float32Array, content: string, modality: Leaf['modality'] = 'image'): ItemWrite => ({ id, content: { modality, contentHash: sha256(content), embeddings: [embedding] } });
        if (n % 20 !== 0) {
          between.push(write(own, `own ${n}`));
          continue;
        }
        if (between.length > 0) await catalog.write('photos', between.splice(0));
        await catalog.write('photos', [write(own, `own ${n}`)]);
        expect(await first(own)).toEqual([id, expect.closeTo(1, 5)]);
        await catalog.write('photos', [write(next, `next ${n}`)]);
        expect(await first(next)).toEqual([id, expect.closeTo(1, 5)]);
        expect((await nearest(store, { modality: 'image', limit: 1000 }, { embedding: own })).neighbors.filter((each) => each.id === id)).toHaveLength(1);
        await catalog.write('photos', [write(next, `next ${n}`, 'text')]);
        expect([(await first(next, 'text'))?.[0], (await first(next))?.[0] === id]).toEqual([id, false]);
        await catalog.deleteItem('photos', id);
        expect((await first(next, 'text'))?.[0]).not.toBe(id);
      }
    });

    it('follows metadata: a filter goes by what it is now', async () => {
      const { store } = await begin();
      await fill(store, new ShelfOfItems(), Array.from({ length: 200 }, (_, n) => ({ ...drawItem(Random.named(`meta ${n}`), n, 'image'), metadata: { n } })));
      await settled(store);
      const ids = async (filter: Filter): Promise<string[]> => (await nearest(store, { modality: 'image', limit: 5 }, { embedding: direction(Random.named('q')), filter })).neighbors.map(({ id }) => id);
      if (!store.index.capabilities.filters) return;
      expect(await ids({ n: 7 })).toEqual([idOf(7)]);
      await store.catalog.setMetadata('photos', idOf(7), { n: 'seven' });
      expect([await ids({ n: 7 }), await ids({ n: 'seven' })]).toEqual([[], [idOf(7)]]);
    });

    it('orders equals by the bytes of their ids, and goes on behind any of them', async () => {
      const { store } = await begin();
      if (!store.index.capabilities.cursors) return;
      const embedding = direction(Random.named('same'));
      const ids = ['b', 'a', '\u{1f600}', '\uffee', 'é', 'e\u0301', 'Z', 'aa', '', ' ', '10', '9'].filter(Boolean);
      await store.catalog.write('photos', ids.map((id) => ({ id, content: { modality: 'text' as const, contentHash: sha256(id), text: id, embeddings: [embedding] } })));
      for (const limit of [1, 2, 5]) expect(await paged(store, { modality: 'text', limit }, { embedding })).toEqual([...ids].sort(byteOrder));
    });

    it('is paged to its end without a gap or a second coming, exactly or not, under a filter or none', { timeout: 120_000 }, async () => {
      const { store } = await begin();
      if (!store.index.capabilities.cursors) return;
      const shelf = new ShelfOfItems();
      await fill(store, shelf, Array.from({ length: 600 }, (_, n) => ({ ...drawItem(Random.named(`page ${n}`), n, 'image'), metadata: { third: n % 3 } })));
      await settled(store);
      const embedding = direction(Random.named('paged'));
      for (const filter of [undefined, { third: 1 }] as (Filter | undefined)[]) {
        const request: Request = { embedding, ...(filter ? { filter } : {}) };
        const all = shelf.ranked('image', request).map(({ id }) => id);
        expect(await paged(store, { modality: 'image', limit: 50 }, { ...request, exact: true })).toEqual(all);
        const seen = await paged(store, { modality: 'image', limit: 50 }, request);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.length / all.length).toBeGreaterThanOrEqual(leastRecall);
      }
    });

    it('finds an item of several embeddings once, by its best, and one of none not at all', async () => {
      const { store } = await begin();
      const shelf = new ShelfOfItems();
      const several = (id: string, count: number): ItemWrite => ({ id, content: { modality: 'image', contentHash: sha256(id), embeddings: Array.from({ length: count }, (_, part) => direction(Random.named(`${id} ${part}`))) } });
      await fill(store, shelf, [several('tiles', 5), several('none', 0), ...Array.from({ length: 150 }, (_, n) => drawItem(Random.named(`single ${n}`), n, 'image'))]);
      await settled(store);
      for (let part = 0; part < 5; part++) {
        const request: Request = { embedding: direction(Random.named(`tiles ${part}`)), exact: true };
        const found = await nearest(store, { modality: 'image', limit: 1000 }, request);
        compare(found, { modality: 'image', limit: 1000 }, request, shelf);
        expect(found.neighbors[0]).toMatchObject({ id: 'tiles', score: expect.closeTo(1, 5) as number });
      }
      await store.catalog.deleteItem('photos', 'tiles');
      expect((await nearest(store, { modality: 'image', limit: 1000 }, { embedding: direction(Random.named('tiles 2')) })).neighbors.map(({ id }) => id)).not.toContain('tiles');
    });

    it('scores the same pair the same, whichever way it was found, and after it was closed', async () => {
      const life = await begin();
      await fill(life.store, new ShelfOfItems(), Array.from({ length: 400 }, (_, n) => drawItem(Random.named(`score ${n}`), n, 'image')));
      await settled(life.store);
      const request: Request = { embedding: direction(Random.named('scored')) };
      const leaf: Leaf = { modality: 'image', limit: 20 };
      const exact = new Map((await nearest(life.store, leaf, { ...request, exact: true })).neighbors.map(({ id, score }) => [id, score]));
      await life.again();
      await settled(life.store);
      for (const { id, score } of (await nearest(life.store, leaf, request)).neighbors) if (exact.has(id)) expect(score).toBe(exact.get(id));
    });

    it('refuses what is of another space, and searches the other once its collection has gone over', async () => {
      const { store } = await begin();
      const { catalog, index } = store;
      await catalog.write('photos', [{ id: 'a', content: { modality: 'text', contentHash: sha256('a'), text: 'a', embeddings: [direction(Random.named('a'))] } }]);
      const asked = (embedding: Float32Array, fingerprint: string): Promise<Neighbors[]> => index.nearest('photos', { embedding, fingerprint, leaves: [{ modality: 'text', limit: 1 }] });
      const there = direction(Random.named('there'), otherSpace.dimension);
      await expect(asked(there, otherSpace.fingerprint)).rejects.toMatchObject({ code: 'conflict' });
      await catalog.startReembedding('photos', { ...otherSpace, fromThumbnails: false, skipImpossible: false });
      await catalog.putReembedded('photos', otherSpace.fingerprint, (await catalog.nextToReembed('photos', { limit: 9 })).map(({ key }) => ({ key, embedding: there })));
      expect((await asked(direction(Random.named('a')), space.fingerprint))[0]!.neighbors).toMatchObject([{ id: 'a', score: expect.closeTo(1, 5) as number }]);
      expect(await catalog.finishReembedding('photos')).toBe('done');
      expect((await asked(there, otherSpace.fingerprint))[0]!.neighbors).toMatchObject([{ id: 'a', score: expect.closeTo(1, 5) as number }]);
      await expect(asked(direction(Random.named('a')), space.fingerprint)).rejects.toMatchObject({ code: 'conflict' });
      await expect(index.nearest('none', { embedding: there, leaves: [] })).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  async function paged(store: Store, leaf: Leaf, request: Request): Promise<string[]> {
    const seen: string[] = [];
    for (let after: Leaf['after']; ; ) {
      const { neighbors, more } = await nearest(store, { ...leaf, ...(after ? { after } : {}) }, request);
      seen.push(...neighbors.map(({ id }) => id));
      if (!more) return seen;
      expect(neighbors).toHaveLength(leaf.limit);
      after = { score: neighbors.at(-1)!.score, id: neighbors.at(-1)!.id, rank: seen.length };
    }
  }
}

function drawItem(random: Random, n: number, modality: Leaf['modality'] = random.next() < 0.6 ? 'image' : 'text'): ItemWrite {
  const id = idOf(n);
  const content = `${id} ${random.next()}`;
  return { id, content: { modality, contentHash: sha256(content), embeddings: [direction(random)], ...(modality === 'text' ? { text: content } : {}) }, metadata: { n, half: n % 2, tag: `t${n % 40}`, rare: n % 100 === 0 } satisfies Metadata };
}

async function change({ catalog }: Store, shelf: ShelfOfItems, random: Random): Promise<void> {
  const id = random.pick([...shelf.items.keys()]);
  if (random.next() < 0.5) {
    await catalog.deleteItem('photos', id);
    shelf.items.delete(id);
    return;
  }
  const write = { ...drawItem(random, random.between(0, 900)), id };
  await catalog.write('photos', [write]);
  shelf.take(write);
}

function drawRequest(random: Random, shelf: ShelfOfItems): Request {
  const filters: Filter[] = [{ half: 1 }, { tag: 't7' }, { rare: true }, { n: { $gte: 350 } }, { n: -1 }, { $or: [{ tag: 't1' }, { half: 0 }] }, { $not: { half: 1 } }];
  return {
    embedding: direction(random),
    ...(random.next() < 0.5 ? { filter: random.pick(filters) } : {}),
    ...(random.next() < 0.4 ? { exact: true } : {}),
    ...(random.next() < 0.3 ? { excludeIds: random.shuffle([...shelf.items.keys()]).slice(0, random.between(1, 20)) } : {}),
  };
}

const drawLeaf = (random: Random): Leaf => ({
  modality: random.next() < 0.6 ? 'image' : 'text',
  limit: random.pick([1, 3, 10, 50, 1000]),
  ...(random.next() < 0.2 ? { minScore: random.pick([-1, 0, 0.3, 0.8]) } : {}),
});

/** Whether nothing is there that should not be, and, of an answer that is exact, all that should; the share of the best that was found. */
function compare({ neighbors, exact, more }: Neighbors, leaf: Leaf, request: Request, shelf: ShelfOfItems): number {
  const { after, minScore = -Infinity, limit } = leaf;
  const ranked = shelf.ranked(leaf.modality, request);
  const scores = new Map(ranked.filter(({ id, score }) => !after || (id !== after.id && score <= after.score + roundedBy)).map(({ id, score }) => [id, score]));
  expect(neighbors.length).toBeLessThanOrEqual(limit);
  expect(new Set(neighbors.map(({ id }) => id)).size).toBe(neighbors.length);
  // Judged one by one, told together: there are tens of thousands of them.
  const wrong = neighbors.flatMap(({ id, score, item }, at) => {
    const kept = shelf.items.get(id);
    const before = neighbors[at - 1];
    const holds = {
      'its score': Math.abs(score - (scores.get(id) ?? Number.NaN)) < 5 * roundedBy,
      'the least score': score >= minScore,
      'its item': kept !== undefined && 'id' in item && item.id === id && item.modality === leaf.modality && item.contentHash === kept.contentHash,
      'the filter': request.filter === undefined || (kept !== undefined && matches(request.filter, kept.metadata)),
      'its place': before === undefined || before.score > score || (before.score === score && byteOrder(before.id, id) < 0),
    };
    const broken = Object.entries(holds).flatMap(([what, isRight]) => (isRight ? [] : [what]));
    return broken.length === 0 ? [] : [{ at, id, score, wanted: scores.get(id), broken }];
  });
  expect(wrong).toEqual([]);
  const sure = ranked.filter(({ score }) => score >= minScore + roundedBy && (!after || score < after.score - roundedBy));
  const best = sure.slice(0, limit);
  if (exact) {
    expect(neighbors.length).toBeGreaterThanOrEqual(best.length);
    expect(best.flatMap(({ score }, at) => (neighbors[at]!.score >= score - roundedBy ? [] : [{ at, score, found: neighbors[at]!.score }]))).toEqual([]);
    if (sure.length > limit) expect(more).toBe(true);
  }
  const least = best.at(-1)?.score ?? 0;
  return best.length === 0 ? 1 : Math.min(1, neighbors.filter(({ score }) => score >= least - roundedBy).length / best.length);
}

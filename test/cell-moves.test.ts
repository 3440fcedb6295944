/** Where packed rows lie, and that none is lost and none comes twice on its way from one division of the space into another. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CellDirections } from '../src/store/embedded/vectors/centroids.js';
import type { PackedRows as Rows } from '../src/store/embedded/vectors/packed-rows.js';
import type { VectorMemory as Memory } from '../src/store/embedded/vectors/vector-memory.js';
import { Random } from './crash/random.js';
import { direction } from './port-contracts/oracle.js';
import { repository } from './server.js';

const compiled = (file: string): Promise<unknown> => import(pathToFileURL(path.join(repository, 'dist/store/embedded', file)).href);
const { VectorMemory } = (await compiled('vectors/vector-memory.js')) as typeof import('../src/store/embedded/vectors/vector-memory.js');
const { PackedRows } = (await compiled('vectors/packed-rows.js')) as typeof import('../src/store/embedded/vectors/packed-rows.js');
const { Comparison } = (await compiled('vectors/comparison.js')) as typeof import('../src/store/embedded/vectors/comparison.js');
const { KeyPlaces } = (await compiled('vectors/key-places.js')) as typeof import('../src/store/embedded/vectors/key-places.js');
const { packQuery } = (await compiled('vectors/packing.js')) as typeof import('../src/store/embedded/vectors/packing.js');
const { trained } = (await compiled('vectors/training.js')) as typeof import('../src/store/embedded/vectors/training.js');
const { Ranking } = (await compiled('ranking.js')) as typeof import('../src/store/embedded/ranking.js');
const { KeySet } = (await compiled('key-set.js')) as typeof import('../src/store/embedded/key-set.js');

const dimension = 24;
/** Of one slab: rows whose memory is taken and given back together. */
const slabRows = 2_048;
const slabBytes = 131_072;
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const sorted = (keys: Iterable<number>): number[] => [...keys].sort((one, other) => one - other);

describe('The places of keys', () => {
  type Step = ['add', number] | ['remove' | 'move' | 'truncate', number, number];
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('add' as const), fc.integer({ min: 1, max: 5 })) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom('remove' as const, 'move' as const), fc.nat(), fc.integer({ min: 0, max: 1e6 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('truncate' as const), fc.nat(), fc.constant(0)) },
  );

  it('are those of the keys that were added and not removed, in the keys\' order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.func(fc.boolean()), (steps, isWanted) => {
        const places = new KeyPlaces();
        const expected = new Map<number, number>();
        let last = 0;
        for (const [kind, number, place] of steps) {
          if (kind === 'add') {
            last += number;
            places.add(last, 3 * last);
            expected.set(last, 3 * last);
            continue;
          }
          const key = last === 0 ? 0 : 1 + (number % (last + 2));
          if (kind === 'remove') expect(places.remove(key)).toBe(expected.get(key));
          if (kind === 'remove') expected.delete(key);
          if (kind === 'move' && expected.has(key)) {
            places.move(key, place);
            expected.set(key, place);
          }
          if (kind === 'truncate') {
            places.truncate(key);
            for (const each of expected.keys()) if (each >= key) expected.delete(each);
            last = Math.min(last, Math.max(0, key - 1));
          }
        }
        for (const key of numbers(0, last + 2)) expect(places.of(key)).toBe(expected.get(key));
        const wanted = numbers(1, last + 2).filter((key) => isWanted(key));
        expect([...places.among(KeySet.of(Uint32Array.from(wanted)))]).toEqual(wanted.flatMap((key) => expected.get(key) ?? []));
        places.clear();
        expect([places.lastKey, places.of(last)]).toEqual([undefined, undefined]);
      }),
    );
  });

  it('know the last key that was added, although it was removed', () => {
    const places = new KeyPlaces();
    for (const key of numbers(1, 100)) places.add(2 * key, key);
    places.remove(200);
    expect([places.lastKey, places.of(200), places.of(199), places.remove(200)]).toEqual([200, undefined, undefined, undefined]);
    places.truncate(101);
    expect([places.lastKey, places.of(100)]).toEqual([100, 50]);
  });
});

describe('Memory that scans look into', () => {
  it('is given back once those have ended that began before, in the order in which it was given', async () => {
    const memory = new VectorMemory(slabBytes);
    const done: string[] = [];
    const scan = (): (() => Promise<void>) => {
      let end!: () => void;
      const ended = memory.during(() => new Promise<void>((resolve) => (end = resolve)));
      return () => (end(), ended);
    };
    memory.afterScans(() => done.push('at once'));
    expect(done).toEqual(['at once']);
    const endFirst = scan();
    memory.afterScans(() => done.push('after the first'));
    const endSecond = scan();
    memory.afterScans(() => done.push('after both'));
    memory.afterScans(() => done.push('after both too'));
    const endThird = scan();
    await endSecond();
    expect(done).toEqual(['at once']);
    await endFirst();
    expect(done).toEqual(['at once', 'after the first', 'after both', 'after both too']);
    await endThird();
  });

  it('is given back after a scan that failed as well', async () => {
    const memory = new VectorMemory(slabBytes);
    let isDone = false;
    const failing = memory.during(async () => {
      memory.afterScans(() => (isDone = true));
      expect(isDone).toBe(false);
      await Promise.resolve();
      throw new Error('It failed.');
    });
    await expect(failing).rejects.toThrow('It failed.');
    expect(isDone).toBe(true);
  });
});

function outcome<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** As many rows, with the keys 1, 2, ..., each its own item. */
class Cloud {
  readonly embeddings: Float32Array[];
  readonly rows: Rows;
  readonly memory: Memory;

  constructor(count: number, { limit = 64e6, seed = 'cloud' } = {}) {
    const random = Random.named(seed);
    this.embeddings = Array.from({ length: count }, () => direction(random, dimension));
    this.memory = new VectorMemory(limit);
    this.rows = new PackedRows(dimension, this.memory);
    for (const key of numbers(1, count)) expect(this.#append(key)).toBe(true);
  }

  add(): void {
    this.embeddings.push(direction(Random.named(`row ${this.embeddings.length}`), dimension));
    expect(this.#append(this.embeddings.length)).toBe(true);
  }

  directions(count = this.embeddings.length): CellDirections {
    return outcome(trained(outcome(this.rows.sample(count)), count, { memory: this.memory, holder: this.rows }));
  }

  moveAll(): void {
    for (let steps = 0; this.rows.isMoving; steps++) {
      if (steps > 1_000) throw new Error('They do not arrive.');
      this.rows.moveSome();
    }
  }

  /** Offers what is compared, one chunk at a time, where something happens in between. */
  *scan(offer: (key: number) => void): Generator<undefined, void> {
    const ranking = { floor: -Infinity, ceiling: Infinity, offer: ({ key }: { key: number }) => offer(key) } as unknown as InstanceType<typeof Ranking>;
    const comparison = new Comparison(this.embeddings[0]!, ranking, this.rows.pool, { stored: (key) => this.embeddings[key - 1] });
    for (const { chunks } of this.rows.nearestCells(comparison.query)) {
      for (const chunk of chunks) {
        comparison.add(chunk);
        comparison.finish();
        yield;
      }
    }
  }

  /** Of all that a scan offers. */
  offered(): number[] {
    const keys: number[] = [];
    for (const _ of this.scan((key) => keys.push(key)));
    return sorted(keys);
  }

  nearest(query: Float32Array, keys?: number[]): number[] {
    const ranking = new Ranking({ size: 10, idOf: String });
    const comparison = new Comparison(query, ranking, this.rows.pool, { stored: (key) => this.embeddings[key - 1] });
    if (keys) comparison.places(this.rows.placesOf(KeySet.of(Uint32Array.from(keys))));
    else for (const { chunks } of this.rows.nearestCells(comparison.query)) for (const chunk of chunks) comparison.add(chunk);
    comparison.finish();
    return ranking.best.map(({ key }) => key);
  }

  #append(key: number): boolean {
    return this.rows.append({ key, item: key, embedding: this.embeddings[key - 1]! }, false);
  }
}

/** On their way to their cells, of which there are twice as many as the memory beside `other` has chunks left: one slab's. */
function crowded(): { cloud: Cloud; other: Rows; all: number[] } {
  const cloud = new Cloud(2 * slabRows, { limit: 8 * slabBytes });
  cloud.rows.divide(cloud.directions(300));
  const other = new PackedRows(dimension, cloud.memory);
  for (const key of numbers(1, 4 * slabRows)) expect(other.append({ key, item: key, embedding: cloud.embeddings[0]! }, false)).toBe(true);
  return { cloud, other, all: numbers(1, 2 * slabRows) };
}

describe('A sample, of which cells are made', () => {
  const taken = (rows: Rows, most: number): { values: number[][]; scales: number[] } => {
    const generator = rows.sample(most);
    for (;;) {
      const { done, value } = generator.next();
      if (!done) continue;
      const length = value.rows.length / Math.max(1, value.scales.length);
      return { scales: [...value.scales], values: [...value.scales].map((scale, i) => [...value.rows.subarray(i * length, i * length + dimension)].map((number) => number * scale)) };
    }
  };
  const keyOf = (cloud: Cloud, values: number[]): number => 1 + cloud.embeddings.findIndex((each) => values.every((value, i) => Math.abs(value - each[i]!) < 0.01));

  it.each([
    ['as many as there are', 600, 400],
    ['few of them', 50, 50],
    ['more than there are', 1_000, 400],
  ])('is of rows that are there, each once at most, from all over: %s', (_, most, expected) => {
    const cloud = new Cloud(600);
    for (const key of numbers(1, 600)) if (key % 3 === 1) cloud.rows.remove(key);
    const { values, scales } = taken(cloud.rows, most);
    expect(scales.every((scale) => scale > 0)).toBe(true);
    const keys = values.map((each) => keyOf(cloud, each));
    expect([keys.length, new Set(keys).size, keys.filter((key) => key === 0 || key % 3 === 1)]).toEqual([expected, expected, []]);
    for (const from of [0, 150, 300, 450]) expect(keys.filter((key) => key > from && key <= from + 150).length).toBeGreaterThan(expected / 5);
  });
});

describe('Rows that are brought to their cells', () => {
  it('are there as they are stored or not at all, where memory became free on the way', () => {
    const count = 20_000;
    const limit = 38 * slabBytes;
    const cloud = new Cloud(0, { limit });
    const other = new PackedRows(dimension, cloud.memory);
    for (const key of numbers(1, count)) expect(other.append({ key, item: key, embedding: direction(Random.named(`other ${key}`), dimension) }, false)).toBe(true);
    for (const _ of numbers(1, count)) cloud.add();
    other.retire();
    cloud.rows.divide(cloud.directions());
    cloud.moveAll();
    let seen = 0;
    for (const { chunks } of cloud.rows.nearestCells(packQuery(cloud.embeddings[0]!))) {
      for (const chunk of chunks) {
        for (let row = 0; row < chunk.count; row++, seen++) {
          const stored = cloud.rows.pool.exact(chunk, row);
          if (stored) expect([...stored]).toEqual([...cloud.embeddings[chunk.slab.keys[chunk.offset + row]! - 1]!]);
        }
      }
    }
    expect(seen).toBe(count);
  });

  it('are all there, each once, before, on the way and afterwards, also into other cells', () => {
    const cloud = new Cloud(3_000);
    const all = numbers(1, 3_000);
    for (const count of [3_000, 300, 12_000]) {
      cloud.rows.divide(cloud.directions(count));
      for (let steps = 0; cloud.rows.isMoving; steps++) {
        if (steps % 7 === 0) expect(cloud.offered()).toEqual(all);
        cloud.rows.moveSome();
      }
      expect(cloud.offered()).toEqual(all);
      expect([cloud.rows.alive, cloud.rows.lastKey, cloud.rows.moveSome()]).toEqual([3_000, 3_000, false]);
      // A row is found by its key where it lies now, as what it is.
      for (const key of [1, 1_500, 3_000]) expect(cloud.nearest(cloud.embeddings[key - 1]!, [key - 1, key, key + 1])[0]).toBe(key);
    }
  });

  it('lie in the cell that is nearest to them, wherever they come from', () => {
    const cloud = new Cloud(2_000);
    const cells = cloud.directions();
    cloud.rows.divide(cells);
    cloud.moveAll();
    for (let n = 0; n < 100; n++) cloud.add();
    const to = (embedding: Float32Array): number[] => Array.from({ length: cells.centroids.length / dimension }, (_, cell) => embedding.reduce((sum, value, i) => sum + value * cells.centroids[cell * dimension + i]!, 0));
    for (const key of [...numbers(1, 50), ...numbers(2_001, 2_100)]) {
      const scores = to(cloud.embeddings[key - 1]!);
      const [place] = cloud.rows.placesOf(KeySet.of(Uint32Array.of(key)));
      expect(scores[cloud.rows.pool.chunkAt(place!).cell]).toBeGreaterThan(Math.max(...scores) - 0.02);
    }
  });

  it('may be removed and added meanwhile', () => {
    const cloud = new Cloud(2_500);
    const random = Random.named('removals');
    const there = new Set(numbers(1, 2_500));
    cloud.rows.divide(cloud.directions());
    for (let steps = 0; cloud.rows.isMoving; steps++) {
      for (let n = 0; n < 8; n++) {
        const key = random.between(1, cloud.embeddings.length);
        cloud.rows.remove(key);
        there.delete(key);
      }
      cloud.add();
      there.add(cloud.embeddings.length);
      cloud.rows.moveSome();
      if (steps % 5 === 0) expect(cloud.offered()).toEqual(sorted(there));
    }
    expect(cloud.offered()).toEqual(sorted(there));
    expect(cloud.rows.alive).toBe(there.size);
  });

  it.each([
    ['the space was undivided', false, 0],
    ['it had other cells', true, 0],
    ['some were on their way', false, 10],
  ])('are all seen by a scan that began when %s', async (_title, isDivided, moved) => {
    const cloud = new Cloud(3_000);
    const { rows, memory } = cloud;
    const other = cloud.directions(300);
    if (isDivided) rows.divide(cloud.directions());
    cloud.moveAll();
    if (moved > 0) rows.divide(other);
    for (let n = 0; n < moved; n++) rows.moveSome();
    const seen = new Set<number>();
    await memory.during(async () => {
      const scan = cloud.scan((key) => seen.add(key));
      for (let n = 0; n < 5; n++) scan.next();
      if (moved === 0) rows.divide(other);
      cloud.moveAll();
      // What is let go of is not written over while it may be looked at.
      for (let n = 0; n < 200; n++) cloud.add();
      while (!scan.next().done) await Promise.resolve();
    });
    for (const key of numbers(1, 3_000)) if (!seen.has(key)) expect.fail(`${key} was not seen.`);
    expect(cloud.offered()).toEqual(numbers(1, 3_200));
  });

  it('stay where they are where the memory has no room, and go on when it has', () => {
    const { cloud, other, all } = crowded();
    const { rows } = cloud;
    while (rows.moveSome());
    expect(rows.isMoving).toBe(true);
    expect(cloud.offered()).toEqual(all);
    expect(rows.moveSome()).toBe(false);
    rows.remove(17);
    rows.remove(2 * slabRows);
    const left = all.filter((key) => key !== 17 && key !== 2 * slabRows);
    expect(cloud.offered()).toEqual(left);
    other.retire();
    cloud.moveAll();
    expect([cloud.offered(), rows.alive]).toEqual([left, left.length]);
  });

  it('are seen once although the memory ran out in the middle of a chunk during a scan', async () => {
    const { cloud, all } = crowded();
    const { rows, memory } = cloud;
    const seen = new Set<number>();
    await memory.during(async () => {
      const scan = cloud.scan((key) => seen.add(key));
      for (let n = 0; n < 3; n++) scan.next();
      while (rows.moveSome());
      expect(rows.isMoving).toBe(true);
      expect(new Set(cloud.offered())).toEqual(new Set(all));
      while (!scan.next().done) await Promise.resolve();
    });
    expect([seen.size, cloud.offered()]).toEqual([2 * slabRows, all]);
  });

  it('that another needs the memory of are still seen by a scan under way, and no more of them go than it needs', async () => {
    const cloud = new Cloud(4 * slabRows, { limit: 4 * slabBytes });
    const other = new PackedRows(dimension, cloud.memory);
    const append = (): boolean => other.append({ key: 1, item: 1, embedding: cloud.embeddings[0]! }, true);
    const seen = new Set<number>();
    await cloud.memory.during(async () => {
      const scan = cloud.scan((key) => seen.add(key));
      scan.next();
      expect([append(), cloud.rows.alive]).toEqual([false, 3 * slabRows]);
      while (!scan.next().done) await Promise.resolve();
    });
    expect(seen.size).toBe(4 * slabRows);
    expect([append(), cloud.rows.alive, cloud.offered()]).toEqual([true, 3 * slabRows, numbers(1, 3 * slabRows)]);
  });
});

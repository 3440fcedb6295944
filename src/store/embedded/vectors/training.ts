/** Where cells lie: spherical k-means over a sample, in two levels, groups of cells and the cells of each. */
import { mostCells, PackedDirections, type CellDirections } from './centroids.js';
import { packedLength } from './packing.js';
import { scratch, type Holder, type VectorMemory } from './vector-memory.js';

/** Embeddings that are looked at for each cell. */
const sampledPerCell = 32;
/** For each group, and where there are few cells. */
const sampledPerGroup = 256;
const iterations = 8;
/** Rows between two moments at which others may have their turn. */
const rowsAtOnce = 16;

/** Some embeddings, packed. */
export interface Sample {
  dimension: number;
  rows: Int8Array;
  scales: Float32Array;
}

/** Cells for so many embeddings: with 3.2 times the root as many, fewer of them are looked at, and choosing among them costs little beside. */
export const cellsFor = (count: number): number => Math.min(mostCells, Math.max(8, 2 ** Math.round(Math.log2(3.2 * Math.sqrt(count)))));
export const sampleFor = (count: number): number => Math.min(count, sampledPerCell * cellsFor(count));

/** Each step is short; the last one returns. The same for the same sample. @throws Error where the memory has no room. */
export function* trained(sample: Sample, count: number, around: { memory: VectorMemory; holder: Holder }): Generator<undefined, CellDirections> {
  const clustering = new Clustering(sample, around);
  const all = Uint32Array.from(sample.scales, (_, i) => i);
  const wanted = cellsFor(count);
  const groups = yield* clustering.directions(clustering.some(all, sampledPerGroup * Math.sqrt(wanted)), Math.round(Math.sqrt(wanted)));
  const members = yield* clustering.membersOf(all, groups);
  const centroids: Float32Array[] = [];
  const firstOf = new Uint32Array(members.length + 1);
  for (const [group, each] of members.entries()) {
    const cells = 1 + Math.floor(((wanted - members.length) * each.length) / all.length);
    centroids.push(each.length === 0 ? clustering.directionOf(groups, group) : yield* clustering.directions(each, cells));
    firstOf[group + 1] = firstOf[group]! + centroids.at(-1)!.length / sample.dimension;
  }
  const joined = new Float32Array(firstOf.at(-1)! * sample.dimension);
  centroids.forEach((each, group) => joined.set(each, firstOf[group]! * sample.dimension));
  return { dimension: sample.dimension, centroids: joined, groups, firstOf, count };
}

class Clustering {
  readonly #sample: Sample;
  readonly #around: { memory: VectorMemory; holder: Holder };
  readonly #length: number;
  #seed = 1;

  constructor(sample: Sample, around: { memory: VectorMemory; holder: Holder }) {
    this.#sample = sample;
    this.#around = around;
    this.#length = packedLength(sample.dimension);
  }

  some(members: Uint32Array, most: number): Uint32Array {
    const step = Math.max(1, members.length / most);
    return Uint32Array.from({ length: Math.min(members.length, Math.floor(most)) }, (_, i) => members[Math.floor(i * step)]!);
  }

  directionOf(directions: Float32Array, place: number): Float32Array {
    return directions.slice(place * this.#sample.dimension, (place + 1) * this.#sample.dimension);
  }

  /** At most so many, one behind the other. */
  *directions(members: Uint32Array, most: number): Generator<undefined, Float32Array> {
    const { dimension } = this.#sample;
    const count = Math.min(most, members.length);
    const found = new Float32Array(count * dimension);
    for (let i = 0; i < count; i++) found.set(this.#direction(members[Math.floor((i * members.length) / count)]!), i * dimension);
    for (let iteration = 0; iteration < iterations; iteration++) {
      const sums = new Float32Array(count * dimension);
      const sizes = new Uint32Array(count);
      yield* this.#each(members, found, (member, place) => {
        this.#add(member, sums, place * dimension);
        sizes[place]!++;
      });
      for (let i = 0; i < count; i++) {
        const sum = sums.subarray(i * dimension, (i + 1) * dimension);
        // One that nothing is nearest to begins again elsewhere.
        const direction = sizes[i] === 0 ? this.#direction(members[this.#random(members.length)]!) : unit(sum);
        if (direction) found.set(direction, i * dimension);
      }
    }
    return found;
  }

  *membersOf(members: Uint32Array, directions: Float32Array): Generator<undefined, Uint32Array[]> {
    const found: number[][] = Array.from({ length: directions.length / this.#sample.dimension }, () => []);
    yield* this.#each(members, directions, (member, place) => found[place]!.push(member));
    return found.map((each) => Uint32Array.from(each));
  }

  /** Each with the place of the direction that it is nearest to. */
  *#each(members: Uint32Array, directions: Float32Array, take: (member: number, place: number) => void): Generator<undefined, void> {
    const { dimension, rows } = this.#sample;
    const { memory } = this.#around;
    const packed = new PackedDirections(directions.length / dimension, dimension, this.#around);
    try {
      for (let i = 0; i < packed.count; i++) packed.set(i, directions.subarray(i * dimension, (i + 1) * dimension));
      for (const [i, member] of members.entries()) {
        new Int8Array(memory.kernel.memory.buffer, scratch.row, this.#length).set(rows.subarray(member * this.#length, (member + 1) * this.#length));
        memory.kernel.widen(scratch.row, this.#length, scratch.query);
        take(member, packed.nearest(0, packed.count).place);
        if (i % rowsAtOnce === rowsAtOnce - 1) yield;
      }
    } finally {
      packed.free();
    }
  }

  #direction(member: number): Float32Array {
    const direction = new Float32Array(this.#sample.dimension);
    this.#add(member, direction, 0);
    return unit(direction) ?? direction;
  }

  #add(member: number, to: Float32Array, offset: number): void {
    const { dimension, rows, scales } = this.#sample;
    const scale = scales[member]!;
    const from = member * this.#length;
    for (let i = 0; i < dimension; i++) to[offset + i]! += rows[from + i]! * scale;
  }

  #random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * below);
  }
}

function unit(values: Float32Array): Float32Array | undefined {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? values.map((value) => value / length) : undefined;
}

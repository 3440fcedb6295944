/** What stands for cells: parts of a space, each of what is nearest to its centroid (an inverted file; Sivic and Zisserman 2003, Jégou and others 2011). */
import { packedLength, type PackedQuery } from './packing.js';
import { scratch, scratchLimits, type Holder, type VectorMemory } from './vector-memory.js';

export const mostCells = scratchLimits.scores;
/** An embedding is compared with about so many centroids, those of the groups that it is nearest to: in general its cell is among them. */
const compared = 1_024;

/** Directions of length 1, one behind the other. */
export interface CellDirections {
  dimension: number;
  centroids: Float32Array;
  /** Of groups of centroids; and where the first centroid of each stands, and the end. */
  groups: Float32Array;
  firstOf: Uint32Array;
  /** Embeddings there were when they were sought. */
  count: number;
}

/** Bytes that so many take about, with those of their groups; `length`: of a packed one. */
export const directionsBytes = (count: number, length: number): number => (count + Math.sqrt(count) + 6) * (length + 4);

/** Directions packed in the memory, to be compared with one query at a time. */
export class PackedDirections {
  readonly count: number;
  readonly #memory: VectorMemory;
  readonly #length: number;
  readonly #bytes: number;
  readonly #address: number;

  /** @throws Error where the memory has no room. */
  constructor(count: number, dimension: number, { memory, holder }: { memory: VectorMemory; holder: Holder }) {
    this.count = count;
    this.#memory = memory;
    this.#length = packedLength(dimension);
    // The kernel reads up to three more.
    this.#bytes = (count + 3) * (this.#length + 4);
    const address = memory.take(holder, this.#bytes, true);
    if (address === undefined) throw new Error('The memory for embeddings has no room.');
    this.#address = address;
  }

  set(place: number, direction: Float32Array): void {
    const { scale } = this.#memory.pack(direction, this.#length);
    const { buffer } = this.#memory.kernel.memory;
    new Int8Array(buffer, this.#address + place * this.#length, this.#length).set(new Int8Array(buffer, scratch.row, this.#length));
    new Float32Array(buffer, this.#scales, this.count)[place] = scale;
  }

  /** By the query that stands in the scratch; valid until the next call. */
  scores(queryScale: number, from = 0, to = this.count): Float32Array {
    const { kernel } = this.#memory;
    kernel.scores(this.#address + from * this.#length, this.#scales + 4 * from, to - from, this.#length, scratch.query, queryScale, scratch.scores);
    return new Float32Array(kernel.memory.buffer, scratch.scores, to - from);
  }

  /** Which of those from one to another is nearest to the query that stands in the scratch. */
  nearest(from: number, to: number): { place: number; score: number } {
    const scores = this.scores(1, from, to);
    const at = this.#memory.kernel.greatest(scratch.scores, to - from);
    return { place: from + at, score: scores[at]! };
  }

  free(): void {
    this.#memory.giveBack(this.#address, this.#bytes);
  }

  get bytes(): number {
    return this.#memory.sizeOf(this.#bytes);
  }

  get #scales(): number {
    return this.#address + (this.count + 3) * this.#length;
  }
}

/** Says to which cell an embedding belongs, and which cells a query is near to. */
export class Centroids {
  readonly directions: CellDirections;
  readonly #memory: VectorMemory;
  readonly #length: number;
  readonly #centroids: PackedDirections;
  readonly #groups: PackedDirections;

  /** @throws Error where the memory has no room. */
  constructor(directions: CellDirections, around: { memory: VectorMemory; holder: Holder }) {
    this.directions = directions;
    this.#memory = around.memory;
    this.#length = packedLength(directions.dimension);
    this.#centroids = packed(directions.centroids, directions.dimension, around);
    try {
      this.#groups = packed(directions.groups, directions.dimension, around);
    } catch (error) {
      this.#centroids.free();
      throw error;
    }
  }

  get count(): number {
    return this.#centroids.count;
  }

  get bytes(): number {
    return this.#centroids.bytes + this.#groups.bytes;
  }

  /** Of the packed row in the scratch. */
  cellOfRow(): number {
    this.#memory.kernel.widen(scratch.row, this.#length, scratch.query);
    if (this.count <= compared) return this.#centroids.nearest(0, this.count).place;
    const { firstOf } = this.directions;
    const tried = Math.ceil((compared * this.#groups.count) / this.count);
    return greatest(this.#groups.scores(1), tried)
      .map((group) => this.#centroids.nearest(firstOf[group]!, firstOf[group + 1]!))
      .reduce((best, each) => (each.score > best.score ? each : best)).place;
  }

  /** How near each is to the query. */
  scores(query: PackedQuery): Float32Array {
    new Int16Array(this.#memory.kernel.memory.buffer, scratch.query, query.values.length).set(query.values);
    return this.#centroids.scores(query.scale).slice();
  }

  free(): void {
    this.#centroids.free();
    this.#groups.free();
  }
}

function packed(directions: Float32Array, dimension: number, around: { memory: VectorMemory; holder: Holder }): PackedDirections {
  const count = directions.length / dimension;
  const block = new PackedDirections(count, dimension, around);
  for (let i = 0; i < count; i++) block.set(i, directions.subarray(i * dimension, (i + 1) * dimension));
  return block;
}

/** The places of the greatest. */
function greatest(scores: Float32Array, most: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    let at = places.length;
    while (at > 0 && scores[places[at - 1]!]! < scores[i]!) at--;
    if (at === most) continue;
    places.splice(at, 0, i);
    if (places.length > most) places.pop();
  }
  return places;
}

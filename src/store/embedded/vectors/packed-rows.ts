/** Embeddings packed in memory, those of one cell beside each other, and the rows of them that a query may want. */
import type { EmbeddingRow } from '../embedding-table.js';
import type { KeySet } from '../key-set.js';
import { Centroids, directionsBytes, mostCells, type CellDirections } from './centroids.js';
import { ChunkPool, chunkRows, type Chunk } from './chunk-pool.js';
import { KeyPlaces } from './key-places.js';
import type { PackedQuery } from './packing.js';
import type { Sample } from './training.js';
import { scratch, type Holder, type VectorMemory } from './vector-memory.js';

/** Of all rows, those removed, from which on they are worth being got rid of. */
const sparse = 1 / 3;

/** Some that a query is about equally near to. */
export interface Cell {
  chunks: readonly Chunk[];
  /** 0 of what lies in no cell yet: nothing can be left out for it. */
  rows: number;
}

/** All cells of one division of the space; one cell where it is undivided. */
interface Division {
  centroids: Centroids | undefined;
  cells: Chunk[][];
}

export class PackedRows implements Holder {
  readonly pool: ChunkPool;
  readonly #memory: VectorMemory;
  readonly #places = new KeyPlaces();
  /** The last one takes what comes. Another before it is on its way into it. */
  #divisions: Division[] = [undivided()];
  /** Rises whenever rows are brought elsewhere. */
  #layout = 0;
  readonly #placesOf = new WeakMap<KeySet, { places: Uint32Array; layout: number; through: number | undefined }>();
  /** Rows, and of them those removed. */
  #count = 0;
  #dead = 0;

  constructor(dimension: number, memory: VectorMemory) {
    this.#memory = memory;
    this.pool = new ChunkPool(dimension, memory, this);
  }

  get keeps(): number {
    return this.#divisions.reduce((sum, { centroids }) => sum + (centroids?.bytes ?? 0), this.pool.bytes);
  }

  /** Whether so many can be held: at all, and without others losing theirs. */
  fits(total: number, cells = this.#divisions.at(-1)!.cells.length): { atAll: boolean; beside: boolean } {
    const centroids = cells === 1 ? 0 : directionsBytes(cells, this.pool.length);
    const bytes = this.pool.bytesOf(total + this.#dead, cells) + centroids;
    return { atAll: bytes <= this.#memory.limit, beside: bytes <= this.#memory.roomBeside(this) };
  }

  get alive(): number {
    return this.#count - this.#dead;
  }

  get isSparse(): boolean {
    return this.#dead > this.#count * sparse;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** All up to it are here; `undefined` when there is none. */
  get lastKey(): number | undefined {
    return this.#places.lastKey;
  }

  /** Where its cells lie, once it has some. */
  get directions(): CellDirections | undefined {
    return this.#divisions.at(-1)!.centroids?.directions;
  }

  /** False where the memory has no room. `urgent`: others may lose theirs. Its key is above all others. */
  append({ key, item, embedding }: EmbeddingRow, urgent: boolean): boolean {
    const { scale, slack } = this.#memory.pack(embedding, this.pool.length);
    const chunk = this.#openChunk(urgent);
    if (!chunk) return false;
    this.#places.add(key, this.#put(chunk, { key, item, scale, slack, exact: embedding }));
    this.#count++;
    return true;
  }

  remove(key: number): void {
    const place = this.#places.remove(key);
    if (place === undefined) return;
    const chunk = this.pool.chunkAt(place);
    this.pool.slacks(chunk)[place % chunkRows] = -Infinity;
    chunk.dead++;
    this.#dead++;
  }

  /** From now on what comes lies in these cells, and `moveSome` brings the others there. @throws Error where the memory has no room. */
  divide(directions: CellDirections): void {
    const centroids = new Centroids(directions, { memory: this.#memory, holder: this });
    if (this.isEmpty) {
      this.#divisions.at(-1)!.centroids?.free();
      this.#divisions = [];
    }
    // Scans under way go on by the lists of before, from which nothing is taken.
    this.#divisions = this.#divisions.map(({ centroids, cells }) => ({ centroids, cells: cells.map((chunks) => chunks.slice()) }));
    this.#divisions.push({ centroids, cells: Array.from({ length: centroids.count }, () => []) });
  }

  get isMoving(): boolean {
    return this.#divisions.length > 1;
  }

  /** Brings the rows of one chunk to their cells; false when all are there, or there is no room. */
  moveSome(): boolean {
    const [from] = this.#divisions;
    if (!this.isMoving) return false;
    const cell = from!.cells.findLast((chunks) => chunks.length > 0);
    const chunk = cell?.at(-1);
    if (!chunk) {
      this.#divisions.shift();
      this.#places.compact();
      this.#memory.afterScans(() => from!.centroids?.free());
      return false;
    }
    const { pool } = this;
    this.#layout++;
    const moved: number[] = [];
    for (let row = 0; row < chunk.count; row++) {
      const [key, item] = [chunk.slab.keys[chunk.offset + row]!, chunk.slab.items[chunk.offset + row]!];
      if (this.#places.of(key) !== pool.placeOf(chunk, row)) continue;
      new Int8Array(this.#memory.kernel.memory.buffer, scratch.row, pool.length).set(pool.packedRow(chunk, row));
      const to = this.#openChunk(false);
      if (!to) {
        // Scans under way know them here alone, later ones there.
        this.#memory.afterScans(() => moved.forEach((each) => (pool.slacks(chunk)[each] = -Infinity)));
        return false;
      }
      this.#places.move(key, this.#put(to, { key, item, scale: pool.scales(chunk)[row]!, slack: pool.slacks(chunk)[row]!, exact: pool.exact(chunk, row) }));
      moved.push(row);
    }
    this.#count -= chunk.dead;
    this.#dead -= chunk.dead;
    cell!.pop();
    pool.give(chunk);
    return true;
  }

  /** All cells, those that the query is nearest to first; what has not been brought to its cell before all. */
  *nearestCells(query: PackedQuery): Generator<Cell> {
    const cells: Chunk[][] = [];
    const scores: number[] = [];
    for (const { centroids, cells: all } of this.#divisions) {
      const of = centroids?.scores(query);
      for (let cell = 0; cell < all.length; cell++) {
        const chunks = all[cell]!;
        if (chunks.length === 0) continue;
        // While rows are on their way, a scan goes by where they were when it began.
        cells.push(this.isMoving ? chunks.slice() : chunks);
        const score = of ? of[cell]! : first;
        // Of what nobody can tell how near it is, nothing may be left out.
        scores.push(Number.isFinite(score) ? score : first);
      }
    }
    for (const place of inOrder(scores)) {
      const chunks = cells[place]!;
      yield { chunks, rows: scores[place] === first ? 0 : chunks.reduce((sum, { count, dead }) => sum + count - dead, 0) };
    }
  }

  /** Where the rows of these keys lie, those that lie beside each other one behind the other. Some may have been removed. */
  placesOf(keys: KeySet): Uint32Array {
    const known = this.#placesOf.get(keys);
    if (known?.layout === this.#layout && known.through === this.#places.lastKey) return known.places;
    const places = this.#places.among(keys).sort();
    this.#placesOf.set(keys, { places, layout: this.#layout, through: this.#places.lastKey });
    return places;
  }

  /** For each key, the share of all rows that lie in cells nearer to the query than its own; none for what is not here. Not while rows are on their way. */
  sharesBefore(query: PackedQuery, keys: readonly number[]): number[] {
    const before = new Map<number, number>();
    let seen = 0;
    for (const { chunks, rows } of this.nearestCells(query)) {
      before.set(chunks[0]!.cell, seen / this.alive);
      seen += rows;
    }
    const shares = keys.map((key) => {
      const place = this.#places.of(key);
      return place === undefined ? undefined : before.get(this.pool.chunkAt(place).cell)!;
    });
    return shares.filter((share) => share !== undefined);
  }

  /** Some of them, from all over, one short step at a time. Not while rows are on their way. */
  *sample(most: number): Generator<undefined, Sample> {
    const { pool } = this;
    const wanted = Math.min(most, this.alive);
    const rows = new Int8Array(wanted * pool.length);
    const scales = new Float32Array(wanted);
    const step = this.alive / wanted;
    let taken = 0;
    let seen = 0;
    for (const chunk of [...this.#chunks()]) {
      const [slacks, scalesOfChunk] = [pool.slacks(chunk), pool.scales(chunk)];
      const packed = pool.packedRows(chunk);
      for (let row = 0; row < chunk.count && taken < wanted; row++) {
        if (slacks[row] === -Infinity || seen++ < taken * step) continue;
        rows.set(packed.subarray(row * pool.length, (row + 1) * pool.length), taken * pool.length);
        scales[taken++] = scalesOfChunk[row]!;
      }
      yield;
    }
    return { dimension: pool.dimension, rows: rows.subarray(0, taken * pool.length), scales: scales.subarray(0, taken) };
  }

  /** Lets go of the rows; where its cells lie it knows still. */
  clear(): void {
    this.#layout++;
    for (const chunk of this.#chunks()) this.pool.give(chunk);
    for (const { centroids } of this.#divisions.slice(0, -1)) centroids?.free();
    this.#divisions = this.#divisions.slice(-1);
    const { centroids, cells } = this.#divisions[0]!;
    this.#divisions = [{ centroids, cells: cells.map(() => []) }];
    this.#places.clear();
    this.#count = this.#dead = 0;
  }

  /** Lets go of the rows, and of where its cells lie. */
  undivide(): void {
    this.clear();
    const [{ centroids }] = this.#divisions as [Division];
    this.#divisions = [undivided()];
    this.#memory.afterScans(() => centroids?.free());
  }

  touch(): void {
    this.#memory.touch(this);
  }

  /** Lets go of everything. */
  retire(): void {
    this.undivide();
    this.#memory.forget(this);
  }

  giveSpare(): boolean {
    return this.pool.giveSpare();
  }

  /** Those of the highest keys, if that is how they lie; else all. */
  giveSome(): number {
    if (this.isEmpty) return 0;
    const [division] = this.#divisions;
    const chunks = division!.cells[0]!;
    if (this.isMoving || division!.centroids || chunks.length === 1) {
      const { bytes } = this.pool;
      this.clear();
      return bytes;
    }
    const chunk = chunks.at(-1)!;
    // Scans under way go on by the list of before.
    division!.cells[0] = chunks.slice(0, -1);
    this.#layout++;
    this.#places.truncate(chunk.slab.keys[chunk.offset]!);
    this.#count -= chunk.count;
    this.#dead -= chunk.dead;
    this.pool.give(chunk);
    return this.pool.bytesOfChunk;
  }

  *#chunks(): Generator<Chunk> {
    for (const { cells } of this.#divisions) for (const chunks of cells) yield* chunks;
  }

  /** Where the row in the scratch is to lie: in the last chunk of its cell, or a new one. */
  #openChunk(urgent: boolean): Chunk | undefined {
    this.#memory.touch(this);
    const { centroids, cells } = this.#divisions.at(-1)!;
    const cell = centroids?.cellOfRow() ?? 0;
    const chunks = cells[cell]!;
    const last = chunks.at(-1);
    if (last && last.count < chunkRows) return last;
    const chunk = this.pool.take(cell, urgent);
    if (chunk) chunks.push(chunk);
    return chunk;
  }

  /** The row in the scratch; its place. */
  #put(chunk: Chunk, { key, item, scale, slack, exact }: { key: number; item: number; scale: number; slack: number; exact: Float32Array | undefined }): number {
    const { pool } = this;
    const row = chunk.count++;
    pool.packedRow(chunk, row).set(new Int8Array(this.#memory.kernel.memory.buffer, scratch.row, pool.length));
    pool.scales(chunk)[row] = scale;
    pool.slacks(chunk)[row] = slack;
    chunk.slab.keys[chunk.offset + row] = key;
    chunk.slab.items[chunk.offset + row] = item;
    if (exact) pool.exact(chunk, row)?.set(exact);
    else chunk.isExact = false;
    return pool.placeOf(chunk, row);
  }
}

/** Two divisions' cells. */
const mostPlaces = 2 * mostCells;
/** Scores that are so near to each other are one. */
const fineness = 2 ** 24;
/** Above every score. */
const first = 2;
const undivided = (): Division => ({ centroids: undefined, cells: [[]] });

/** Places by score, the greatest first; scores are -1..1, or `first`. */
function inOrder(scores: number[]): Uint32Array {
  const order = new Float64Array(scores.length);
  for (let i = 0; i < order.length; i++) order[i] = Math.round((first - scores[i]!) * fineness) * mostPlaces + i;
  return Uint32Array.from(order.sort(), (each) => each % mostPlaces);
}

import { similarity } from '../../similarity.js';
import type { Offers } from '../ranking.js';
import { chunkRows, type Chunk, type ChunkPool } from './chunk-pool.js';
import { packQuery, type PackedQuery } from './packing.js';
import { scratch } from './vector-memory.js';

/** Rows compared between two looks at the ranking's floor; fewer at first, while it rises. */
const firstStep = 64;
const mostStep = 512;
/** Below every score, and above what a removed row may score. */
const lowest = -4;

interface ComparisonSurroundings {
  /** Of the keys of whole chunks those alone. */
  isWanted?: ((key: number) => boolean) | undefined;
  /** An embedding as it is stored. */
  stored: (key: number) => Float32Array | undefined;
}

/** One query's comparison with packed rows: what may come into the ranking is offered to it with its exact score. */
export class Comparison {
  readonly query: PackedQuery;
  readonly #embedding: Float32Array;
  readonly #ranking: Offers;
  readonly #pool: ChunkPool;
  readonly #around: ComparisonSurroundings;
  #step = firstStep;
  #chunks: Chunk[] = [];

  constructor(embedding: Float32Array, ranking: Offers, pool: ChunkPool, around: ComparisonSurroundings) {
    this.query = packQuery(embedding);
    this.#embedding = embedding;
    this.#ranking = ranking;
    this.#pool = pool;
    this.#around = around;
  }

  /** Compares a chunk, together with some before or after it; true when it has just done so, with all that were added. */
  add(chunk: Chunk): boolean {
    this.#chunks.push(chunk);
    if (this.#chunks.length * chunkRows < this.#step) return false;
    this.finish();
    return true;
  }

  /** Compares what was added and not compared yet. */
  finish(): void {
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#chunks = [];
    const list = this.#list(2 * chunks.length);
    chunks.forEach(({ address, count }, i) => {
      list[2 * i] = address;
      list[2 * i + 1] = count;
    });
    const { isWanted } = this.#around;
    for (const found of this.#found('scanChunks', chunks.length)) {
      const chunk = chunks[Math.floor(found / chunkRows)]!;
      const row = found % chunkRows;
      if (!isWanted || isWanted(chunk.slab.keys[chunk.offset + row]!)) this.#offer(chunk, row);
    }
    this.#rise();
  }

  /** How many places it is to be given next at most. */
  get step(): number {
    return this.#step;
  }

  /** Compares single rows: best those of one chunk one behind the other. */
  places(places: Uint32Array): void {
    const filled = Math.ceil(places.length / 4) * 4;
    const list = this.#list(2 * filled);
    let chunk: Chunk | undefined;
    let last = -1;
    for (let i = 0; i < filled; i++) {
      const place = places[Math.min(i, places.length - 1)]!;
      const row = place % chunkRows;
      if (!chunk || place - row !== last) {
        chunk = this.#pool.chunkAt(place);
        last = place - row;
      }
      list[2 * i] = chunk.address;
      list[2 * i + 1] = row;
    }
    for (const found of this.#found('scanListed', places.length)) this.#offer(this.#pool.chunkAt(places[found]!), places[found]! % chunkRows);
    this.#rise();
  }

  #list(length: number): Uint32Array {
    return new Uint32Array(this.#pool.memory.kernel.memory.buffer, scratch.list, length);
  }

  #found(scan: 'scanChunks' | 'scanListed', count: number): Uint32Array {
    const { memory, length } = this.#pool;
    const { values, scale, slack } = this.query;
    new Int16Array(memory.kernel.memory.buffer, scratch.query, values.length).set(values);
    const least = Math.max(this.#ranking.floor, lowest) - slack;
    const found = memory.kernel[scan](scratch.list, count, length, scratch.query, scale, least, this.#ranking.ceiling + slack, scratch.found);
    return new Uint32Array(memory.kernel.memory.buffer, scratch.found, found);
  }

  #offer(chunk: Chunk, row: number): void {
    const [key, item] = [chunk.slab.keys[chunk.offset + row]!, chunk.slab.items[chunk.offset + row]!];
    const embedding = this.#pool.exact(chunk, row) ?? this.#around.stored(key);
    if (embedding) this.#ranking.offer({ key, item, score: similarity(this.#embedding, embedding) });
  }

  #rise(): void {
    this.#step = Math.min(2 * this.#step, mostStep);
  }
}

/** Embeddings packed in memory, in chunks, and the rows of them that a query may want. */
import type { EmbeddingRow } from './embedding-table.js';
import { firstAbove, type KeySet } from './key-set.js';
import { pack, packedLength, type PackedQuery } from './packing.js';
import type { Holder, VectorMemory } from './vector-memory.js';

export const chunkRows = 2048;
/** The kernel reads up to three rows beyond those it is asked for. */
const spareRows = 4;
/** Bytes of a row's scale and slack. */
const boundsBytes = 8;
/** Below every score, and above what a removed row may score. */
const lowest = -4;

/** Where the kernel finds the rows that it is to compare and the query, and leaves what it found: in the memory that nobody is given. */
const scratch = { list: 0, found: 4_096, query: 8_192 } as const;

/** Rows in ascending key order. */
export interface Chunk {
  count: number;
  /** Of the rows, those that were removed. */
  dead: number;
  /** Byte offsets in the memory: int8 rows; float32 by row. */
  packed: number;
  scales: number;
  slacks: number;
  /** The rows as they are stored, float32; `undefined` where the memory does not reach so far. */
  exact: number | undefined;
  keys: Uint32Array;
  /** Keys of the items. */
  items: Uint32Array;
}

/** Scores that are of interest. */
export interface ScoreRange {
  floor: number;
  ceiling: number;
}

/** Rows to compare: of the chunk from one to another, that excluded; or of these keys from a place on, so many at most. */
export type Step = { from: number; to: number } | { from: number; keys: KeySet; place: number; most: number };

export class PackedRows implements Holder {
  readonly #memory: VectorMemory;
  readonly #dimension: number;
  readonly #length: number;
  #chunks: Chunk[] = [];

  constructor(dimension: number, memory: VectorMemory) {
    this.#memory = memory;
    this.#dimension = dimension;
    this.#length = packedLength(dimension);
  }

  get keeps(): number {
    return this.#chunks.length * this.#memory.sizeOf(this.#packedBytes);
  }

  /** Whether so many can be held: at all, and without others losing theirs. */
  fits(total: number): { atAll: boolean; beside: boolean } {
    const bytes = Math.ceil((total + this.#dead) / chunkRows) * this.#memory.sizeOf(this.#packedBytes);
    return { atAll: bytes <= this.#memory.limit, beside: bytes <= this.#memory.roomBeside(this) };
  }

  get held(): number {
    return this.#chunks.reduce((sum, { count }) => sum + count, 0);
  }

  get #dead(): number {
    return this.#chunks.reduce((sum, { dead }) => sum + dead, 0);
  }

  /** More than a third are rows of what was removed. */
  get isSparse(): boolean {
    return this.#dead > this.held / 3;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** The key of the last row; `undefined` when there is none. */
  get lastKey(): number | undefined {
    const chunk = this.#chunks.findLast(({ count }) => count > 0);
    return chunk?.keys[chunk.count - 1];
  }

  /** The first chunk with a row above `key`. */
  chunkBehind(key: number): Chunk | undefined {
    return this.#chunks.find(({ keys, count }) => count > 0 && keys[count - 1]! > key);
  }

  /** Rows that can be appended now; 0 where the memory has no room. `urgent`: others may lose theirs. */
  room(urgent: boolean): number {
    this.#memory.touch(this);
    const last = this.#chunks.at(-1);
    if (last && last.count < chunkRows) return chunkRows - last.count;
    const packed = this.#memory.take(this, this.#packedBytes, urgent);
    if (packed === undefined) return 0;
    const scales = packed + (chunkRows + spareRows) * this.#length;
    const slacks = scales + 4 * (chunkRows + spareRows);
    this.#chunks.push({ count: 0, dead: 0, packed, scales, slacks, exact: this.#memory.takeSpare(this.#exactBytes), keys: new Uint32Array(chunkRows), items: new Uint32Array(chunkRows) });
    return chunkRows;
  }

  /** There is room for it, and its key is above all others. */
  append({ key, item, embedding }: EmbeddingRow): void {
    const chunk = this.#chunks.at(-1)!;
    const row = chunk.count++;
    const packed = new Int8Array(this.#memory.kernel.memory.buffer, chunk.packed + row * this.#length, this.#length).fill(0);
    const { scale, slack } = pack(embedding, packed);
    this.#floats(chunk.scales, chunkRows)[row] = scale;
    this.#floats(chunk.slacks, chunkRows)[row] = slack;
    this.embeddingsOf(chunk)?.set(embedding, row * this.#dimension);
    chunk.keys[row] = key;
    chunk.items[row] = item;
  }

  remove(key: number): void {
    const chunk = this.chunkBehind(key - 1);
    const row = chunk ? firstAbove(chunk.keys, chunk.count, key - 1) : 0;
    if (chunk?.keys[row] !== key) return;
    this.#floats(chunk.slacks, chunkRows)[row] = -Infinity;
    chunk.dead++;
  }

  /** Numbers of the step's rows that may score in the range, and the row to go on at. `found` is valid until the next call or turn. */
  between({ floor, ceiling }: ScoreRange, query: PackedQuery, chunk: Chunk, step: Step): { found: Uint32Array; to: number } {
    const { kernel } = this.#memory;
    const { packed, scales, slacks } = chunk;
    new Int16Array(kernel.memory.buffer, scratch.query, query.values.length).set(query.values);
    const least = Math.max(floor, lowest) - query.slack;
    const most = ceiling + query.slack;
    const found = (count: number): Uint32Array => new Uint32Array(kernel.memory.buffer, scratch.found, count);
    if ('to' in step) {
      const count = kernel.scan(packed, this.#length, scales, slacks, step.from, step.to, scratch.query, query.scale, least, most, scratch.found);
      return { found: found(count), to: step.to };
    }
    const { listed, to } = this.#list(chunk, step);
    const count = kernel.scanListed(packed, this.#length, scales, slacks, scratch.list, listed, scratch.query, query.scale, least, most, scratch.found);
    return { found: found(count), to };
  }

  /** A chunk's rows as they are stored, one behind the other. */
  embeddingsOf({ exact }: Chunk): Float32Array | undefined {
    return exact === undefined ? undefined : this.#floats(exact, chunkRows * this.#dimension);
  }

  /** Lets go of everything. */
  clear(): void {
    while (!this.isEmpty) this.giveSome();
    this.#memory.forget(this);
  }

  giveSpare(): boolean {
    const chunk = this.#chunks.findLast(({ exact }) => exact !== undefined);
    if (!chunk) return false;
    this.#memory.giveBack(chunk.exact!, this.#exactBytes);
    chunk.exact = undefined;
    return true;
  }

  /** The chunk of the highest keys. */
  giveSome(): boolean {
    const chunk = this.#chunks.pop();
    if (!chunk) return false;
    if (chunk.exact !== undefined) this.#memory.giveBack(chunk.exact, this.#exactBytes);
    this.#memory.giveBack(chunk.packed, this.#packedBytes);
    return true;
  }

  /** Puts the rows of the step's keys into the scratch's list. */
  #list({ keys, count }: Chunk, step: Extract<Step, { keys: KeySet }>): { listed: number; to: number } {
    const list = new Uint32Array(this.#memory.kernel.memory.buffer, scratch.list, step.most);
    const last = keys[count - 1]!;
    let { place, from: row } = step;
    let listed = 0;
    let key = step.keys.at(place);
    for (let seen = 0; key !== undefined && key <= last && seen < step.most; seen++) {
      row = firstAbove(keys, count, key - 1, row);
      if (keys[row] === key) list[listed++] = row;
      key = step.keys.at(++place);
    }
    return { listed, to: key === undefined || key > last ? count : firstAbove(keys, count, key - 1, row) };
  }

  get #packedBytes(): number {
    return (chunkRows + spareRows) * (this.#length + boundsBytes);
  }

  get #exactBytes(): number {
    return chunkRows * this.#dimension * 4;
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#memory.kernel.memory.buffer, at, length);
  }
}

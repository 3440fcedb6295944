/** Embeddings of one length packed in memory, 64 to a chunk: the kernel's unit. */
import { packedLength } from './packing.js';
import type { Holder, VectorMemory } from './vector-memory.js';

export const chunkRows = 64;
/** Chunks that are taken from the memory and given back together, a bit for each. */
const slabChunks = 32;
const slabRows = slabChunks * chunkRows;
/** Of a row's scale and slack. */
const boundsBytes = 8;

interface Slab {
  number: number;
  /** Byte offsets in the memory: packed chunks; the embeddings as they are stored, float32, where the memory reaches so far. */
  packed: number;
  exact: number | undefined;
  keys: Uint32Array;
  /** Keys of the items. */
  items: Uint32Array;
  chunks: (Chunk | undefined)[];
}

/** Some rows, in the order in which they came. */
export interface Chunk {
  readonly slab: Slab;
  /** The number of the cell that its rows are of. */
  readonly cell: number;
  /** Byte offset: int8 rows, then f32 scales, then f32 slacks. */
  readonly address: number;
  /** Its first row's number in the slab. */
  readonly offset: number;
  count: number;
  /** Of the rows, those that were removed. */
  dead: number;
  /** Whether all rows were put there as they are stored too. */
  isExact: boolean;
}

/** Gives chunks, and finds them again by the place of a row: a number that stays the row's own as long as it lies there. */
export class ChunkPool {
  readonly memory: VectorMemory;
  readonly dimension: number;
  /** Bytes of a packed row. */
  readonly length: number;
  readonly #holder: Holder;
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #free: Slab[] = [];

  constructor(dimension: number, memory: VectorMemory, holder: Holder) {
    this.dimension = dimension;
    this.length = packedLength(dimension);
    this.memory = memory;
    this.#holder = holder;
  }

  /** Without what is spare. */
  get bytes(): number {
    return this.#slabs.reduce((sum, slab) => sum + (slab ? this.#packedBytes : 0), 0);
  }

  /** Its share of what it is taken with. */
  get bytesOfChunk(): number {
    return this.#packedBytes / slabChunks;
  }

  /** That so many rows take at most, in so many cells. */
  bytesOf(rows: number, cells: number): number {
    return Math.ceil(rows / slabRows + cells / slabChunks) * this.#packedBytes;
  }

  /** An empty one; `undefined` where the memory has no room. `urgent`: others may lose theirs. */
  take(cell: number, urgent: boolean): Chunk | undefined {
    const slab = this.#free.at(-1) ?? this.#newSlab(urgent);
    if (!slab) return undefined;
    const at = slab.chunks.indexOf(undefined);
    const chunk = { slab, cell, address: slab.packed + at * this.#chunkBytes, offset: at * chunkRows, count: 0, dead: 0, isExact: true };
    slab.chunks[at] = chunk;
    if (!slab.chunks.includes(undefined)) this.#free.pop();
    return chunk;
  }

  /** Nobody else will look into it; scans under way may. */
  give(chunk: Chunk): void {
    this.memory.afterScans(() => {
      const { slab } = chunk;
      if (!slab.chunks.includes(undefined)) this.#free.push(slab);
      slab.chunks[chunk.offset / chunkRows] = undefined;
      if (slab.chunks.some((each) => each !== undefined)) return;
      this.#free.splice(this.#free.indexOf(slab), 1);
      this.#slabs[slab.number] = undefined;
      this.memory.giveBack(slab.packed, this.#packedBytes);
      this.#giveExact(slab);
    });
  }

  giveSpare(): boolean {
    const slab = this.#slabs.findLast((each) => each?.exact !== undefined);
    if (slab) this.#giveExact(slab);
    return slab !== undefined;
  }

  placeOf(chunk: Chunk, row: number): number {
    return chunk.slab.number * slabRows + chunk.offset + row;
  }

  /** The one in which the row of this place lies, as number `place % chunkRows`. */
  chunkAt(place: number): Chunk {
    return this.#slabs[Math.floor(place / slabRows)]!.chunks[Math.floor(place / chunkRows) % slabChunks]!;
  }

  packedRows({ address }: Chunk): Int8Array {
    return new Int8Array(this.memory.kernel.memory.buffer, address, chunkRows * this.length);
  }

  packedRow(chunk: Chunk, row: number): Int8Array {
    return new Int8Array(this.memory.kernel.memory.buffer, chunk.address + row * this.length, this.length);
  }

  /** By row: what the packed numbers are to be multiplied by, how far a score may be off. */
  scales({ address }: Chunk): Float32Array {
    return new Float32Array(this.memory.kernel.memory.buffer, address + chunkRows * this.length, chunkRows);
  }

  slacks({ address }: Chunk): Float32Array {
    return new Float32Array(this.memory.kernel.memory.buffer, address + chunkRows * (this.length + 4), chunkRows);
  }

  /** The row as it is stored, where it is in memory. */
  exact({ slab, offset, isExact }: Chunk, row: number): Float32Array | undefined {
    if (slab.exact === undefined || !isExact) return undefined;
    return new Float32Array(this.memory.kernel.memory.buffer, slab.exact + (offset + row) * this.dimension * 4, this.dimension);
  }

  #newSlab(urgent: boolean): Slab | undefined {
    const packed = this.memory.take(this.#holder, this.#packedBytes, urgent);
    if (packed === undefined) return undefined;
    const empty = this.#slabs.indexOf(undefined);
    const number = empty === -1 ? this.#slabs.length : empty;
    const slab: Slab = { number, packed, exact: this.memory.takeSpare(this.#exactBytes), keys: new Uint32Array(slabRows), items: new Uint32Array(slabRows), chunks: Array.from({ length: slabChunks }, () => undefined) };
    this.#slabs[number] = slab;
    this.#free.push(slab);
    return slab;
  }

  #giveExact(slab: Slab): void {
    if (slab.exact !== undefined) this.memory.giveBack(slab.exact, this.#exactBytes);
    slab.exact = undefined;
  }

  get #chunkBytes(): number {
    return chunkRows * (this.length + boundsBytes);
  }

  get #packedBytes(): number {
    return this.memory.sizeOf(slabChunks * this.#chunkBytes);
  }

  get #exactBytes(): number {
    return this.memory.sizeOf(slabRows * this.dimension * 4);
  }
}

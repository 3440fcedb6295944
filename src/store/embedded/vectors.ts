/** Exact comparison with stored embeddings: packed in memory as far as it reaches, from the database beyond. */
import type { Modality } from '../../domain/modality.js';
import type { EmbeddingRow, EmbeddingTable } from './embedding-table.js';
import { pack, packedLength, packQuery, type PackedQuery } from './packing.js';
import { similarity, type Ranking } from './ranking.js';
import { nextTurn, now, sliceMs } from './time-slices.js';
import type { Holder, VectorMemory } from './vector-memory.js';

const chunkRows = 2048;
/** Rows compared between two looks at the ranking's floor; fewer at first, while it rises. */
const firstStep = 64;
const mostStep = 512;
/** Embeddings up to which a scan reads the database without filling the memory. */
const smallScan = 512;
/** Bytes of a row's scale and slack. */
const boundsBytes = 8;
/** Below every score, and above what a removed row may score. */
const lowest = -4;

/** Where the kernel finds the rows that it is to compare and the query, and leaves what it found: in the memory that nobody is given. */
const scratch = { list: 0, found: 4_096, query: 8_192 } as const;

/** Rows in ascending key order. */
interface Chunk {
  count: number;
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

/** What a scan looks at: embeddings with a key above `after`, and of these `keys` alone, ascending, where they are given. */
export interface ScanScope {
  after: number;
  /** How many embeddings there are at all, and about how many of them have such a key. */
  total: number;
  expected: number;
  keys?: ReadonlySet<number>;
}

/** The embeddings of one space and modality, followed by key: what is in memory is right from `#from` up to `#through`. */
export class Vectors implements Holder {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly #modality: Modality;
  readonly #dimension: number;
  readonly #length: number;
  readonly #memory: VectorMemory;
  #chunks: Chunk[] = [];
  /** Keys above `#from`, up to `#through`. */
  #from = 0;
  #through = 0;
  #dead = 0;
  #held = 0;

  constructor(embeddings: EmbeddingTable, { space, modality, dimension }: { space: number; modality: Modality; dimension: number }, memory: VectorMemory) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.#modality = modality;
    this.#dimension = dimension;
    this.#length = packedLength(dimension);
    this.#memory = memory;
  }

  /** Whether so many can be packed in memory. */
  fits(total: number): boolean {
    return Math.ceil(total / chunkRows) * this.#packedBytes <= this.#memory.limit;
  }

  /** Offers every embedding of the scope that may come into the ranking, with its exact score. */
  async scan(query: Float32Array, ranking: Ranking, scope: ScanScope): Promise<void> {
    const { after, total, expected, keys } = scope;
    if (!this.#covers(after) && Math.min(expected, keys?.size ?? expected) <= smallScan) return this.#scanStored(query, ranking, after, keys);
    await this.#fill(after, total);
    const through = await this.#scanPacked(query, ranking, after, keys);
    return this.#scanStored(query, ranking, through, keys);
  }

  /** The key's row was removed. */
  remove(key: number): void {
    const chunk = this.#chunks.find(({ keys, count }) => keys[count - 1]! >= key);
    const row = chunk ? behind(chunk, key - 1) : 0;
    if (chunk?.keys[row] !== key) return;
    this.#floats(chunk.slacks, chunkRows)[row] = -Infinity;
    if (++this.#dead > this.#held / 3) this.clear();
  }

  /** Frees the memory; the next scan fills it again. */
  clear(): void {
    this.#memory.forget(this);
    this.letGo();
  }

  letGo(): void {
    this.#chunks = [];
    this.#from = this.#through = this.#dead = this.#held = 0;
  }

  #covers(after: number): boolean {
    return this.#chunks.length > 0 && this.#from <= after;
  }

  /** As far as the memory reaches. */
  async #fill(after: number, total: number): Promise<void> {
    if (this.#covers(after)) this.#memory.touch(this);
    else {
      this.clear();
      this.#from = this.#through = after;
    }
    let began = now();
    while (this.#makeRoom(total)) {
      const rows = this.#embeddings.after(this.#space, this.#modality, this.#through, Math.min(smallScan, chunkRows - this.#chunks.at(-1)!.count));
      if (rows.length === 0) return;
      for (const row of rows) this.#append(row);
      if (now() - began > sliceMs) {
        await nextTurn();
        if (!this.#covers(after)) return;
        began = now();
      }
    }
  }

  /** For one more row at least; false where the memory's limit does not allow it. */
  #makeRoom(total: number): boolean {
    const last = this.#chunks.at(-1);
    if (last && last.count < chunkRows) return true;
    const packedBytes = this.#packedBytes;
    const exactBytes = chunkRows * this.#dimension * 4;
    let packed = this.#memory.take(this, packedBytes);
    while (packed === undefined) {
      const given = this.#chunks.findLast(({ exact }) => exact !== undefined);
      if (!given) return false;
      this.#memory.giveBack(this, given.exact!);
      given.exact = undefined;
      packed = this.#memory.take(this, packedBytes);
    }
    const chunks = Math.max(this.#chunks.length + 1, Math.ceil(total / chunkRows));
    const exacts = this.#chunks.filter(({ exact }) => exact !== undefined).length + 1;
    const exact = chunks * packedBytes + exacts * exactBytes <= this.#memory.limit ? this.#memory.take(this, exactBytes) : undefined;
    const scales = packed + chunkRows * this.#length;
    this.#chunks.push({ count: 0, packed, scales, slacks: scales + 4 * chunkRows, exact, keys: new Uint32Array(chunkRows), items: new Uint32Array(chunkRows) });
    return true;
  }

  #append({ key, item, embedding }: EmbeddingRow): void {
    const chunk = this.#chunks.at(-1)!;
    const row = chunk.count++;
    const { buffer } = this.#memory.kernel.memory;
    const packed = new Int8Array(buffer, chunk.packed + row * this.#length, this.#length).fill(0);
    const { scale, slack } = pack(embedding, packed);
    this.#floats(chunk.scales, chunkRows)[row] = scale;
    this.#floats(chunk.slacks, chunkRows)[row] = slack;
    if (chunk.exact !== undefined) this.#floats(chunk.exact, chunkRows * this.#dimension).set(embedding, row * this.#dimension);
    chunk.keys[row] = key;
    chunk.items[row] = item;
    this.#held++;
    this.#through = key;
  }

  /** The key up to which all was compared. */
  async #scanPacked(query: Float32Array, ranking: Ranking, after: number, among?: ReadonlySet<number>): Promise<number> {
    const packed = packQuery(query);
    const wanted = among?.values();
    let next = wanted?.next().value;
    let through = after;
    let step = firstStep;
    let began = now();
    for (;;) {
      if (!this.#covers(after)) return through;
      const chunk = this.#chunks.find(({ keys, count }) => count > 0 && keys[count - 1]! > through);
      if (!chunk || (wanted && next === undefined)) return Math.max(through, this.#through);
      const from = chunk.keys[0]! > through ? 0 : behind(chunk, through);
      let to = Math.min(from + step, chunk.count);
      let found: Uint32Array;
      if (wanted) {
        const list = new Uint32Array(this.#memory.kernel.memory.buffer, scratch.list, mostStep);
        let count = 0;
        let row = from;
        for (; next !== undefined && count < step && next <= chunk.keys[chunk.count - 1]!; next = wanted.next().value) {
          if (next <= through) continue;
          row = behind(chunk, next - 1, row);
          if (chunk.keys[row] === next) list[count++] = row;
        }
        to = next === undefined || next > chunk.keys[chunk.count - 1]! ? chunk.count : behind(chunk, next - 1, row);
        found = this.#reaching(packed, ranking.floor, chunk, count);
      } else found = this.#reaching(packed, ranking.floor, chunk, { from, to });
      this.#offer(query, ranking, chunk, found);
      through = chunk.keys[to - 1]!;
      step = Math.min(2 * step, mostStep);
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  /** Rows that may score as high as `floor`: of a range, or of so many in the scratch's list. */
  #reaching(query: PackedQuery, floor: number, { packed, scales, slacks }: Chunk, rows: { from: number; to: number } | number): Uint32Array {
    const { kernel } = this.#memory;
    new Int16Array(kernel.memory.buffer, scratch.query, query.values.length).set(query.values);
    const least = Math.max(floor, lowest) - query.slack;
    const count =
      typeof rows === 'number'
        ? kernel.scanListed(packed, this.#length, scales, slacks, scratch.list, rows, scratch.query, query.scale, least, scratch.found)
        : kernel.scan(packed, this.#length, scales, slacks, rows.from, rows.to, scratch.query, query.scale, least, scratch.found);
    return new Uint32Array(kernel.memory.buffer, scratch.found, count);
  }

  #offer(query: Float32Array, ranking: Ranking, { exact, keys, items }: Chunk, rows: Uint32Array): void {
    const embeddings = exact === undefined ? undefined : this.#floats(exact, chunkRows * this.#dimension);
    for (const row of rows) {
      const key = keys[row]!;
      const score = embeddings ? similarity(query, embeddings, row * this.#dimension) : this.#storedScore(query, key);
      if (score !== undefined) ranking.offer({ key, item: items[row]!, score });
    }
  }

  #storedScore(query: Float32Array, key: number): number | undefined {
    const row = this.#embeddings.byKey(key, this.#space);
    return row && similarity(query, row.embedding);
  }

  /** What lies behind `after` and in the database alone; a few one by one, else all in order. */
  async #scanStored(query: Float32Array, ranking: Ranking, after: number, among?: ReadonlySet<number>): Promise<void> {
    const few = among && among.size <= smallScan ? [...among].filter((key) => key > after) : undefined;
    const slices = few ? [few.flatMap((key) => this.#embeddings.byKey(key, this.#space) ?? [])] : this.#slicesAfter(after);
    let began = now();
    for (const rows of slices) {
      for (const { key, item, embedding } of rows) if (!among || among.has(key)) ranking.offer({ key, item, score: similarity(query, embedding) });
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  *#slicesAfter(after: number): Generator<EmbeddingRow[]> {
    for (let from = after; ; ) {
      const rows = this.#embeddings.after(this.#space, this.#modality, from, smallScan);
      yield rows;
      if (rows.length < smallScan) return;
      from = rows.at(-1)!.key;
    }
  }

  get #packedBytes(): number {
    return chunkRows * (this.#length + boundsBytes);
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#memory.kernel.memory.buffer, at, length);
  }
}

/** The first row, from `low` on, with a key above `key`. */
function behind({ keys, count }: Chunk, key: number, low = 0): number {
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

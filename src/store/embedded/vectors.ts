/** Exact comparison with stored embeddings: from memory where they fit, else from the database. */
import type { Modality } from '../../domain/modality.js';
import type { EmbeddingRow, EmbeddingTable } from './embedding-table.js';
import { similarity, type Ranking } from './ranking.js';
import { nextTurn, now, sliceMs } from './time-slices.js';

const chunkRows = 4096;
/** Rows up to which a scan reads the database without filling the memory. */
const smallScan = 512;
/** Of a key, an id and their places, roughly. */
const rowOverheadBytes = 150;

/** Embeddings in memory, all spaces together; the one searched longest ago gives way. */
export class VectorMemory {
  readonly #limit: number;
  /** In order of use. */
  readonly #holders = new Map<Vectors, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether `holder` may hold that many bytes; others are told to let go for it. */
  grant(holder: Vectors, bytes: number): boolean {
    this.#holders.delete(holder);
    if (bytes > this.#limit) {
      holder.letGo();
      return false;
    }
    let used = bytes;
    for (const held of this.#holders.values()) used += held;
    for (const [other, held] of this.#holders) {
      if (used <= this.#limit) break;
      used -= held;
      other.letGo();
    }
    this.#holders.set(holder, bytes);
    return true;
  }

  forget(holder: Vectors): void {
    this.#holders.delete(holder);
  }
}

/** Rows in ascending key order; a removed one has the id ''. */
interface Chunk {
  count: number;
  keys: Uint32Array;
  ids: string[];
  embeddings: Float32Array;
}

/** The embeddings of one space and modality, followed by key: what is in memory is right up to `#through`. */
export class Vectors {
  readonly #embeddings: EmbeddingTable;
  readonly #space: number;
  readonly #modality: Modality;
  readonly #dimension: number;
  readonly #memory: VectorMemory;
  #chunks: Chunk[] = [];
  #through = 0;
  #dead = 0;
  #held = 0;

  constructor(embeddings: EmbeddingTable, { space, modality, dimension }: { space: number; modality: Modality; dimension: number }, memory: VectorMemory) {
    this.#embeddings = embeddings;
    this.#space = space;
    this.#modality = modality;
    this.#dimension = dimension;
    this.#memory = memory;
  }

  /**
   * Offers every embedding with a key above `after` that `accepts` lets through.
   * `expected`: about how many those are; `total`: how many there are at all.
   */
  async scan(query: Float32Array, ranking: Ranking, options: { after: number; expected: number; total: number; accepts?: (key: number) => boolean }): Promise<void> {
    const { after, expected, total, accepts } = options;
    const fits = expected > smallScan && this.#memory.grant(this, Math.max(total, this.#held) * (this.#dimension * 4 + rowOverheadBytes));
    const inMemory = fits && (await this.#catchUp());
    if (!inMemory) {
      await this.#eachAfter(after, (row) => {
        if (!accepts || accepts(row.key)) ranking.offer(row.key, row.id, similarity(query, row.embedding));
      });
      return;
    }
    for (const chunk of this.#chunks) {
      if (chunk.keys[chunk.count - 1]! <= after) continue;
      for (let row = chunk.keys[0]! > after ? 0 : behind(chunk, after); row < chunk.count; row++) {
        if (accepts && !accepts(chunk.keys[row]!)) continue;
        const score = similarity(query, chunk.embeddings, row * this.#dimension);
        if (score >= ranking.floor && chunk.ids[row] !== '') ranking.offer(chunk.keys[row]!, chunk.ids[row]!, score);
      }
    }
  }

  /** Offers those of the keys that are still there. */
  async scanKeys(query: Float32Array, ranking: Ranking, keys: Iterable<number>): Promise<void> {
    let began = now();
    for (const key of keys) {
      const row = this.#embeddings.byKey(key, this.#space);
      if (row) ranking.offer(key, row.id, similarity(query, row.embedding));
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }

  /** The key's row was removed. */
  remove(key: number): void {
    if (key > this.#through) return;
    const chunk = this.#chunks.find(({ keys, count }) => keys[count - 1]! >= key);
    const row = chunk ? behind(chunk, key - 1) : 0;
    if (chunk?.keys[row] !== key) return;
    chunk.ids[row] = '';
    if (++this.#dead > this.#held / 3) this.letGo();
  }

  /** Frees the memory; the next scan fills it again. */
  letGo(): void {
    this.#chunks = [];
    this.#through = this.#dead = this.#held = 0;
    this.#memory.forget(this);
  }

  /** False when the memory was taken away meanwhile. */
  async #catchUp(): Promise<boolean> {
    const chunks = this.#chunks;
    let began = now();
    for (;;) {
      const rows = this.#embeddings.after(this.#space, this.#modality, this.#through, smallScan);
      for (const row of rows) this.#append(row);
      if (rows.length < smallScan) return true;
      if (now() - began > sliceMs) {
        await nextTurn();
        if (this.#chunks !== chunks) return false;
        began = now();
      }
    }
  }

  #append({ key, id, embedding }: EmbeddingRow): void {
    let chunk = this.#chunks.at(-1);
    if (!chunk || chunk.count === chunkRows) {
      chunk = { count: 0, keys: new Uint32Array(chunkRows), ids: [], embeddings: new Float32Array(chunkRows * this.#dimension) };
      this.#chunks.push(chunk);
    }
    chunk.keys[chunk.count] = key;
    chunk.ids.push(id);
    chunk.embeddings.set(embedding, chunk.count * this.#dimension);
    chunk.count++;
    this.#held++;
    this.#through = key;
  }

  async #eachAfter(after: number, visit: (row: EmbeddingRow) => void): Promise<void> {
    let began = now();
    for (let from = after; ; ) {
      const rows = this.#embeddings.after(this.#space, this.#modality, from, smallScan);
      rows.forEach(visit);
      if (rows.length < smallScan) return;
      from = rows.at(-1)!.key;
      if (now() - began > sliceMs) {
        await nextTurn();
        began = now();
      }
    }
  }
}

/** The first row with a key above `key`. */
function behind({ keys, count }: Chunk, key: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

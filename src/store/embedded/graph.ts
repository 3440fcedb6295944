import hnswlib from 'hnswlib-node';

/** Each node's links; twice as many on the ground level. */
const m = 16;
const efConstruction = 200;
const seed = 42;
/**
 * The search list's least length, by nodes: recall@10 of queries that are not drawn like what is stored was 0.992 with 128
 * at 20,000 and 0.993 with 512 at 100,000, a power of about 0.86 of the nodes. Where it ends, so does what a search may cost.
 */
const leastEf = (nodes: number): number => Math.min(1024, Math.max(128, Math.ceil(128 * (nodes / 20_000) ** 0.86)));
const firstCapacity = 1024;
const growth = 1.5;

/**
 * One HNSW graph over normalised embeddings, distance = 1 - cosine.
 *
 * Keys are added in ascending order, so `through`, the last one, says what the graph has seen:
 * every stored item with a key up to it is in the graph, and none above.
 */
export class Graph {
  readonly dimension: number;
  readonly #index: hnswlib.HierarchicalNSW;
  through = 0;
  /** Nodes, dead ones included. */
  count = 0;
  dead = 0;
  /** Additions and deletions since it was last saved. */
  changes = 0;

  private constructor(dimension: number, index: hnswlib.HierarchicalNSW) {
    this.dimension = dimension;
    this.#index = index;
  }

  static empty(dimension: number): Graph {
    const index = new hnswlib.HierarchicalNSW('ip', dimension);
    index.initIndex({ maxElements: firstCapacity, m, efConstruction, randomSeed: seed });
    return new Graph(dimension, index);
  }

  /**
   * Reads a file that `write` wrote, whose contents must have been checked: the library ends the process on others.
   * `storedKeys`, ascending, are asked for once it is read: nodes that are not among them are dead.
   * Rejects when a stored key below the last is missing from it.
   */
  static async read(file: string, dimension: number, storedKeys: () => number[]): Promise<Graph> {
    const index = new hnswlib.HierarchicalNSW('ip', dimension);
    await index.readIndex(file);
    const graph = new Graph(dimension, index);
    const inGraph = new Set(index.getIdsList());
    graph.count = inGraph.size;
    for (const key of inGraph) graph.through = Math.max(graph.through, key);
    let alive = 0;
    for (const key of storedKeys()) {
      if (key > graph.through) break;
      if (!inGraph.delete(key)) throw new Error(`It lacks key ${key}.`);
      alive++;
    }
    for (const key of inGraph) graph.#markDead(key);
    graph.dead = graph.count - alive;
    return graph;
  }

  get alive(): number {
    return this.count - this.dead;
  }

  /** `key` is above `through`. */
  add(key: number, embedding: Float32Array): void {
    const capacity = this.#index.getMaxElements();
    if (this.count === capacity) this.#index.resizeIndex(Math.ceil(capacity * growth));
    this.#index.addPoint(Array.from(embedding), key);
    this.through = key;
    this.count++;
    this.changes++;
  }

  /** `key` was among the stored ones until now. */
  remove(key: number): void {
    if (key > this.through) return;
    this.#markDead(key);
    this.dead++;
    this.changes++;
  }

  /** The search list's length for a page of ten. */
  efSearch(effort: number): number {
    return effort * leastEf(this.count);
  }

  /** Keys of about the `k` nearest, nearest first, with so many times the usual search list; fewer when the graph has no more that `accepts` lets through or that it can reach. */
  nearest(query: Float32Array, k: number, { accepts, effort = 1 }: { accepts?: ((key: number) => boolean) | undefined; effort?: number } = {}): number[] {
    const wanted = Math.min(k, this.count);
    if (wanted === 0) return [];
    this.#index.setEf(Math.max(this.efSearch(effort), 2 * wanted));
    return this.#index.searchKnn(Array.from(query), wanted, accepts).neighbors;
  }

  /** Nothing may be added until it resolves; searches may go on. */
  async write(file: string): Promise<void> {
    await this.#index.writeIndex(file);
  }

  #markDead(key: number): void {
    try {
      this.#index.markDelete(key);
    } catch {
      // Dead already, or not there: the same to every search.
    }
  }
}

const headerBytes = 96;
const labelBytes = 8;
const linkBytes = 4;

/** Whether the beginning of a saved graph fits the dimension and node count, and the file is long enough for them. */
export function headerFits(header: Buffer, fileBytes: number, dimension: number, count: number): boolean {
  if (header.length < headerBytes) return false;
  const nodeBytes = linkBytes + 2 * m * linkBytes + dimension * 4 + labelBytes;
  return (
    Number(header.readBigUInt64LE(16)) === count &&
    Number(header.readBigUInt64LE(24)) === nodeBytes &&
    Number(header.readBigUInt64LE(72)) === m &&
    fileBytes >= headerBytes + count * (nodeBytes + linkBytes)
  );
}
export const headerLength = headerBytes;

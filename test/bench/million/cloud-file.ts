import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { NewItem } from '../../../src/contract/items.js';
import { ShiftedCloud } from '../shifted-cloud.js';

const perWrite = 1_000;
const categories = 50;
const days = 3_650;
const firstDay = Date.UTC(2015, 0, 1);
const dayMs = 86_400_000;
/** Multiples of it, without their whole parts, fill 0 to 1 evenly, and know nothing of the embeddings. */
const golden = (Math.sqrt(5) - 1) / 2;

/** Embeddings of pictures in a file, for more than memory should hold twice. */
export class CloudFile {
  readonly #file: FileHandle;
  readonly #cloud: ShiftedCloud;
  readonly #groups: Uint8Array;
  readonly #draws: Float64Array;
  /** Of each category, the share of it and those before it. */
  readonly #upTo: number[] = [];
  readonly dimension: number;

  private constructor(file: FileHandle, dimension: number, count: number) {
    this.#file = file;
    this.#cloud = new ShiftedCloud({ dimension, seed: 1 });
    this.#groups = new Uint8Array(count);
    this.#draws = new Float64Array(count);
    this.dimension = dimension;
    const all = Array.from({ length: categories }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b);
    for (let rank = 0; rank < categories; rank++) this.#upTo.push((this.#upTo.at(-1) ?? 0) + 1 / (rank + 1) / all);
  }

  /** `wrote` is told how many there are so far. */
  static async write(folder: string, dimension: number, count: number, wrote: (rows: number) => void): Promise<CloudFile> {
    const file = new CloudFile(await open(path.join(folder, 'embeddings.f32'), 'w+'), dimension, count);
    for (let first = 0; first < count; first += perWrite) {
      const part = new Float32Array(Math.min(perWrite, count - first) * dimension);
      for (let i = 0; i * dimension < part.length; i++) {
        const { embedding, group, draw } = file.#cloud.item();
        part.set(embedding, i * dimension);
        file.#groups[first + i] = group;
        file.#draws[first + i] = draw;
      }
      await file.#file.write(new Uint8Array(part.buffer), 0, part.byteLength, first * dimension * 4);
      wrote(Math.min(count, first + perWrite));
    }
    return file;
  }

  /** Called after all items are made: the queries are others then. */
  textQueries(count: number): number[][] {
    return Array.from({ length: count }, () => Array.from(this.#cloud.textQuery()));
  }

  async items(first: number, count: number): Promise<NewItem[]> {
    const size = this.dimension * 4;
    const bytes = Buffer.alloc(Math.min(count, this.#groups.length - first) * size);
    await this.#file.read(bytes, 0, bytes.length, first * size);
    return Array.from({ length: bytes.length / size }, (_, i) => ({ id: String(first + i), modality: 'image', embedding: bytes.toString('base64', i * size, (i + 1) * size), metadata: this.#metadata(first + i) }));
  }

  async embedding(row: number): Promise<number[]> {
    const bytes = new Uint8Array(this.dimension * 4);
    await this.#file.read(bytes, 0, bytes.length, row * bytes.length);
    return Array.from(new Float32Array(bytes.buffer));
  }

  /** The group that is nearest to a tenth of all, and its share. */
  groupOfATenth(): { group: number; share: number } {
    const counts = new Map<number, number>();
    for (const group of this.#groups) counts.set(group, (counts.get(group) ?? 0) + 1);
    const shares = [...counts].map(([group, count]) => ({ group, share: count / this.#groups.length }));
    return shares.sort((a, b) => Math.abs(a.share - 0.1) - Math.abs(b.share - 0.1))[0]!;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #metadata(row: number): Record<string, unknown> {
    const even = (row * golden) % 1;
    const category = this.#upTo.findIndex((upTo) => even < upTo);
    const day = Math.floor(((row * golden * golden) % 1) * days);
    return { group: this.#groups[row], draw: this.#draws[row], category: `category ${category === -1 ? categories - 1 : category}`, date: new Date(firstDay + day * dayMs).toISOString().slice(0, 10) };
  }
}

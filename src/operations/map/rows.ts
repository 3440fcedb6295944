/** Embeddings in the memory of the compiled kernels/products.ts, where they are compared many at once. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pageBytes, WebAssembly } from '../../web-assembly.js';

/** The addresses are byte offsets in `memory`. */
interface Exports {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  products(a: number, rows: number, b: number, others: number, length: number, out: number): void;
  productsAt(row: number, rows: number, list: number, count: number, length: number, out: number): void;
}

/** Built by `npm run build`; the source runs beside it too. */
const file = fileURLToPath(new URL('../../../dist/operations/map/products.wasm', import.meta.url));

/** Rows of a block. */
export const blockRows = 64;
/** Rows that are compared with one at once. */
export const mostListed = 4_096;

/** Rows of float32 by their place, from 0; behind them room for some that are brought together from anywhere. */
export class Rows {
  /** How many are there; fewer than there is room for once some were not found. */
  count: number;
  readonly dimension: number;
  /** The place of the first of those that were gathered. */
  readonly gathered: number;
  /** Padded. */
  readonly #length: number;
  readonly #run: Exports;
  readonly #begin: number;
  readonly #values: Float32Array;
  readonly #list: Uint32Array;
  readonly #products: Float32Array;

  /** `gathered`: the most that are brought together. @throws RangeError where there is not so much memory. */
  constructor({ count, dimension, gathered = blockRows }: { count: number; dimension: number; gathered?: number }) {
    this.count = count;
    this.dimension = dimension;
    this.#length = Math.ceil(dimension / 4) * 4;
    // A last block may reach beyond its last row.
    this.gathered = count + blockRows;
    const places = this.gathered + gathered + blockRows;
    const productNumbers = Math.max(mostListed, blockRows ** 2);
    this.#run = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as Exports;
    const { memory } = this.#run;
    const list = memory.buffer.byteLength;
    const products = list + 4 * mostListed;
    this.#begin = products + 4 * productNumbers;
    memory.grow(Math.ceil((this.#begin + 4 * this.#length * places - list) / pageBytes));
    this.#list = new Uint32Array(memory.buffer, list, mostListed);
    this.#products = new Float32Array(memory.buffer, products, productNumbers);
    this.#values = new Float32Array(memory.buffer, this.#begin, this.#length * places);
  }

  /** A view. */
  row(place: number): Float32Array {
    return this.#values.subarray(place * this.#length, place * this.#length + this.dimension);
  }

  /** Copies of these, one behind the other from the place `gathered` on. */
  gather(places: Uint32Array): void {
    const length = this.#length;
    places.forEach((place, i) => this.#values.copyWithin((this.gathered + i) * length, place * length, (place + 1) * length));
  }

  /** Of the 64 rows from place `a` on with the 64 from `b` on: lines of 64. A view, until the next call; of no meaning beyond the last row. */
  block(a: number, b: number): Float32Array {
    this.#run.products(this.#at(a), blockRows, this.#at(b), blockRows, this.#length, this.#products.byteOffset);
    return this.#products;
  }

  /** Of one with each of at most 4,096 others. A view, until the next call. */
  with(place: number, others: Uint32Array): Float32Array {
    const filled = Math.ceil(others.length / 4) * 4;
    this.#list.set(others);
    this.#list.fill(place, others.length, filled);
    this.#run.productsAt(this.#at(place), this.#begin, this.#list.byteOffset, filled, this.#length, this.#products.byteOffset);
    return this.#products;
  }

  #at(place: number): number {
    return this.#begin + 4 * this.#length * place;
  }
}

/** The memory that packed embeddings of all spaces lie in, where the kernel scans them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pageBytes, WebAssembly } from '../../../web-assembly.js';

/** What kernels/scan.ts exports; addresses are byte offsets in `memory`. */
interface Kernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  scanChunks(list: number, count: number, length: number, query: number, queryScale: number, floor: number, ceiling: number, out: number): number;
  scanListed(list: number, count: number, length: number, query: number, queryScale: number, floor: number, ceiling: number, out: number): number;
  scores(rows: number, scales: number, count: number, length: number, query: number, queryScale: number, out: number): void;
  greatest(values: number, count: number): number;
  pack(values: number, length: number, row: number, bounds: number): void;
  widen(row: number, length: number, query: number): void;
}

/** Built by `npm run build`; the source runs beside it too. */
const file = fileURLToPath(new URL('../../../../dist/store/embedded/scan.wasm', import.meta.url));

/** Most dimensions of a query, pairs in a list, scores that are written at once. */
export const scratchLimits = { dimensions: 65_536, listed: 1_024, scores: 8_192 } as const;
/** At the beginning of the memory, for whoever computes, until its next turn: addresses. */
export const scratch = { list: 0, found: 8_192, query: 12_288, row: 143_360, scores: 208_896, bounds: 241_664, embedding: 241_680 } as const;
const scratchPages = 8;
const mostGrowth = 64 * 2 ** 20;
/** WebAssembly's addresses have 32 bits. */
const mostBytes = 2 ** 32;

/** Whoever holds some of the memory. It gives back, when it is asked to, by `giveBack`. */
export interface Holder {
  /** Bytes that it does not give as spare. */
  readonly keeps: number;
  /** Gives back some of what it could do without, slower; false when there is none. */
  giveSpare(): boolean;
  /** Gives back some of the rest, once no scan looks into it any more: so many bytes; 0 when there is none. */
  giveSome(): number;
}

interface Run {
  at: number;
  bytes: number;
}

/** Gives memory in whole pages, up to a limit; what was used longest ago gives way. It may grow beyond the limit where what is free lies in pieces. */
export class VectorMemory {
  readonly kernel: Kernel;
  readonly limit: number;
  /** In order of use. */
  readonly #holders = new Set<Holder>();
  /** Free stretches, by address, no two of them side by side. */
  #free: Run[] = [];
  #used = 0;
  /** Scans under way, by number, the oldest first; and what is to be done once those before it have ended. */
  readonly #scans = new Set<number>();
  #lastScan = 0;
  #afterwards: { scan: number; work: () => void }[] = [];

  /** `limit`: bytes. */
  constructor(limit: number) {
    this.limit = Math.min(limit, mostBytes - scratchPages * pageBytes);
    this.kernel = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as Kernel;
    this.kernel.memory.grow(scratchPages - 1);
  }

  /** Packs an embedding into the row in the scratch, padded to the length; see the kernel. */
  pack(embedding: Float32Array, length: number): { scale: number; slack: number } {
    const { buffer } = this.kernel.memory;
    const values = new Float32Array(buffer, scratch.embedding, length);
    values.set(embedding);
    values.fill(0, embedding.length);
    this.kernel.pack(scratch.embedding, length, scratch.row, scratch.bounds);
    const [scale, slack] = new Float32Array(buffer, scratch.bounds, 2);
    return { scale: scale!, slack: slack! };
  }

  /** Bytes that so many take. */
  sizeOf(bytes: number): number {
    return Math.ceil(bytes / pageBytes) * pageBytes;
  }

  /** Bytes that one may have without anybody losing what is not spare. */
  roomBeside(holder: Holder): number {
    let room = this.limit;
    for (const other of this.#holders) if (other !== holder) room -= other.keeps;
    return room;
  }

  /** From now on the others give way first. */
  touch(holder: Holder): void {
    this.#holders.delete(holder);
    this.#holders.add(holder);
  }

  forget(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /**
   * The address of so many bytes, whatever is in them; `undefined` where there is no room. For it what others can do
   * without gives way; with `urgent` what they hold does. Views of the memory that were made before are void.
   */
  take(holder: Holder, bytes: number, urgent: boolean): number | undefined {
    const size = this.sizeOf(bytes);
    if (size > this.limit) return undefined;
    const others = [...this.#holders].filter((each) => each !== holder);
    let given = 0;
    while (this.#used + size > this.limit) {
      if (others.some((each) => each.giveSpare()) || holder.giveSpare()) continue;
      // What scans under way look into comes back later: no more is to be given for that.
      const gave = urgent && (given < size || this.#scans.size === 0) ? firstGiven(others) : 0;
      if (gave === 0) return undefined;
      given += gave;
    }
    return this.#place(size);
  }

  /** The same of room that nobody has. */
  takeSpare(bytes: number): number | undefined {
    const size = this.sizeOf(bytes);
    return this.#used + size > this.limit ? undefined : this.#place(size);
  }

  /** Runs a scan that lets others have their turn meanwhile: what it reads stays where it is. */
  async during<T>(scan: () => Promise<T>): Promise<T> {
    const number = ++this.#lastScan;
    this.#scans.add(number);
    try {
      return await scan();
    } finally {
      this.#scans.delete(number);
      const [oldest = Infinity] = this.#scans;
      const due = this.#afterwards.filter((each) => each.scan < oldest);
      this.#afterwards = this.#afterwards.filter((each) => each.scan >= oldest);
      for (const { work } of due) work();
    }
  }

  /** Once no scan that is under way now can come across it any more. */
  afterScans(work: () => void): void {
    if (this.#scans.size === 0) work();
    else this.#afterwards.push({ scan: this.#lastScan, work });
  }

  giveBack(at: number, bytes: number): void {
    const size = this.sizeOf(bytes);
    this.#used -= size;
    this.#setFree({ at, bytes: size });
  }

  #setFree(run: Run): void {
    const behind = this.#free.findIndex(({ at }) => at > run.at);
    this.#free.splice(behind === -1 ? this.#free.length : behind, 0, run);
    this.#free = this.#free.reduce<Run[]>((joined, each) => {
      const last = joined.at(-1);
      if (last && last.at + last.bytes === each.at) last.bytes += each.bytes;
      else joined.push(each);
      return joined;
    }, []);
  }

  #place(size: number): number | undefined {
    const find = (): Run | undefined => this.#free.find(({ bytes }) => bytes >= size);
    const free = find() ?? (this.#grow(Math.max(size, Math.min(mostGrowth, this.sizeOf(this.#used / 8)))) || this.#grow(size) ? find() : undefined);
    if (!free) return undefined;
    const { at } = free;
    free.at += size;
    free.bytes -= size;
    if (free.bytes === 0) this.#free.splice(this.#free.indexOf(free), 1);
    this.#used += size;
    return at;
  }

  /** What nobody writes to takes no memory yet; each time it grows, though, a garbage collection may follow. */
  #grow(bytes: number): boolean {
    try {
      this.#setFree({ at: this.kernel.memory.grow(bytes / pageBytes) * pageBytes, bytes });
      return true;
    } catch (error) {
      // The machine has no more, or addresses end.
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
}

/** The bytes that the first one gives that has some. */
function firstGiven(holders: Holder[]): number {
  for (const each of holders) {
    const bytes = each.giveSome();
    if (bytes > 0) return bytes;
  }
  return 0;
}

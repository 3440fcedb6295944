/** The memory that packed embeddings of all spaces lie in, where the kernel scans them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { WebAssembly } from '../../web-assembly.js';

/** What kernels/scan.ts exports; addresses are byte offsets in `memory`. */
interface Kernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  scan(rows: number, length: number, scales: number, slacks: number, from: number, to: number, query: number, queryScale: number, floor: number, out: number): number;
  scanListed(rows: number, length: number, scales: number, slacks: number, list: number, count: number, query: number, queryScale: number, floor: number, out: number): number;
}

/** Built by `npm run build`; the source runs beside it too. */
const file = fileURLToPath(new URL('../../../dist/store/embedded/scan.wasm', import.meta.url));
const pageBytes = 65_536;
/** At the beginning, for whoever scans: a query of 65,536 dimensions, and some rows' numbers. */
const scratchPages = 3;
/** WebAssembly's addresses have 32 bits. */
const mostBytes = 2 ** 32;

/** Whoever holds some of the memory. */
export interface Holder {
  /** Its memory is wanted for another: everything it was given has gone. */
  letGo(): void;
}

interface Run {
  at: number;
  bytes: number;
}

/** Gives memory in whole pages, up to a limit; the holder that was used longest ago gives way to who has none. */
export class VectorMemory {
  readonly kernel: Kernel;
  readonly #limit: number;
  /** What each holds, in order of use. */
  readonly #holders = new Map<Holder, Run[]>();
  /** Free stretches between given ones, by address. */
  #free: Run[] = [];
  #used = 0;

  /** `limit`: bytes. */
  constructor(limit: number) {
    this.#limit = Math.min(limit, mostBytes - scratchPages * pageBytes);
    this.kernel = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports as Kernel;
    this.kernel.memory.grow(scratchPages - 1);
  }

  get limit(): number {
    return this.#limit;
  }

  /** From now on the others go first. */
  touch(holder: Holder): void {
    const runs = this.#holders.get(holder);
    if (!runs) return;
    this.#holders.delete(holder);
    this.#holders.set(holder, runs);
  }

  /** The address of so many bytes, whatever is in them; `undefined` where the limit leaves no more for one holder. Views of the memory that were made before are void. */
  take(holder: Holder, bytes: number): number | undefined {
    const size = Math.ceil(bytes / pageBytes) * pageBytes;
    while (this.#used + size > this.#limit) {
      const other = [...this.#holders.keys()].find((each) => each !== holder);
      if (!other) return undefined;
      this.#giveBackAll(other);
      other.letGo();
    }
    const at = this.#place(size);
    this.#used += size;
    const runs = this.#holders.get(holder) ?? [];
    runs.push({ at, bytes: size });
    this.#holders.delete(holder);
    this.#holders.set(holder, runs);
    return at;
  }

  giveBack(holder: Holder, at: number): void {
    const runs = this.#holders.get(holder)!;
    const [run] = runs.splice(
      runs.findIndex((each) => each.at === at),
      1,
    );
    this.#release(run!);
  }

  /** Of a holder that has let go by itself. */
  forget(holder: Holder): void {
    this.#giveBackAll(holder);
  }

  #giveBackAll(holder: Holder): void {
    for (const run of this.#holders.get(holder) ?? []) this.#release(run);
    this.#holders.delete(holder);
  }

  #place(size: number): number {
    const free = this.#free.find(({ bytes }) => bytes >= size);
    if (!free) return this.kernel.memory.grow(size / pageBytes) * pageBytes;
    const { at } = free;
    free.at += size;
    free.bytes -= size;
    if (free.bytes === 0) this.#free.splice(this.#free.indexOf(free), 1);
    return at;
  }

  #release({ at, bytes }: Run): void {
    this.#used -= bytes;
    const behind = this.#free.findIndex((run) => run.at > at);
    this.#free.splice(behind === -1 ? this.#free.length : behind, 0, { at, bytes });
    this.#free = this.#free.reduce<Run[]>((joined, run) => {
      const last = joined.at(-1);
      if (last && last.at + last.bytes === run.at) last.bytes += run.bytes;
      else joined.push(run);
      return joined;
    }, []);
  }
}

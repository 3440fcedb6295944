/** The compiled kernels/resize.ts, and the memory it works in. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pageBytes, WebAssembly } from '../../web-assembly.js';

/** What kernels/resize.ts exports; the addresses are byte offsets in `memory`. */
interface Exports {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  narrowRgb(source: number, pitch: number, firsts: number, weights: number, groups: number, width: number, out: number, outPitch: number): void;
  narrowGrey(source: number, firsts: number, weights: number, groups: number, width: number, out: number): void;
  mixRows(source: number, pitch: number, weights: number, pairs: number, length: number, out: number): void;
}

/** Built by `npm run build`; the source runs beside it too. */
const file = fileURLToPath(new URL('../../../dist/encoder/picture/resize.wasm', import.meta.url));
/** A memory never shrinks: one that grew beyond this goes with the picture that needed it. */
const keptBytes = 16 * 2 ** 20;

let compiled: object | undefined;
let idle: Kernels | undefined;

/** This thread's idle ones, or others. Whoever never returns them costs nothing but memory, until it is collected. */
export function takeKernels(): Kernels {
  const kernels = idle ?? new Kernels();
  idle = undefined;
  return kernels;
}

export function returnKernels(kernels: Kernels): void {
  kernels.clear();
  if (kernels.run.memory.buffer.byteLength <= keptBytes) idle = kernels;
}

export class Kernels {
  readonly run: Exports;
  #used = 0;

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(file));
    this.run = new WebAssembly.Instance(compiled).exports as Exports;
  }

  /** Address of `bytes` bytes, with whatever lies in them, aligned to 64. Views of the memory taken before are void. */
  reserve(bytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(bytes / 64) * 64;
    const missing = this.#used - this.run.memory.buffer.byteLength;
    if (missing > 0) this.run.memory.grow(Math.ceil(missing / pageBytes));
    return at;
  }

  clear(): void {
    this.#used = 0;
  }
}

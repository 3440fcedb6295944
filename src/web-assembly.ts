/** The part of WebAssembly used here: its types stand in the browser's library, which the rest of the service must not see. */
interface WebAssemblyPart {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports?: object) => { exports: unknown };
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyPart };

/** What its memories grow by. */
export const pageBytes = 65_536;

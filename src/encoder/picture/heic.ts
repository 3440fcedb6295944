/**
 * HEIC: HEVC in HEIF, what phones make. Decoded by libheif and libde265 as the package libheif-js carries them, in
 * WebAssembly; loaded with a thread's first one. Its .wasm file stays a file of its own, which may be replaced.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { WebAssembly } from '../../web-assembly.js';

/** Samples as decoded: upright, since the decoder turns and mirrors as the container says. */
export interface HeicSamples {
  pixels: Uint8Array;
  width: number;
  height: number;
  channels: 3 | 4;
}

interface HeifError {
  code: { value: number };
  message: string;
}

interface HeifImage {
  image: object;
  channels: { data: Uint8Array; stride: number; width: number; height: number }[];
}

/** What is used of libheif's JavaScript interface. */
interface Libheif {
  HEAPU8: Uint8Array;
  heif_colorspace_RGB: object;
  heif_chroma_interleaved_RGB: object;
  heif_chroma_interleaved_RGBA: object;
  heif_context_alloc(): object;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): HeifError;
  heif_js_context_get_primary_image_handle(context: object): object | HeifError;
  heif_image_handle_has_alpha_channel(handle: object): number;
  heif_js_decode_image2(handle: object, colorspace: object, chroma: object): HeifImage | HeifError;
  heif_image_release(image: object): void;
  heif_image_handle_release(handle: object): void;
  heif_context_free(context: object): void;
}

interface LibheifOptions {
  instantiateWasm(imports: object, receive: (instance: object) => void): object;
  print(): void;
  printErr(): void;
}

/** A memory never shrinks: a decoder that grew beyond this goes with the picture that needed it. */
const keptBytes = 64 * 2 ** 20;

const require = createRequire(import.meta.url);
let compiled: object | undefined;
let idle: Libheif | undefined;

/** The primary picture. Throws an Error with the decoder's sentence. */
export function decodeHeic(bytes: Uint8Array): HeicSamples {
  const libheif = idle ?? start();
  // Until this has ended well: nobody knows what state a failure leaves behind.
  idle = undefined;
  const context = libheif.heif_context_alloc();
  checked(libheif.heif_context_read_from_memory(context, bytes));
  const handle = checked(libheif.heif_js_context_get_primary_image_handle(context));
  const channels = libheif.heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
  const chroma = channels === 4 ? libheif.heif_chroma_interleaved_RGBA : libheif.heif_chroma_interleaved_RGB;
  const { image, channels: planes } = checked<HeifImage>(libheif.heif_js_decode_image2(handle, libheif.heif_colorspace_RGB, chroma));
  const [plane] = planes;
  if (!plane) throw new Error('The decoder gave no picture');
  const { width, height, stride, data } = plane;
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) pixels.set(data.subarray(y * stride, y * stride + width * channels), y * width * channels);
  libheif.heif_image_release(image);
  libheif.heif_image_handle_release(handle);
  libheif.heif_context_free(context);
  if (libheif.HEAPU8.length <= keptBytes) idle = libheif;
  return { pixels, width, height, channels };
}

function start(): Libheif {
  const open = require('libheif-js/libheif-wasm/libheif.js') as (options: LibheifOptions) => Libheif;
  const module = (compiled ??= new WebAssembly.Module(readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'))));
  return open({
    instantiateWasm: (imports, receive) => {
      const instance = new WebAssembly.Instance(module, imports);
      receive(instance);
      return instance.exports as object;
    },
    print: () => undefined,
    printErr: () => undefined,
  });
}

function checked<T extends object>(answer: T | HeifError): T {
  if ('code' in answer && answer.code.value !== 0) throw new Error(answer.message.trim());
  return answer as T;
}

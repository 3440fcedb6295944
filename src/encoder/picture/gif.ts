/**
 * The first frame of a GIF (GIF89a), decoded as the reference does it: what the frame leaves open of the canvas is color
 * 0 or, where one is transparent, transparent; a canvas that is too small grows; codes that cannot be, and data that end
 * before the last row, are damage. libvips fills the rest instead, and paints what is open black.
 */
import { damaged } from './media-type.js';
import { unpack } from './gif-codes.js';
import type { Strip } from './samples.js';

export interface Gif {
  width: number;
  height: number;
  frame: { left: number; top: number; width: number; height: number };
  isInterlaced: boolean;
  /** 3 bytes a color. */
  palette: Uint8Array;
  /** The one color that is not there. */
  transparent: number | undefined;
  /** Where the packed indices begin, with the bits of a code less one. */
  at: number;
}

const screenBytes = 13;
const descriptorBytes = 9;
const block = { extension: 0x21, image: 0x2c, end: 0x3b } as const;
const graphicControl = 0xf9;

/** @throws MixspaceError `damaged_media`: there is no frame in it. */
export function readGif(bytes: Uint8Array): Gif {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < screenBytes) throw cut();
  let palette: Uint8Array = greys;
  let at = screenBytes;
  const flags = file[10]!;
  if (flags & 0x80) {
    palette = paletteAt(file, at, flags);
    at += paletteBytes(flags);
  }
  let transparent: number | undefined;
  for (; at < file.length; ) {
    const kind = file[at++]!;
    if (kind === block.end) break;
    if (kind === block.extension) {
      const label = file[at++];
      if (label === graphicControl && (file[at] ?? 0) >= 4 && (file[at + 1] ?? 0) & 1) transparent = file[at + 4];
      at = behindBlocks(file, at);
    } else if (kind === block.image) {
      if (at + descriptorBytes > file.length) throw cut();
      const [left, top, width, height] = [0, 2, 4, 6].map((place) => file.readUInt16LE(at + place)) as [number, number, number, number];
      const local = file[at + 8]!;
      at += descriptorBytes;
      if (local & 0x80) {
        palette = paletteAt(file, at, local);
        at += paletteBytes(local);
      }
      if (width === 0 || height === 0) throw damaged('The GIF is broken: its first frame has no pixels.');
      if (at >= file.length) throw cut();
      return {
        width: Math.max(file.readUInt16LE(6), left + width),
        height: Math.max(file.readUInt16LE(8), top + height),
        frame: { left, top, width, height },
        isInterlaced: (local & 0x40) !== 0,
        palette,
        transparent,
        at,
      };
    }
  }
  throw cut();
}

/** Without any palette, indices are greys. */
const greys = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));

const paletteBytes = (flags: number): number => 3 << ((flags & 7) + 1);

/** Indices that it does not name are black. */
function paletteAt(file: Buffer, at: number, flags: number): Uint8Array {
  if (at + paletteBytes(flags) > file.length) throw cut();
  const palette = new Uint8Array(256 * 3);
  palette.set(file.subarray(at, at + paletteBytes(flags)));
  return palette;
}

function behindBlocks(file: Buffer, at: number): number {
  for (; at < file.length; at += 1 + file[at]!) if (file[at] === 0) return at + 1;
  return at;
}

const cut = () => damaged('The GIF is truncated: its end is missing.');

/** RGB of some whole rows of the canvas, transparency on white. @throws MixspaceError `damaged_media` */
export function decodeGif(bytes: Uint8Array, gif: Gif, { top, height }: Strip): Uint8Array {
  const { frame, palette, transparent, width } = gif;
  const indices = new Uint8Array(frame.width * frame.height);
  const outcome = unpack(bytes, gif.at, indices);
  if (outcome === 'cut') throw cut();
  if (outcome === 'broken') throw damaged('The GIF is broken: the data of its first frame are damaged.');
  const colors = palette.slice();
  if (transparent !== undefined) colors.fill(255, transparent * 3, transparent * 3 + 3);
  const out = new Uint8Array(width * height * 3);
  const ground = colors.subarray((transparent ?? 0) * 3, (transparent ?? 0) * 3 + 3);
  if (frame.width < width || frame.height < gif.height) for (let i = 0; i < out.length; i++) out[i] = ground[i % 3]!;
  for (let row = 0; row < frame.height; row++) {
    const y = frame.top + (gif.isInterlaced ? interlacedRow(row, frame.height) : row) - top;
    if (y < 0 || y >= height) continue;
    for (let x = 0, from = row * frame.width, to = (y * width + frame.left) * 3; x < frame.width; x++, from++, to += 3) {
      const color = indices[from]! * 3;
      out[to] = colors[color]!;
      out[to + 1] = colors[color + 1]!;
      out[to + 2] = colors[color + 2]!;
    }
  }
  return out;
}

/** Every eighth row from 0 and from 4, every fourth from 2, every second from 1 (GIF89a, appendix E). */
function interlacedRow(row: number, height: number): number {
  let left = row;
  for (const [first, step] of [[0, 8], [4, 8], [2, 4], [1, 2]] as const) {
    const rows = Math.max(0, Math.ceil((height - first) / step));
    if (left < rows) return first + left * step;
    left -= rows;
  }
  return height - 1;
}

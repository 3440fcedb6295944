/**
 * The JPEG that a camera puts into its raw file for its own screen: most are directories of a TIFF (DNG, CR2, NEF, ARW,
 * PEF, SRW, ORF, RW2), Canon's CR3 is an ISO base media file, Fujifilm's RAF tells where it lies. Raw samples are not developed.
 */
import { MixspaceError } from '../../errors.js';
import { asOrientation } from './exif-orientation.js';
import { boxAt, boxesIn } from './iso-boxes.js';
import { jpegPixels } from './jpeg-markers.js';
import type { RawMediaType } from './media-type.js';
import type { Orientation } from './resize.js';
import { TiffDirectory } from './tiff-directory.js';

export interface RawFile {
  mediaType: RawMediaType;
  /** A whole JPEG, the largest that was found. */
  preview: Uint8Array;
  /** What the raw file says of itself; the preview often says nothing. */
  orientation: Orientation | undefined;
}

const tag = { compression: 259, photometric: 262, stripOffsets: 273, orientation: 274, stripBytes: 279, directories: 330, jpegAt: 513, jpegBytes: 514, panasonicJpeg: 0x2e, dngVersion: 50706 };

/** Photometric interpretations of raw samples (DNG 1.7): a mosaic, and one that was taken apart. */
const rawSamples = [32803, 34892];
/** Compressions that only cameras use: Nikon's, Sony's, Pentax's, Samsung's. */
const rawCompressions = [34713, 32767, 65535, 32769, 32770, 32772];
const jpegCompressions = [6, 7];

const mostDirectories = 16;

/** Undefined for whatever is no raw file. @throws MixspaceError `unsupported_media`: it is one, and holds no preview that is read. */
export function readRaw(bytes: Uint8Array): RawFile | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = file.toString('latin1', 0, 16);
  const found = head === 'FUJIFILMCCD-RAW ' ? fujifilm(file) : head.startsWith('ftypcrx ', 4) ? canon(file) : /^(II|MM)/.test(head) ? directories(file, head) : undefined;
  if (found === undefined) return undefined;
  const { mediaType, orientation, candidates } = found;
  const [best] = candidates.map((preview) => ({ preview, pixels: jpegPixels(preview) })).sort((a, b) => b.pixels - a.pixels);
  if (best === undefined || best.pixels === 0) {
    throw new MixspaceError('unsupported_media', "The file is a camera's raw file without a preview that is read; raw samples are not developed. Exported as JPEG, it is read.");
  }
  return { mediaType, orientation, preview: best.preview };
}

interface Found {
  mediaType: RawMediaType;
  orientation: Orientation | undefined;
  candidates: Buffer[];
}

/** Where the preview lies is told at byte 84. */
function fujifilm(file: Buffer): Found {
  const [at, length] = file.length >= 92 ? [file.readUInt32BE(84), file.readUInt32BE(88)] : [0, 0];
  return { mediaType: 'image/x-fuji-raf', orientation: undefined, candidates: [file.subarray(at, at + length)] };
}

function directories(file: Buffer, head: string): Found | undefined {
  let first: TiffDirectory;
  try {
    first = TiffDirectory.first(file);
  } catch {
    return undefined;
  }
  const all = [first, ...subdirectories(first)];
  for (let each = first; each.next !== 0 && all.length < mostDirectories; ) {
    const following = directoryAt(first, each.next);
    if (!following) break;
    all.push(following, ...subdirectories(following));
    each = following;
  }
  const mediaType = typeOf(head, all);
  if (mediaType === undefined) return undefined;
  const candidates = all.flatMap((directory) => previewsIn(file, directory));
  return { mediaType, orientation: asOrientation(first.number(tag.orientation)), candidates };
}

function typeOf(head: string, all: TiffDirectory[]): RawMediaType | undefined {
  if (/^(IIR[OS]|MMO[RS])/.test(head)) return 'image/x-olympus-orf';
  if (head.startsWith('IIU\0')) return 'image/x-panasonic-rw2';
  if (head.startsWith('CR', 8)) return 'image/x-canon-cr2';
  if (all[0]!.has(tag.dngVersion)) return 'image/x-adobe-dng';
  const isRaw = all.some((directory) => rawSamples.includes(directory.number(tag.photometric) ?? 0) || rawCompressions.includes(directory.number(tag.compression) ?? 0));
  return isRaw ? 'image/x-raw' : undefined;
}

function directoryAt(first: TiffDirectory, at: number): TiffDirectory | undefined {
  try {
    return first.other(at);
  } catch {
    return undefined;
  }
}

function subdirectories(directory: TiffDirectory): TiffDirectory[] {
  return directory.numbers(tag.directories, mostDirectories).flatMap((at) => directoryAt(directory, at) ?? []);
}

function previewsIn(file: Buffer, directory: TiffDirectory): Buffer[] {
  const one = (which: number): number | undefined => directory.number(which);
  const isMosaic = rawSamples.includes(one(tag.photometric) ?? 0);
  const isJpeg = jpegCompressions.includes(one(tag.compression) ?? 0) && directory.count(tag.stripOffsets) === 1 && !isMosaic;
  const places = [[one(tag.jpegAt), one(tag.jpegBytes)], ...(isJpeg ? [[one(tag.stripOffsets), one(tag.stripBytes)]] : [])];
  const panasonic = directory.place(tag.panasonicJpeg);
  if (panasonic) places.push([panasonic.at, panasonic.bytes]);
  return places.flatMap(([at, length]) => (at !== undefined && length !== undefined && at + length <= file.length ? [file.subarray(at, at + length)] : []));
}

/** A track of one JPEG of full size, and a box of a smaller one; orientation in a block of TIFF. */
function canon(file: Buffer): Found {
  const moov = boxAt(file, 'moov') ?? Buffer.alloc(0);
  const candidates = boxesIn(moov).filter(({ type }) => type === 'trak').flatMap(({ content }) => firstSample(file, content));
  for (const { type, content } of boxesIn(file)) {
    const at = type === 'uuid' ? content.indexOf('PRVW') : -1;
    // Behind the name, twelve bytes of which four are the size in pixels; then the length.
    if (at >= 0 && at + 20 <= content.length) candidates.push(content.subarray(at + 20, at + 20 + content.readUInt32BE(at + 16)));
  }
  const told = boxesIn(moov).filter(({ type }) => type === 'uuid').map(({ content }) => boxAt(content.subarray(16), 'CMT1')).find((each) => each !== undefined);
  return { mediaType: 'image/x-canon-cr3', orientation: told && orientationOf(told), candidates };
}

function orientationOf(block: Buffer): Orientation | undefined {
  try {
    return asOrientation(TiffDirectory.first(block).number(tag.orientation));
  } catch {
    return undefined;
  }
}

function firstSample(file: Buffer, track: Buffer): Buffer[] {
  const table = boxAt(track, 'mdia', 'minf', 'stbl');
  const offsets = table && boxAt(table, 'co64');
  const sizes = table && boxAt(table, 'stsz');
  if (!offsets || !sizes || offsets.length < 16 || sizes.length < 12) return [];
  const at = Number(offsets.readBigUInt64BE(8));
  const length = sizes.readUInt32BE(4) || (sizes.length >= 16 ? sizes.readUInt32BE(12) : 0);
  return at + length <= file.length ? [file.subarray(at, at + length)] : [];
}

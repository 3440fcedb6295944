/**
 * What an AVIF file holds (AV1-ISOBMFF; ISO/IEC 23008-12; MIAF), as far as its picture's samples can be had as they are:
 * libheif stretches or leaves ranges as it likes, repeats halved colors, and refuses sequences, so it is given one AV1
 * picture after the other (see avif-still.ts), and what becomes of its samples is said in yuv.ts.
 */
import { readSequenceHeader, type Av1Samples } from './av1-header.js';
import type { Av1Picture } from './avif-still.js';
import { HeifItems } from './heif-items.js';
import { boxAt, boxesIn, BoxReader, fullBoxBytes } from './iso-boxes.js';
import type { Orientation } from './resize.js';

/** ISO/IEC 23091-2, as the file or, where that is silent, the bitstream tells them. */
export interface Av1Colors {
  primaries: number;
  matrix: number;
  fullRange: boolean;
}

/** One picture, or tiles of one size, row by row. */
export interface Av1Plane {
  width: number;
  height: number;
  columns: number;
  tiles: Av1Picture[];
  samples: Av1Samples;
  colors: Av1Colors;
}

export interface Avif {
  width: number;
  height: number;
  orientation: Orientation;
  color: Av1Plane;
  alpha: Av1Plane | undefined;
  /** Colors are multiplied by alpha. */
  premultiplied: boolean;
}

const mostTiles = 1024;
/** Pixels of tiles for one of the picture, and on top of that. */
const mostSpare = 2;
const sparePixels = 2 ** 22;

/** Undefined for a file of another build, which is left to libheif. @throws RangeError, TypeError where it is broken. */
export function readAvif(bytes: Uint8Array): Avif | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const boxes = boxesIn(file);
  const has = (type: string): boolean => boxes.some((box) => box.type === type);
  const ftyp = boxes[0]?.type === 'ftyp' ? boxes[0].content.toString('latin1') : '';
  const brands = [ftyp.slice(0, 4), ...(ftyp.slice(8).match(/.{4}/gs) ?? [])];
  for (const [brand, box] of [['avif', 'meta'], ['avis', 'moov']] as const) {
    if (brands.includes(brand) && !has(box)) throw new TypeError(`There is no ${box} box`);
  }
  const still = has('meta') ? stillOfItems(new HeifItems(file)) : undefined;
  return brands[0] === 'avis' && has('moov') ? sequenceOf(file, boxAt(file, 'moov')!) : still;
}

function stillOfItems(items: HeifItems): Avif | undefined {
  const { primary } = items;
  const color = planeOf(items, primary);
  if (!color) return undefined;
  const alphaItem = items.referring('auxl', primary).find((item) => /^urn:mpeg:(mpegB:cicp:systems:auxiliary:alpha|hevc:2015:auxid:1)/.test(items.property(item, 'auxC')?.toString('latin1', fullBoxBytes) ?? ''));
  const alpha = alphaItem === undefined ? undefined : planeOf(items, alphaItem);
  if (alphaItem !== undefined && !(alpha && isAsLarge(alpha, color))) return undefined;
  return {
    width: color.width,
    height: color.height,
    orientation: orientationOf(items.property(primary, 'irot')?.[0], items.property(primary, 'imir')?.[0]),
    color,
    alpha,
    premultiplied: alphaItem !== undefined && items.referred('prem', primary).includes(alphaItem),
  };
}

const isAsLarge = (one: Av1Plane, other: Av1Plane): boolean => one.width === other.width && one.height === other.height;

function planeOf(items: HeifItems, item: number): Av1Plane | undefined {
  const size = items.property(item, 'ispe');
  if (!size) return undefined;
  const [width, height] = [size.readUInt32BE(4), size.readUInt32BE(8)];
  const type = items.typeOf(item);
  if (type === 'av01') {
    const tile = pictureOf(items, item);
    return tile && { width, height, columns: 1, tiles: [tile.picture], samples: tile.samples, colors: colorsOf(items, [item], tile.samples) };
  }
  if (type !== 'grid') return undefined;
  const reader = new BoxReader(items.dataOf(item));
  const fieldBytes = reader.number(2) & 1 ? 4 : 2;
  const rows = reader.number(1) + 1;
  const columns = reader.number(1) + 1;
  const [gridWidth, gridHeight] = [reader.number(fieldBytes), reader.number(fieldBytes)];
  const parts = items.referred('dimg', item);
  if (gridWidth !== width || gridHeight !== height || parts.length !== rows * columns || parts.length > mostTiles) return undefined;
  const tiles = parts.map((part) => pictureOf(items, part));
  const [first] = tiles;
  if (!first || !tiles.every((tile) => tile && sameSamples(tile.samples, first.samples))) return undefined;
  const [across, down] = [first.picture.width * columns, first.picture.height * rows];
  // Every tile is used, but for what the last ones have too much.
  if (across < width || down < height || across - width >= first.picture.width || down - height >= first.picture.height) return undefined;
  if (across * down > mostSpare * width * height + sparePixels) return undefined;
  return { width, height, columns, tiles: tiles.map((tile) => tile!.picture), samples: first.samples, colors: colorsOf(items, [item, parts[0]!], first.samples) };
}

const sameSamples = (one: Av1Samples, other: Av1Samples): boolean => JSON.stringify(one) === JSON.stringify(other);

function pictureOf(items: HeifItems, item: number): { picture: Av1Picture; samples: Av1Samples } | undefined {
  const configuration = items.property(item, 'av1C');
  const size = items.property(item, 'ispe');
  if (items.typeOf(item) !== 'av01' || !configuration || !size) return undefined;
  // Of several layers or operating points libheif knows which; here would be guessed.
  if (items.property(item, 'a1op') || items.property(item, 'lsel') || items.property(item, 'a1lx')) return undefined;
  return pictureFrom({ configuration, data: items.dataOf(item), depths: items.property(item, 'pixi') }, { width: size.readUInt32BE(4), height: size.readUInt32BE(8) });
}

/** `depths`: the content of its pixi box. */
function pictureFrom({ configuration, data, depths }: { configuration: Buffer; data: Buffer; depths?: Buffer | undefined }, size: { width: number; height: number }): { picture: Av1Picture; samples: Av1Samples } | undefined {
  const samples = readSequenceHeader(data) ?? readSequenceHeader(configuration.subarray(4));
  if (samples && depths && !depths.subarray(5).every((bits) => bits === samples.bits)) throw new RangeError('The samples are of another depth than is said');
  if (!samples || samples.width !== size.width || samples.height !== size.height) return undefined;
  return { picture: { ...size, configuration, data, monochrome: samples.monochrome, bits: samples.bits }, samples };
}

function colorsOf(items: HeifItems, from: number[], samples: Av1Samples): Av1Colors {
  for (const item of from) {
    const colors = nclxIn(items.propertiesOf(item).filter(({ type }) => type === 'colr').map(({ content }) => content));
    if (colors) return colors;
  }
  return { primaries: 2, matrix: samples.matrix, fullRange: samples.fullRange };
}

function nclxIn(boxes: Buffer[]): Av1Colors | undefined {
  const nclx = boxes.find((content) => content.toString('latin1', 0, 4) === 'nclx' && content.length >= 11);
  return nclx && { primaries: nclx.readUInt16BE(4), matrix: nclx.readUInt16BE(8), fullRange: (nclx[10]! & 0x80) !== 0 };
}

/** EXIF's number of a turn by quarters against the clock, then a mirror (MIAF 7.3.6.7): its axis 0 changes top and bottom. */
function orientationOf(irot: number | undefined, imir: number | undefined): Orientation {
  const quarters = (irot ?? 0) & 3;
  if (imir === undefined) return ([1, 8, 3, 6] as const)[quarters]!;
  return (imir & 1 ? ([2, 7, 4, 5] as const) : ([4, 5, 2, 7] as const))[quarters]!;
}

/** The first frame of the tracks of a sequence (ISO/IEC 14496-12). */
function sequenceOf(file: Buffer, moov: Buffer): Avif | undefined {
  const tracks = boxesIn(moov).filter(({ type }) => type === 'trak').map(({ content }) => content);
  const ofKind = (kind: string): Av1Plane | undefined => {
    const track = tracks.find((each) => boxAt(each, 'mdia', 'hdlr')?.toString('latin1', 8, 12) === kind);
    return track && firstFrame(file, track);
  };
  const color = ofKind('pict');
  if (!color) return undefined;
  const alpha = ofKind('auxv');
  if (alpha && !isAsLarge(alpha, color)) return undefined;
  return { width: color.width, height: color.height, orientation: 1, color, alpha, premultiplied: tracks.some((track) => boxAt(track, 'tref', 'prem') !== undefined) };
}

/** Fields of a visual sample entry before its boxes. */
const visualEntryBytes = 78;

function firstFrame(file: Buffer, track: Buffer): Av1Plane | undefined {
  const table = boxAt(track, 'mdia', 'minf', 'stbl');
  const entries = table && boxAt(table, 'stsd');
  // A list of edits that is gone through again and again has one edit, or the reference takes it for broken.
  const edits = boxAt(track, 'edts', 'elst');
  if (edits && edits[3]! & 1 && edits.readUInt32BE(4) !== 1) throw new RangeError('The list of edits is not one');
  if (!entries) return undefined;
  const entry = boxesIn(entries.subarray(8)).find(({ type }) => type === 'av01')?.content;
  const sizes = boxAt(table, 'stsz');
  const short = boxAt(table, 'stco');
  const long = boxAt(table, 'co64');
  if (!entry || !sizes || (!short && !long)) return undefined;
  const offset = short ? short.readUInt32BE(8) : Number(long!.readBigUInt64BE(8));
  const length = sizes.readUInt32BE(4) || sizes.readUInt32BE(12);
  const within = boxesIn(entry.subarray(visualEntryBytes));
  const configuration = within.find(({ type }) => type === 'av1C')?.content;
  if (!configuration || !samplesLieWithin(table, file.length)) throw new RangeError('A frame leads out of the file');
  const size = { width: entry.readUInt16BE(24), height: entry.readUInt16BE(26) };
  const frame = pictureFrom({ configuration, data: file.subarray(offset, offset + length) }, size);
  if (!frame) return undefined;
  const told = nclxIn(within.filter(({ type }) => type === 'colr').map(({ content }) => content));
  return { ...size, columns: 1, tiles: [frame.picture], samples: frame.samples, colors: told ?? { primaries: 2, matrix: frame.samples.matrix, fullRange: frame.samples.fullRange } };
}

const mostSamples = 100_000;

/** Whether all frames lie in the file, as the reference asks before it shows the first. */
function samplesLieWithin(table: Buffer, length: number): boolean {
  const sizes = new BoxReader(boxAt(table, 'stsz')!, fullBoxBytes);
  const same = sizes.number(4);
  const count = sizes.number(4);
  const offsets = boxAt(table, 'stco') ?? boxAt(table, 'co64')!;
  const offsetBytes = boxAt(table, 'stco') ? 4 : 8;
  const chunks = new BoxReader(offsets, fullBoxBytes);
  const chunkCount = chunks.number(4);
  const runs = new BoxReader(boxAt(table, 'stsc')!, fullBoxBytes);
  let runsLeft = runs.number(4);
  if (count > mostSamples || chunkCount > mostSamples || runsLeft === 0) return false;
  // Of each run of chunks: its first, counted from 1, how many samples a chunk has, and which description they are of.
  const run = (): [first: number, samples: number] => {
    runsLeft--;
    const first = runs.number(4);
    const samples = runs.number(4);
    runs.number(4);
    return [first, samples];
  };
  let [first, each] = run();
  if (first !== 1) return false;
  let following = runsLeft > 0 ? run() : undefined;
  let seen = 0;
  for (let chunk = 1; chunk <= chunkCount && seen < count; chunk++) {
    if (following && following[0] <= first) return false;
    if (following?.[0] === chunk) {
      [first, each] = following;
      following = runsLeft > 0 ? run() : undefined;
    }
    let at = chunks.number(offsetBytes);
    for (let i = 0; i < each && seen < count; i++, seen++) at += same || sizes.number(4);
    if (at > length) return false;
  }
  return seen === count;
}

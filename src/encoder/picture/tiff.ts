/**
 * What a TIFF's first directory says of its samples, before a decoder sees it. libvips takes any fourth sample for
 * transparency, shows YCbCr and Lab as if they were RGB, and refuses a sound page for tags that it does not know or for
 * the pages behind it: it is given a directory of nothing but what decoding needs, and samples that are none of its
 * concern under the name of RGB, to be converted here.
 */
import { damaged } from './media-type.js';
import { unsupported } from './refusal.js';
import { TiffDirectory } from './tiff-directory.js';

const tag = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  samples: 277,
  planes: 284,
  colorMap: 320,
  tileWidth: 322,
  extraSamples: 338,
  sampleFormat: 339,
  coefficients: 529,
  subsampling: 530,
  blackWhite: 532,
} as const;

/** What decoders need: the above, where the samples lie and how they are packed, orientation, XMP. */
const needed: ReadonlySet<number> = new Set([...Object.values(tag), 266, 273, 274, 278, 279, 292, 293, 317, 323, 324, 325, 332, 347, 700]);

const photometric = { miniswhite: 0, miniszero: 1, rgb: 2, palette: 3, separated: 5, ycbcr: 6, lab: 8 } as const;

/** Samples a pixel of each kind, without the extra ones. */
const colorSamples: Record<number, number> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3 };

const unreadPhotometric: Record<number, string> = { 4: 'a transparency mask', 9: 'ICC L*a*b* colors', 10: 'ITU L*a*b* colors', 32803: 'the raw samples of a camera', 34892: 'the raw samples of a camera', 32844: 'logarithmic luminance', 32845: 'logarithmic LUV colors', 51177: 'a depth map' };

/** Those that the decoder has. */
const compressions: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 34676, 34677, 50001]);
const jpeg = 7;

const compressionNames: Record<number, string> = {
  6: 'old-style JPEG compression',
  9: 'JBIG compression',
  10: 'JBIG compression',
  34661: 'JBIG compression',
  33003: 'JPEG 2000 compression',
  33005: 'JPEG 2000 compression',
  34712: 'JPEG 2000 compression',
  34887: 'LERC compression',
  34892: 'lossy JPEG compression of raw samples',
  34925: 'LZMA compression',
  34926: 'ZSTD compression',
  50000: 'ZSTD compression',
  50002: 'JPEG XL compression',
  52546: 'JPEG XL compression',
  34934: 'JPEG XR compression',
};

/** How decoded samples become grey or RGB, where they are not that as decoded. */
export type TiffColors = { space: 'cmyk16' } | { space: 'lab' } | { space: 'ycbcr'; red: number; blue: number; blackWhite: number[]; rounding: 0 | 0.5 };

export interface TiffSamples {
  /** What the decoder is given. */
  source: Uint8Array;
  /** Of the samples behind the colors, the first is transparency. */
  alpha: boolean;
  colors: TiffColors | undefined;
}

/** @throws MixspaceError `unsupported_media`: a kind that is not decoded, by name; `damaged_media`: its directory or its colors are missing. */
export function readTiff(bytes: Uint8Array): TiffSamples {
  const directory = firstDirectory(bytes);
  const one = (which: number, otherwise: number): number => directory.number(which) ?? otherwise;
  if (!directory.has(tag.width) || !directory.has(tag.height)) throw damaged('The TIFF is broken or truncated: its directory tells no size.');
  const photo = one(tag.photometric, photometric.miniswhite);
  const compression = one(tag.compression, 1);
  const samples = one(tag.samples, 1);
  const told = directory.numbers(tag.bits, 8);
  const bits = told.length === 0 ? [1] : told;
  const planar = one(tag.planes, 1) === 2;

  const unread = unreadIn({ photo, compression, samples, bits, format: one(tag.sampleFormat, 1), planar, tiled: directory.has(tag.tileWidth) });
  if (unread !== undefined) throw unsupported('image/tiff', unread);

  if (photo === photometric.palette && !(directory.isWhole(tag.colorMap) && directory.count(tag.colorMap) >= 3 * 2 ** bits[0]!)) {
    throw damaged('The TIFF is broken or truncated: its color map is missing.');
  }
  const extras = directory.numbers(tag.extraSamples, 8);
  const colors = colorsOf(directory, { photo, compression, deep: bits[0] === 16 });
  const beyond = samples - (colorSamples[photo] ?? samples);
  const set = new Map<number, number[]>();
  if (colors) set.set(tag.photometric, [photometric.rgb]);
  const more = colors ? samples - 3 : beyond;
  if (more > 0 && (colors !== undefined || extras.length === 0)) set.set(tag.extraSamples, [2, 0].slice(0, more));
  // Pillow takes a fourth sample that nobody names, and Corel's 999, for transparency.
  const alpha = beyond > 0 && (extras.length === 0 ? photo === photometric.rgb : extras[0] !== 0);
  return { source: directory.rewritten(needed, set), alpha, colors };
}

function firstDirectory(bytes: Uint8Array): TiffDirectory {
  try {
    return TiffDirectory.first(bytes);
  } catch (error) {
    throw damaged('The TIFF is broken or truncated: its directory does not lie in the file.', error);
  }
}

interface Layout {
  photo: number;
  compression: number;
  samples: number;
  bits: number[];
  format: number;
  planar: boolean;
  tiled: boolean;
}

/** A sample format (TIFF 6.0, section 19) of numbers with an imaginary part. */
const complex = [5, 6];

function unreadIn({ photo, compression, samples, bits, format, planar, tiled }: Layout): string | undefined {
  if (!compressions.has(compression)) return compressionNames[compression] ?? `compression ${compression}`;
  const kind = unreadPhotometric[photo];
  if (kind !== undefined) return kind;
  if (colorSamples[photo] === undefined && photo < 32768) return `colors of the unknown kind ${photo}`;
  if (complex.includes(format)) return 'complex numbers as samples';
  const odd = bits.find((each) => ![1, 2, 4, 8, 16, 32].includes(each)) ?? (samples > 1 ? bits.find((each) => each < 8) : undefined);
  if (odd !== undefined) return `${odd} bits a sample`;
  if (bits.some((each) => each !== bits[0])) return 'samples of different lengths';
  if (samples > 5) return `${samples} samples a pixel`;
  if (tiled && planar && samples > 1) return 'tiles of separate planes';
  if (photo === photometric.lab && bits[0] !== 8) return `L*a*b* colors of ${bits[0]} bits`;
  return undefined;
}

function colorsOf(directory: TiffDirectory, { photo, compression, deep }: { photo: number; compression: number; deep: boolean }): TiffColors | undefined {
  if (photo === photometric.separated && deep) return { space: 'cmyk16' };
  if (photo === photometric.lab) return { space: 'lab' };
  const halved = directory.numbers(tag.subsampling, 2);
  const whole = halved.length === 2 && halved.every((each) => each === 1);
  // The decoder itself converts JPEG's, and what is subsampled.
  if (photo !== photometric.ycbcr || compression === jpeg || !whole) return undefined;
  // What is not compressed the reference itself reads, as JFIF's YCbCr whatever the tags say, and cuts off (ConvertYCbCr.c); the rest libtiff does.
  const isPlain = compression === 1;
  const [red = 0.299, , blue = 0.114] = isPlain ? [] : directory.numbers(tag.coefficients, 3);
  const told = isPlain ? [] : directory.numbers(tag.blackWhite, 6);
  const blackWhite = told.length === 6 && told.every(Number.isFinite) ? told : [0, 255, 128, 255, 128, 255];
  return { space: 'ycbcr', red, blue, blackWhite, rounding: isPlain ? 0 : 0.5 };
}

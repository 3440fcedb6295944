import sharp, { type OutputInfo, type Sharp } from 'sharp';
import { decodeSeconds } from './refusal.js';

/** How strict libvips is: `error` refuses what is truncated or damaged, and lets mere warnings pass; `warning` refuses for these too. */
export type Strictness = 'error' | 'warning';

/** The pixel limit is checked before, with a sentence. */
export function open(bytes: Uint8Array, failOn: Strictness = 'error'): Sharp {
  return sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: false, pages: 1 });
}

/** Some whole rows of a picture, as stored. */
export interface Strip {
  top: number;
  height: number;
}

export interface SamplesAsked {
  /** The color space they are given in; left out, as libvips sees it. */
  colors?: 'cmyk' | 'rgb16' | 'grey16' | 'b-w' | 'srgb';
  /** 16 bits a sample. */
  deep: boolean;
  /** Whole rows of a larger picture. */
  rows?: Strip & { width: number };
  failOn?: Strictness;
}

/** Interleaved samples of the first frame or page. Rejects with libvips' own sentence. */
export function samplesOf(bytes: Uint8Array, { colors, deep, rows, failOn }: SamplesAsked): Promise<{ data: Buffer; info: OutputInfo }> {
  let pipeline = open(bytes, failOn).timeout({ seconds: decodeSeconds });
  if (colors === 'cmyk') pipeline = pipeline.pipelineColourspace('cmyk');
  if (colors !== undefined) pipeline = pipeline.toColourspace(colors);
  if (rows) pipeline = pipeline.extract({ left: 0, ...rows });
  return pipeline.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
}

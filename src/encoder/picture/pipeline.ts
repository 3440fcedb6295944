/** One picture from its bytes to a tower's inputs, its own and its tiles', and a thumbnail. */
import type { Box, Tiles } from '../../domain/tiles.js';
import { Cut } from './cut.js';
import { decodeStrip, stripsOf, type PictureHeader } from './decode.js';
import { canShrink, decodeShrunk } from './decode-shrunk.js';
import { fitSquare, fitting, framed, writeTensor, type Preprocessing } from './preprocess.js';
import type { Bitmap, Resizing } from './resize.js';
import { thumbnailFrom, thumbnailOf } from './thumbnail.js';

export type PictureStage = 'decode' | 'resize' | 'thumbnail';

/** Runs work and adds its time to that of a stage. */
export type Timed = <T>(stage: PictureStage, work: () => T | Promise<T>) => Promise<T>;

export interface SentPicture {
  bytes: Uint8Array;
  /** Whether one is asked; then what the file tells of itself comes with it. */
  thumbnail: boolean;
  /** Where it is to be cut, or how; left out: not at all. */
  tiles?: Tiles | readonly Box[];
}

/** Where in a batch's tensor a picture goes, and behind it its tiles. */
export interface Place {
  tensor: Float32Array;
  offset: number;
}

/** Writes the picture into its place and its tiles behind it, as `writeTensor` does, and gives the thumbnail if one is asked. Throws `damaged_media` for what cannot be decoded. */
export async function preparePicture(
  { bytes, header, thumbnail, boxes = [] }: Omit<SentPicture, 'tiles'> & { header: PictureHeader; boxes?: readonly Box[] },
  preprocessing: Preprocessing,
  { tensor, offset }: Place,
  timed: Timed,
): Promise<Uint8Array | undefined> {
  const stride = 3 * preprocessing.size ** 2;
  const write = (square: Bitmap, place: number): void => writeTensor(square, preprocessing, tensor, offset + place * stride);
  const isShrunk = preprocessing.speed === 'fast' && canShrink(header, preprocessing);
  if (isShrunk) {
    const small = await timed('decode', () => decodeShrunk(bytes, header, preprocessing));
    await timed('resize', () => write(fitSquare(small, preprocessing), 0));
    if (boxes.length === 0) return thumbnail ? timed('thumbnail', () => thumbnailFrom(bytes, header)) : undefined;
  }
  const strips = stripsOf(header);
  const cuts = boxes.map((box) => new Cut(header.stored, box, preprocessing));
  let resizing: Resizing | undefined;
  let whole: Bitmap | undefined;
  for (const strip of strips) {
    const rows = await timed('decode', () => decodeStrip(bytes, header, strip));
    await timed('resize', () => {
      if (!isShrunk) {
        resizing ??= fitting({ ...rows, height: header.stored.height }, preprocessing);
        resizing.take(rows.pixels);
      }
      cuts.forEach((cut, i) => {
        const square = cut.take(rows, strip.top);
        if (square) write(square, 1 + i);
      });
    });
    if (strips.length === 1) whole = rows;
  }
  if (!isShrunk) await timed('resize', () => write(framed(resizing!.finish(), preprocessing), 0));
  if (!thumbnail) return undefined;
  return timed('thumbnail', () => (whole ? thumbnailOf(whole) : thumbnailFrom(bytes, header)));
}

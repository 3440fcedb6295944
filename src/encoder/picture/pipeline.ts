/** One picture from its bytes to a tower's input and a thumbnail. */
import { decodeStrip, stripsOf, thumbnailFrom, thumbnailOf, type PictureHeader } from './decode.js';
import { canShrink, decodeShrunk } from './decode-shrunk.js';
import { fitSquare, fitting, framed, writeTensor, type Preprocessing } from './preprocess.js';
import type { Bitmap, Resizing } from './resize.js';

export type PictureStage = 'decode' | 'resize' | 'thumbnail';

/** Runs work and adds its time to that of a stage. */
export type Timed = <T>(stage: PictureStage, work: () => T | Promise<T>) => Promise<T>;

export interface SentPicture {
  bytes: Uint8Array;
  /** Whether one is asked. */
  thumbnail: boolean;
}

/** Where in a batch's tensor a picture goes. */
export interface Place {
  tensor: Float32Array;
  offset: number;
}

/** Writes the picture into its place, as `writeTensor` does, and gives the thumbnail if one is asked. Throws `damaged_media` for what cannot be decoded. */
export async function preparePicture({ bytes, header, thumbnail }: SentPicture & { header: PictureHeader }, preprocessing: Preprocessing, { tensor, offset }: Place, timed: Timed): Promise<Uint8Array | undefined> {
  if (preprocessing.speed === 'fast' && canShrink(header, preprocessing)) {
    const small = await timed('decode', () => decodeShrunk(bytes, header, preprocessing));
    await timed('resize', () => writeTensor(fitSquare(small, preprocessing), preprocessing, tensor, offset));
    return thumbnail ? timed('thumbnail', () => thumbnailFrom(bytes, header)) : undefined;
  }
  const strips = stripsOf(header);
  let resizing: Resizing | undefined;
  let whole: Bitmap | undefined;
  for (const strip of strips) {
    const rows = await timed('decode', () => decodeStrip(bytes, header, strip));
    await timed('resize', () => {
      resizing ??= fitting({ ...rows, height: header.stored.height }, preprocessing);
      resizing.take(rows.pixels);
    });
    if (strips.length === 1) whole = rows;
  }
  await timed('resize', () => writeTensor(framed(resizing!.finish(), preprocessing), preprocessing, tensor, offset));
  if (!thumbnail) return undefined;
  return timed('thumbnail', () => (whole ? thumbnailOf(whole) : thumbnailFrom(bytes, header)));
}

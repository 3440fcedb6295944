/** The thread that looks at thumbnails: decoded, signed, compared. */
import sharp from 'sharp';
import { answerCalls } from '../compute-thread.js';
import { likenessOf, type Likeness } from './likeness.js';
import { signatureOf, type Signature } from './signature.js';

/** Thumbnails are at most 320 px wide and high. */
const mostPixels = 512 * 512;
const atOnce = 4;

const methods = {
  /** In the order given; the reason in place of one that cannot be read. */
  signatures: async (thumbnails: Uint8Array[]): Promise<(Signature | { problem: string })[]> => {
    const found: (Signature | { problem: string })[] = [];
    for (let from = 0; from < thumbnails.length; from += atOnce) found.push(...(await Promise.all(thumbnails.slice(from, from + atOnce).map(read))));
    return found;
  },
  likeness: (pairs: [Signature, Signature][]): Likeness[] => pairs.map(([a, b]) => likenessOf(a, b)),
};
export type PictureMethods = typeof methods;

async function read(thumbnail: Uint8Array): Promise<Signature | { problem: string }> {
  try {
    const { data, info } = await sharp(thumbnail, { limitInputPixels: mostPixels }).flatten({ background: '#ffffff' }).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) return { problem: `The thumbnail has ${info.channels} channels.` };
    return signatureOf(data, info.width, info.height);
  } catch (error) {
    return { problem: `The thumbnail cannot be read: ${(error as Error).message}` };
  }
}

sharp.concurrency(1);
sharp.cache(false);
void answerCalls(methods);

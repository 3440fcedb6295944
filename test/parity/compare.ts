/** One model's pixels, ids and embeddings beside those of the Python reference, through the service's own code. */
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Encoder } from '../../src/encoder/encoder.js';
import { readPackage } from '../../src/encoder/package/model-package.js';
import { decode, readHeader } from '../../src/encoder/picture/decode.js';
import { fitSquare, writeTensor, type Preprocessing } from '../../src/encoder/picture/preprocess.js';
import { readTextEncoding } from '../../src/encoder/text/text-encoding.js';

export const limits = { pictureBytes: 20e6, picturePixels: 100e6 };

/** What issue and README promise. Differences of pixels are of 255. */
export const bounds = { meanPixels: 0.5, worstPixels: 16, imageCosine: 0.9995, textCosine: 0.9999, aloneOrTogether: 1e-5 };

export interface PixelDifference {
  name: string;
  /** A source that every decoder reads alike. */
  lossless: boolean;
  mean: number;
  worst: number;
  /** Largest difference of the final tensor from the reference's at its corner and its center. */
  tensor: number;
}

interface GoldenPicture {
  corner: number[];
  centre: number[];
  embedding: number[];
}

export interface GoldenText {
  text: string;
  note: string;
  strict: boolean;
  input_ids: number[];
  embedding: number[];
}

/** JPEG and AVIF decoders round differently, each within its standard; all others give the same pixels everywhere. */
const lossy = /\.(jpe?g|avif)$/;

export async function golden<T>(root: string, model: string, name: string): Promise<T> {
  return JSON.parse(await readFile(path.join(root, model, 'golden', name), 'utf8')) as T;
}

/** Of every picture of which the folder has both the file and the golden pixels. */
export async function comparePixels(root: string, model: string): Promise<PixelDifference[]> {
  const image = (await readPackage(root, model)).towers.image!;
  const expected = await golden<Record<string, GoldenPicture>>(root, model, 'images.json');
  const pixels = path.join(root, model, 'golden/pixels');
  const differences: PixelDifference[] = [];
  for (const file of (await readdir(pixels)).sort()) {
    const name = file.replace(/\.png$/, '');
    const bytes = await readFile(path.join(root, 'images', name));
    const square = fitSquare(await decode(bytes, await readHeader(bytes, limits)), image);
    const wanted = await sharp(path.join(pixels, file)).toColourspace('srgb').removeAlpha().raw().toBuffer();
    let sum = 0;
    let worst = 0;
    for (let i = 0; i < wanted.length; i++) {
      const off = Math.abs(square.pixels[square.channels === 3 ? i : Math.floor(i / 3)]! - wanted[i]!);
      sum += off;
      worst = Math.max(worst, off);
    }
    differences.push({ name, lossless: !lossy.test(name), mean: sum / wanted.length, worst, tensor: tensorDifference(square, image, expected[name]!) });
  }
  return differences;
}

function tensorDifference(square: ReturnType<typeof fitSquare>, image: Preprocessing, { corner, centre }: GoldenPicture): number {
  const plane = image.size ** 2;
  const tensor = new Float32Array(3 * plane);
  writeTensor(square, image, tensor, 0);
  const middle = (image.size / 2) * image.size + image.size / 2;
  return Math.max(...[0, 1, 2].flatMap((c) => [Math.abs(tensor[c * plane]! - corner[c]!), Math.abs(tensor[c * plane + middle]! - centre[c]!)]));
}

export interface IdComparison {
  strict: number;
  same: number;
  /** Notes of the strict texts that differ. */
  different: string[];
}

export async function compareIds(root: string, model: string): Promise<IdComparison> {
  const texts = (await golden<GoldenText[]>(root, model, 'texts.json')).filter(({ strict }) => strict);
  const { directory, towers } = await readPackage(root, model);
  const encoding = await readTextEncoding(directory, towers.text!);
  const different = texts.filter(({ text, input_ids: wanted }) => {
    const { ids } = encoding.encode(text);
    return ids.length > wanted.length || wanted.some((id, i) => id !== (ids[i] ?? encoding.padTokenId));
  });
  return { strict: texts.length, same: texts.length - different.length, different: different.map(({ note, text }) => note || text) };
}

export interface EmbeddingComparison {
  pictures: number;
  texts: number;
  /** Lowest cosines to the golden embeddings, strict texts only, and what has them. */
  image: { cosine: number; name: string };
  text: { cosine: number; name: string };
  /** Largest difference of a number of an embedding, alone and in a batch. */
  aloneOrTogether: number;
}

export async function compareEmbeddings(encoder: Encoder, root: string, model: string): Promise<EmbeddingComparison> {
  const expected = await golden<Record<string, GoldenPicture>>(root, model, 'images.json');
  const names = (await readdir(path.join(root, 'images'))).sort();
  const pictures = await Promise.all(names.map(async (name) => new Uint8Array(await readFile(path.join(root, 'images', name)))));
  const together = (await encoder.encodeImages(model, pictures, { priority: 'bulk' })).map(embeddingOf);
  const texts = (await golden<GoldenText[]>(root, model, 'texts.json')).filter(({ strict }) => strict);
  const textsTogether = (await encoder.encodeTexts(model, texts.map(({ text }) => text), { priority: 'bulk' })).map(({ embedding }) => embedding);
  let aloneOrTogether = 0;
  for (const [i, bytes] of pictures.entries()) {
    const [alone] = await encoder.encodeImages(model, [bytes], { priority: 'bulk' });
    aloneOrTogether = Math.max(aloneOrTogether, farthest(embeddingOf(alone!), together[i]!));
  }
  for (const [i, { text }] of texts.entries()) {
    const [alone] = await encoder.encodeTexts(model, [text], { priority: 'bulk' });
    aloneOrTogether = Math.max(aloneOrTogether, farthest(alone!.embedding, textsTogether[i]!));
  }
  return {
    pictures: names.length,
    texts: texts.length,
    image: lowest(names.map((name, i) => ({ name, cosine: cosine(together[i]!, expected[name]!.embedding) }))),
    text: lowest(texts.map(({ note, text, embedding }, i) => ({ name: note || text, cosine: cosine(textsTogether[i]!, embedding) }))),
    aloneOrTogether,
  };
}

function embeddingOf(outcome: Awaited<ReturnType<Encoder['encodeImages']>>[number]): Float32Array {
  if (!outcome.ok) throw outcome.error;
  return outcome.value.embedding;
}

function lowest(entries: { name: string; cosine: number }[]): { name: string; cosine: number } {
  return entries.reduce((worst, entry) => (entry.cosine < worst.cosine ? entry : worst));
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return dot / Math.sqrt(aa * bb);
}

export function farthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Preprocessing } from '../../src/encoder/picture/preprocess.js';
import type { Bitmap } from '../../src/encoder/picture/resize.js';
import { repository } from '../server.js';
import { encoderFolder } from './bare-encoding.js';
import { PillowPeer } from './pillow-peer.js';
import { median, milliseconds, ratioOf } from './timing.js';

/** `count` pictures are made ready one after the other in each round. */
const kinds = [
  { label: '0.3 MP', width: 640, height: 480, count: 12 },
  { label: '2 MP', width: 1_632, height: 1_224, count: 4 },
  { label: '12 MP', width: 4_032, height: 3_024, count: 2 },
];
const size = 224;
/** CLIP's. */
const preprocessing: Preprocessing = { geometry: 'crop', interpolation: 'bicubic', size, shortestEdge: size, mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] };

type Stage = 'decode' | 'resize' | 'decode and resize' | 'normalize';
type StageTimes = Partial<Record<Stage, number>>;

interface Photo {
  file: string;
  bytes: Uint8Array;
}

interface Way {
  name: string;
  /** The square that the tower sees, 8 bits; stages are added to `times`, in milliseconds. */
  prepare(photo: Photo, times: StageTimes): Promise<Uint8Array>;
}

/** From a JPEG's bytes to a tower's input, one thread: exact and fast, beside libvips' own resize, and Pillow's, which the exact way is to equal. */
export async function resize(quick: boolean): Promise<void> {
  const pillow = await PillowPeer.start();
  if (typeof pillow === 'string') console.log(`resize: WITHOUT PILLOW, so without the reference's times and pixels: ${pillow}.`);
  const reference = typeof pillow === 'string' ? undefined : pillow;
  const folder = await mkdtemp(path.join(tmpdir(), 'mixspace-bench-'));
  try {
    const ways = [...(await ours()), libvips(true), libvips(false), ...(reference ? [pillowWay(reference)] : [])];
    for (const kind of kinds) {
      const photos = await Promise.all(Array.from({ length: kind.count }, (_, index) => photo(folder, kind.width, kind.height, index)));
      await race(kind.label, photos, ways, quick ? 3 : 11);
      if (reference) await printDifferences(kind.label, photos, ways, reference);
    }
  } finally {
    reference?.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** In each round all ways take all photos, in every other one the last way first: what a way leaves to be collected falls on either neighbor. */
async function race(label: string, photos: Photo[], ways: Way[], rounds: number): Promise<void> {
  const totals = ways.map((): number[] => []);
  const stages = ways.map((): StageTimes[] => []);
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const index = round % 2 === 0 ? turn : ways.length - 1 - turn;
      const times: StageTimes = {};
      for (const photo of photos) await ways[index]!.prepare(photo, times);
      if (round < 0) continue;
      stages[index]!.push(times);
      totals[index]!.push(Object.values(times).reduce((sum, time) => sum + time, 0) / photos.length);
    }
  }
  const rates = totals.map((times) => times.map((time) => 1 / time));
  for (const [index, { name }] of ways.entries()) {
    const names = Object.keys(stages[index]![0]!) as Stage[];
    const split = names.map((stage) => `${stage} ${milliseconds(median(stages[index]!.map((times) => times[stage]!)) / photos.length)}`).join(', ');
    const against = index === 0 ? '' : `; ${ways[0]!.name}'s speed to its, ${ratioOf({ ours: rates[0]!, theirs: rates[index]! })}`;
    console.log(`resize, ${label}: ${name} ${milliseconds(median(totals[index]!))} (${split})${against}`);
  }
}

async function printDifferences(label: string, photos: Photo[], ways: Way[], pillow: PillowPeer): Promise<void> {
  const expected = await inTurn(photos, async ({ file }) => (await pillow.prepare(file, preprocessing, true)).pixels);
  const told: string[] = [];
  for (const { name, prepare } of ways.filter((way) => way.name !== pillowName(pillow))) {
    const found = await inTurn(photos, (photo) => prepare(photo, {}));
    let [sum, samples, worst] = [0, 0, 0];
    for (const [index, square] of found.entries()) {
      for (let i = 0; i < square.length; i++) {
        const off = Math.abs(square[i]! - expected[index]![i]!);
        sum += off;
        worst = Math.max(worst, off);
      }
      samples += square.length;
    }
    told.push(`${name} mean ${(sum / samples).toFixed(2)}, worst ${worst}`);
  }
  console.log(`resize, ${label}: pixels against Pillow's, of 255: ${told.join('; ')}`);
}

async function inTurn<T, R>(values: T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}

/** The code that the service runs, compiled. */
async function ours(): Promise<Way[]> {
  const { readHeader, decode, settleDecoder } = (await import(`${encoderFolder}picture/decode.js`)) as typeof import('../../src/encoder/picture/decode.js');
  const { fitSquare, writeTensor } = (await import(`${encoderFolder}picture/preprocess.js`)) as typeof import('../../src/encoder/picture/preprocess.js');
  const { canShrink, decodeShrunk } = (await import(`${encoderFolder}picture/shrink.js`)) as typeof import('../../src/encoder/picture/decode-shrunk.js');
  settleDecoder();
  const limits = { pictureBytes: Infinity, picturePixels: Infinity };
  const tensor = new Float32Array(3 * size ** 2);
  const way = (name: string, decodeStage: Stage, open: (bytes: Uint8Array) => Promise<Bitmap>): Way => ({
    name,
    async prepare({ bytes }, times) {
      const bitmap = await timed(times, decodeStage, () => open(bytes));
      const square = await timed(times, decodeStage === 'decode' ? 'resize' : decodeStage, () => fitSquare(bitmap, preprocessing));
      await timed(times, 'normalize', () => writeTensor(square, preprocessing, tensor, 0));
      return square.pixels;
    },
  });
  return [
    way('exact', 'decode', async (bytes) => decode(bytes, await readHeader(bytes, limits))),
    way('fast', 'decode and resize', async (bytes) => {
      const header = await readHeader(bytes, limits);
      if (!canShrink(header, preprocessing)) throw new Error('The picture does not go the fast way.');
      return decodeShrunk(bytes, header, preprocessing);
    }),
  ];
}

/** sharp as it is used without us: to the reference's integer size, then the middle of it. */
function libvips(fastShrinkOnLoad: boolean): Way {
  return {
    name: `sharp, ${fastShrinkOnLoad ? 'shrink-on-load' : 'fastShrinkOnLoad: false'}`,
    async prepare({ bytes }, times) {
      const square = await timed(times, 'decode and resize', async () => {
        const { width, height } = await sharp(bytes).metadata();
        const short = Math.min(width, height);
        const [fittedWidth, fittedHeight] = [width, height].map((edge) => Math.floor((edge * size) / short)) as [number, number];
        const fitted = sharp(bytes).resize(fittedWidth, fittedHeight, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad });
        return fitted.extract({ left: Math.floor((fittedWidth - size) / 2), top: Math.floor((fittedHeight - size) / 2), width: size, height: size }).raw().toBuffer();
      });
      await timed(times, 'normalize', () => planes(square));
      return square;
    },
  };
}

function planes(square: Uint8Array): Float32Array {
  const { mean, std } = preprocessing;
  const plane = size ** 2;
  const tensor = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) tensor[c * plane + i] = (square[3 * i + c]! / 255 - mean[c]!) / std[c]!;
  }
  return tensor;
}

const pillowName = ({ version }: PillowPeer): string => `Pillow ${version}`;

function pillowWay(pillow: PillowPeer): Way {
  return {
    name: pillowName(pillow),
    async prepare({ file }, times) {
      const { seconds, pixels } = await pillow.prepare(file, preprocessing);
      for (const [index, stage] of (['decode', 'resize', 'normalize'] as const).entries()) times[stage] = (times[stage] ?? 0) + 1000 * seconds[index]!;
      return pixels;
    },
  };
}

async function timed<T>(times: StageTimes, stage: Stage, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times[stage] = (times[stage] ?? 0) + performance.now() - began;
  return result;
}

/** A fixture's photo enlarged, with a sensor's noise, so that it is as dear to decode as a camera's: 4:2:0, quality 85. */
async function photo(folder: string, width: number, height: number, index: number): Promise<Photo> {
  const source = path.join(repository, 'test/fixtures/reference/images', index % 2 === 0 ? 'landscape.jpg' : 'progressive.jpg');
  const pixels = await sharp(source).toColourspace('srgb').resize(width, height, { fit: 'fill' }).raw().toBuffer();
  let state = index + 1;
  for (let i = 0; i < pixels.length; i++) {
    // Numerical Recipes' linear congruential generator; its upper bits.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    pixels[i] = Math.max(0, Math.min(255, pixels[i]! + (state >>> 28) - 8));
  }
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: 85 }).toBuffer();
  const file = path.join(folder, `${width}-${index}.jpg`);
  await writeFile(file, bytes);
  return { file, bytes: await readFile(file) };
}

/** How far pictures come out from what the Python reference makes of them, on the fixtures of a small CLIP. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { Preprocessing } from '../../src/encoder/picture/preprocess.js';
import { repository } from '../server.js';
import { BareEncoding, encoderFolder } from './bare-encoding.js';
import { barePixels } from './bare-pixels.js';
import type { BenchModel } from './bench-model.js';
import { median } from './timing.js';
import { peerName, type TransformersPeer } from './transformers-peer.js';

const reference = path.join(repository, 'test/fixtures/reference');
const model: BenchModel = { id: 'clip-tiny', directory: reference };

/** Of 255, over a picture's samples. */
interface PixelError {
  name: string;
  mean: number;
  worst: number;
}

export async function printReferenceErrors(peer: TransformersPeer): Promise<void> {
  const golden = path.join(reference, model.id, 'golden');
  const names = (await readdir(path.join(golden, 'pixels'))).sort().map((name) => name.replace(/\.png$/, ''));
  const files = names.map((name) => path.join(reference, 'images', name));
  const preprocessing = await preprocessingOf(model);
  await peer.load(model);

  const expected = await Promise.all(names.map((name) => goldenPixels(path.join(golden, 'pixels', `${name}.png`))));
  const ours = (await ourPixels(files, preprocessing)).map((tensor, index) => pixelError(names[index]!, samples(tensor, preprocessing), expected[index]!));
  const theirs = (await peer.pixels(files)).map((answer, index) => (answer.ok ? pixelError(names[index]!, samples(answer.pixels, preprocessing), expected[index]!) : answer.message));
  const unread = names.flatMap((name, index) => (typeof theirs[index] === 'string' ? [`${name} (${theirs[index]})`] : []));
  const read = names.flatMap((name, index) => (typeof theirs[index] === 'string' ? [] : [{ name, file: files[index]!, ours: ours[index]!, theirs: theirs[index] as PixelError }]));

  console.log(`transformers, ${read.length} fixture pictures against Pillow's pixels, of 255: ours ${told(read.map((each) => each.ours))}; ${peerName} ${peer.version} ${told(read.map((each) => each.theirs))}`);
  const jpegs = read.filter(({ name }) => name.endsWith('.jpg'));
  console.log(`transformers, the ${jpegs.length} JPEGs of them: ours ${told(jpegs.map((each) => each.ours))}; ${peerName} ${told(jpegs.map((each) => each.theirs))}`);
  if (unread.length > 0) console.log(`transformers, not read by ${peerName}: ${unread.join(', ')}`);

  const embeddings = JSON.parse(await readFile(path.join(golden, 'images.json'), 'utf8')) as Record<string, { embedding: number[] }>;
  const wanted = read.map(({ name }) => Float32Array.from(embeddings[name]!.embedding));
  const bare = await BareEncoding.start(model, 1);
  const own = await bare.encode(read.map(({ file }) => file)).finally(() => bare.end());
  const other = (await peer.encode(read.map(({ file }) => file), 1)).embeddings;
  console.log(`transformers, their cosine to the reference's embeddings: ours ${spread(cosines(own, wanted))}; ${peerName} ${spread(cosines(other, wanted))}`);
}

/** Both on the same files, one beside the other: without the reference, which has not seen them. */
export async function printPixelDifference(peer: TransformersPeer, model: BenchModel, files: string[], label: string): Promise<void> {
  const preprocessing = await preprocessingOf(model);
  const ours = await ourPixels(files, preprocessing);
  const theirs = await peer.pixels(files);
  const errors = theirs.flatMap((answer, index) => (answer.ok ? [pixelError(path.basename(files[index]!), samples(answer.pixels, preprocessing), samples(ours[index]!, preprocessing))] : []));
  console.log(`transformers, ${label}: its pixels against ours, of 255: ${told(errors)} (${errors.length} pictures)`);
}

/** Lowest and median of all pairs. */
export function cosineSpread(some: Float32Array[], others: Float32Array[]): string {
  return spread(cosines(some, others));
}

async function preprocessingOf({ directory, id }: BenchModel): Promise<Preprocessing> {
  const { readPackage } = (await import(`${encoderFolder}package/model-package.js`)) as typeof import('../../src/encoder/package/model-package.js');
  return (await readPackage(directory, id)).towers.image!;
}

async function ourPixels(files: string[], preprocessing: Preprocessing): Promise<Float32Array[]> {
  const write = await barePixels(encoderFolder, preprocessing);
  const tensors: Float32Array[] = [];
  for (const file of files) {
    const tensor = new Float32Array(3 * preprocessing.size ** 2);
    await write(await readFile(file), tensor, 0);
    tensors.push(tensor);
  }
  return tensors;
}

/** The 8-bit samples that a tensor was made of, in its order. */
function samples(tensor: Float32Array, { mean, std, size }: Preprocessing): Float32Array {
  return tensor.map((value, i) => {
    const channel = Math.floor(i / size ** 2);
    return Math.round((value * std[channel]! + mean[channel]!) * 255);
  });
}

async function goldenPixels(file: string): Promise<Float32Array> {
  const { data, info } = await sharp(file).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const plane = info.width * info.height;
  const stride = info.channels as number;
  return Float32Array.from({ length: 3 * plane }, (_, i) => data[(i % plane) * stride + (stride === 1 ? 0 : Math.floor(i / plane))]!);
}

function pixelError(name: string, found: Float32Array, expected: Float32Array): PixelError {
  const differences = found.map((value, i) => Math.abs(value - expected[i]!));
  return { name, mean: differences.reduce((a, b) => a + b) / differences.length, worst: differences.reduce((a, b) => Math.max(a, b)) };
}

function told(errors: PixelError[]): string {
  const mean = errors.reduce((sum, error) => sum + error.mean, 0) / errors.length;
  const worst = errors.reduce((a, b) => (b.worst > a.worst ? b : a));
  return `mean ${mean.toFixed(2)}, worst ${worst.worst}${worst.worst > 0 ? ` (${worst.name})` : ''}`;
}

function cosines(some: Float32Array[], others: Float32Array[]): number[] {
  return some.map((one, index) => {
    const other = others[index]!;
    let [dot, a, b] = [0, 0, 0];
    for (let i = 0; i < one.length; i++) {
      dot += one[i]! * other[i]!;
      a += one[i]! ** 2;
      b += other[i]! ** 2;
    }
    return dot / Math.sqrt(a * b);
  });
}

const spread = (values: number[]): string => `lowest ${Math.min(...values).toFixed(4)}, median ${median(values).toFixed(4)}`;

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Modality } from '../../domain/modality.js';
import type { SelfTest } from '../encoder.js';
import type { ModelPackage } from '../package/model-package.js';
import type { WorkerProcess } from './worker-process.js';

/** Cosine to the golden vector that every picture and text must reach. Half a pixel, a wrong padding, lost case fall below it. */
export const leastCosine = 0.99;

const embedding = z.array(z.number()).min(1);
const GoldenImages = z.record(z.string(), z.object({ embedding }));
const GoldenTexts = z.array(
  z.object({
    text: z.string(),
    input_ids: z.array(z.number()),
    embedding,
    /** False where tokenizers are known to differ. */
    strict: z.boolean().optional(),
  }),
);
type GoldenText = z.infer<typeof GoldenTexts>[number];

interface GoldenPicture {
  name: string;
  bytes: Uint8Array;
  embedding: number[];
}

/**
 * A package's golden vectors through the code that serves requests: golden/images.json (file -> {embedding}) with
 * golden/images/, and golden/texts.json, each where it has the tower, made by the model's own recipe. `unverified` where one is missing.
 * A worker that takes longer than `limitMs` for the pictures or the texts is ended. `done` is told when those of a
 * modality are through.
 */
export async function runSelfTest(worker: WorkerProcess, model: ModelPackage, limitMs: number, done: (modality: Modality) => void = () => undefined): Promise<SelfTest> {
  const folder = join(model.directory, 'golden');
  const golden = await readGolden(folder, model);
  if (!golden) return { status: 'unverified' };

  const image = golden.pictures && (await ofPictures(worker, model, golden.pictures, limitMs));
  if (image) done('image');
  const text = golden.texts && (await ofTexts(worker, model, golden.texts, limitMs));
  if (text) done('text');
  const passed = [image, text].every((part) => part === undefined || part.lowest_cosine >= leastCosine) && (text?.other_tokens ?? 0) === 0;
  return { status: passed ? 'passed' : 'failed', least_cosine: leastCosine, ...(image ? { image } : {}), ...(text ? { text } : {}) };
}

async function ofPictures(worker: WorkerProcess, model: ModelPackage, golden: GoldenPicture[], limitMs: number): Promise<NonNullable<SelfTest['image']>> {
  const replies = await inBatches(golden, (some) => worker.ask({ kind: 'pictures', model, pictures: some.map(({ bytes }) => ({ bytes, thumbnail: false })) }, limitMs));
  const unread = replies.flatMap((each) => each.pictures).findIndex(({ ok }) => !ok);
  if (unread >= 0) throw new Error(`golden/images/${golden[unread]!.name} cannot be read.`);
  return { count: golden.length, lowest_cosine: lowestCosine(replies.map(({ embeddings }) => embeddings), golden) };
}

async function ofTexts(worker: WorkerProcess, model: ModelPackage, golden: GoldenText[], limitMs: number): Promise<NonNullable<SelfTest['text']>> {
  const { embeddings, texts } = await worker.ask({ kind: 'texts', model, texts: golden.map(({ text }) => text), wantIds: true }, limitMs);
  return {
    count: golden.length,
    lowest_cosine: lowestCosine([embeddings], golden),
    other_tokens: golden.filter(({ input_ids: ids }, index) => !sameTokens(texts[index]!.ids ?? [], ids)).length,
  };
}

/** As few at a time as are served: what an inference takes of memory, the worker keeps. */
const picturesAtOnce = 4;

async function inBatches<T, Reply>(all: T[], ask: (some: T[]) => Promise<Reply>): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let from = 0; from < all.length; from += picturesAtOnce) replies.push(await ask(all.slice(from, from + picturesAtOnce)));
  return replies;
}

/** Golden ids may be padded: what follows ours must then be one id, over and over. */
function sameTokens(ids: number[], golden: number[]): boolean {
  const padding = golden.slice(ids.length);
  return ids.length <= golden.length && ids.every((id, i) => id === golden[i]) && padding.every((id) => id === padding[0]);
}

async function readGolden(folder: string, { towers }: ModelPackage): Promise<{ pictures?: GoldenPicture[]; texts?: GoldenText[] } | undefined> {
  try {
    const pictures = towers.image && (await readGoldenPictures(folder));
    const texts = towers.text && GoldenTexts.parse(JSON.parse(await readFile(join(folder, 'texts.json'), 'utf8')));
    if (pictures?.length === 0 || texts?.length === 0) return undefined;
    return { ...(pictures ? { pictures } : {}), ...(texts ? { texts: texts.filter(({ strict }) => strict !== false) } : {}) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw new Error(`The golden vectors in ${folder} cannot be read: ${issue ? [...issue.path, issue.message].join(': ') : (error as Error).message}.`, { cause: error });
  }
}

async function readGoldenPictures(folder: string): Promise<GoldenPicture[]> {
  const images = GoldenImages.parse(JSON.parse(await readFile(join(folder, 'images.json'), 'utf8')));
  return Promise.all(Object.entries(images).map(async ([name, { embedding }]) => ({ name, embedding, bytes: new Uint8Array(await readFile(join(folder, 'images', name))) })));
}

/** `batches` are normalised embeddings, one after the other; the golden ones need not be. */
function lowestCosine(batches: Float32Array[], golden: { embedding: number[] }[]): number {
  const embeddings = Float32Array.from(batches.flatMap((batch) => [...batch]));
  const dimension = embeddings.length / golden.length;
  return Math.min(
    ...golden.map(({ embedding }, row) => {
      if (embedding.length !== dimension) throw new Error(`A golden vector has ${embedding.length} numbers, the model gives ${dimension}.`);
      const dot = embedding.reduce((sum, value, i) => sum + value * embeddings[row * dimension + i]!, 0);
      return Math.min(1, dot / Math.hypot(...embedding));
    }),
  );
}

/** An encoder worker: decodes, resizes, tokenises and infers, one thread each. Runs inside worker_threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { toMixspaceError } from '../../errors.js';
import { decode, decodedBytes, readHeader, settleDecoder, thumbnailOf } from '../picture/decode.js';
import type { PictureFacts, PicturesReply, Reply, Request, StageSeconds, TextsReply, WorkerSettings } from './messages.js';
import type { ModelPackage } from '../package/model-package.js';
import { fitSquare, writeTensor } from '../picture/preprocess.js';
import type { Bitmap } from '../picture/resize.js';
import { loadTowers, type Towers } from './towers.js';

if (!parentPort) throw new Error('worker.ts runs in a worker thread');
const port = parentPort;
const { limits } = workerData as WorkerSettings;
const loaded = new Map<string, Promise<Towers>>();
settleDecoder();

port.on('message', (request: Request) => {
  answer(request).then(
    ([reply, transfer]) => port.postMessage(reply, transfer),
    (error: unknown) => port.postMessage({ ticket: request.ticket, kind: 'failed', error: toMixspaceError(error).toPlain(), cause: String(error) } satisfies Reply),
  );
});

async function answer(request: Request): Promise<[Reply, ArrayBuffer[]]> {
  const { ticket, model } = request;
  const towers = await towersOf(model);
  if (request.kind === 'load') return [{ ticket, kind: 'loaded', dimension: towers.dimension, oneAtATime: towers.oneAtATime }, []];
  const reply = request.kind === 'texts' ? await encodeTexts(towers, request.texts, request.wantIds ?? false) : await encodePictures(towers, model, request.pictures);
  return [{ ticket, ...reply }, [reply.embeddings.buffer as ArrayBuffer]];
}

function towersOf(model: ModelPackage): Promise<Towers> {
  let towers = loaded.get(model.id);
  if (!towers) {
    towers = loadTowers(model);
    loaded.set(model.id, towers);
    towers.catch(() => loaded.delete(model.id));
  }
  return towers;
}

async function encodeTexts(towers: Towers, texts: string[], wantIds: boolean): Promise<TextsReply> {
  const seconds: StageSeconds = {};
  const encoded = await timed(seconds, 'tokenize', () => texts.map((text) => towers.textEncoding.encode(text)));
  const embeddings = await timed(seconds, 'infer', () => towers.encodeTexts(encoded));
  return { kind: 'texts', embeddings, texts: encoded.map(({ ids, truncated }) => ({ tokens: ids.length, truncated, ...(wantIds ? { ids } : {}) })), seconds };
}

async function encodePictures(towers: Towers, model: ModelPackage, pictures: { bytes: Uint8Array; thumbnail: boolean }[]): Promise<PicturesReply> {
  const seconds: StageSeconds = {};
  const stride = 3 * model.image.size ** 2;
  const tensor = new Float32Array(pictures.length * stride);
  const outcomes: PicturesReply['pictures'] = [];
  let read = 0;
  for (const { bytes, thumbnail } of pictures) {
    try {
      const picture = await readPicture(bytes, thumbnail, seconds, (bitmap) => writeTensor(fitSquare(bitmap, model.image), model.image, tensor, read * stride));
      outcomes.push({ ok: true, picture });
      read++;
    } catch (error) {
      outcomes.push({ ok: false, error: toMixspaceError(error).toPlain() });
    }
  }
  const embeddings = await timed(seconds, 'infer', () => towers.encodePixels(tensor.subarray(0, read * stride), read));
  return { kind: 'pictures', embeddings, pictures: outcomes, seconds };
}

async function readPicture(bytes: Uint8Array, thumbnail: boolean, seconds: StageSeconds, use: (bitmap: Bitmap) => void): Promise<PictureFacts> {
  const header = await timed(seconds, 'decode', () => readHeader(bytes, limits));
  return alone(decodedBytes(header), async () => {
    const bitmap = await timed(seconds, 'decode', () => decode(bytes, header));
    await timed(seconds, 'resize', () => use(bitmap));
    const { width, height, mediaType, takenAt } = header;
    return {
      width,
      height,
      mediaType,
      ...(takenAt === undefined ? {} : { takenAt }),
      ...(thumbnail ? { thumbnail: await timed(seconds, 'thumbnail', () => thumbnailOf(bitmap)) } : {}),
    };
  });
}

/** Pictures this large wait for one another, so that a worker's two batches never hold two of them. */
const largePicture = 64 * 2 ** 20;
let lastLarge: Promise<unknown> = Promise.resolve();

function alone<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  if (bytes < largePicture) return work();
  const turn = lastLarge.then(work);
  lastLarge = turn.catch(() => undefined);
  return turn;
}

async function timed<T>(seconds: StageSeconds, stage: keyof StageSeconds, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    seconds[stage] = (seconds[stage] ?? 0) + (performance.now() - start) / 1000;
  }
}

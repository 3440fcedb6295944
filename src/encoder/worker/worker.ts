/** An encoder worker: decodes, resizes, tokenises and infers, in a process of its own that whoever started it may kill at any time. */
import { Socket } from 'node:net';
import { toMixspaceError } from '../../errors.js';
import { changed, requireUnchanged } from '../package/fingerprint.js';
import { stampOfFiles } from '../package/files.js';
import { readPackage, versionOf, type ModelPackage } from '../package/model-package.js';
import { decodedBytes, readHeader, settleDecoder } from '../picture/decode.js';
import { preparePicture } from '../picture/prepare.js';
import { Channel } from '../protocol/channel.js';
import type { PictureFacts, PicturesReply, Reply, ReplyBody, Request, RequestBody, StageSeconds, TextsReply, WorkerSettings } from '../protocol/messages.js';
import { loadTowers, type Towers } from './towers.js';

process.title = 'mixspace-encoder';
const { packages, limits, session } = JSON.parse(process.argv[2]!) as WorkerSettings;
const loaded = new Map<string, Promise<Loaded>>();
settleDecoder();

interface Loaded extends Towers {
  /** Throws a `conflict` where files were written to that the towers compute with. */
  requireUntouched(): Promise<void>;
}

// A terminal's and a service manager's signals reach the whole group: work under way ends first, and the service ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const socket = new Socket({ fd: 3, readable: true, writable: true });
// The service is gone. A plain exit would wait for a decoder that hangs.
socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
const channel = new Channel<Reply>(
  socket,
  (message) => {
    const { ticket, ...body } = message as Request;
    const reply = (answered: ReplyBody): void => channel.send({ ticket, usage: usage(), ...answered });
    answer(body)
      .then(reply, (error: unknown) => reply({ kind: 'failed', error: toMixspaceError(error).toPlain(), cause: String(error) }))
      .catch(giveUp);
  },
  giveUp,
);

/** What cannot be read or answered may not be waited for: whoever started this worker starts another one. */
function giveUp(error: unknown): void {
  process.stderr.write(`An encoder worker ends: ${String(error)}\n`, () => process.kill(process.pid, 'SIGKILL'));
}

function usage(): Reply['usage'] {
  const { user, system } = process.cpuUsage();
  return { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 };
}

async function answer(request: RequestBody): Promise<ReplyBody> {
  switch (request.kind) {
    case 'read':
      return { kind: 'read', model: await readPackage(packages.modelsDirectory, request.id, packages) };
    case 'load': {
      const { dimension, oneAtATime, executionProvider, refused } = await towersOf(request.model);
      collect();
      return { kind: 'loaded', dimension, oneAtATime, executionProvider, refused };
    }
    case 'unload':
      await unload(request.model);
      return { kind: 'unloaded' };
    case 'texts':
      return computed(request.model, (towers) => encodeTexts(towers, request.texts, request.wantIds ?? false));
    case 'pictures':
      return computed(request.model, (towers) => encodePictures(towers, request.model, request.pictures));
  }
}

async function computed<T>(model: ModelPackage, compute: (towers: Towers) => Promise<T>): Promise<T> {
  const towers = await towersOf(model);
  const answer = await compute(towers);
  await towers.requireUntouched();
  return answer;
}

function towersOf(model: ModelPackage): Promise<Loaded> {
  const version = versionOf(model);
  let towers = loaded.get(version);
  if (!towers) {
    towers = load(model);
    loaded.set(version, towers);
    towers.catch(() => loaded.delete(version));
  }
  return towers;
}

async function load(model: ModelPackage): Promise<Loaded> {
  let towers: Towers | undefined;
  const { externalData } = model;
  const stamp = await stampOfFiles(externalData);
  const requireUntouched = async (): Promise<void> => {
    if (externalData.length > 0 && (await stampOfFiles(externalData)) !== stamp) throw changed(model);
  };
  try {
    towers = await loadTowers(model, session);
    return { ...towers, requireUntouched };
  } finally {
    // Afterwards: files that changed while they were loaded are found out, too.
    await requireUnchanged(model, packages).catch(async (error: unknown) => {
      await towers?.release();
      throw error;
    });
  }
}

async function unload(model: ModelPackage): Promise<void> {
  const towers = loaded.get(versionOf(model));
  loaded.delete(versionOf(model));
  await (await towers)?.release();
  setImmediate(collect);
}

/** Vocabularies are tens of megabytes of small objects, read by way of as much again, and may wait long for a collection of their own. */
function collect(): void {
  globalThis.gc?.();
}

async function encodeTexts(towers: Towers, texts: string[], wantIds: boolean): Promise<TextsReply> {
  const seconds: StageSeconds = {};
  const encoded = await timed(seconds, 'tokenize', () => texts.map((text) => towers.textEncoding.encode(text)));
  const answer = await timed(seconds, 'infer', () => towers.encodeTexts(encoded));
  return { kind: 'texts', ...answer, texts: encoded.map(({ ids, truncated }) => ({ tokens: ids.length, truncated, ...(wantIds ? { ids } : {}) })), seconds };
}

async function encodePictures(towers: Towers, model: ModelPackage, pictures: { bytes: Uint8Array; thumbnail: boolean }[]): Promise<PicturesReply> {
  const seconds: StageSeconds = {};
  const stride = 3 * model.image.size ** 2;
  const tensor = new Float32Array(pictures.length * stride);
  const outcomes: PicturesReply['pictures'] = [];
  let read = 0;
  for (const { bytes, thumbnail } of pictures) {
    try {
      const picture = await readPicture(bytes, model, tensor, read * stride, thumbnail, seconds);
      outcomes.push({ ok: true, picture });
      read++;
    } catch (error) {
      outcomes.push({ ok: false, error: toMixspaceError(error).toPlain() });
    }
  }
  const answer = await timed(seconds, 'infer', () => towers.encodePixels(tensor.subarray(0, read * stride), read));
  return { kind: 'pictures', ...answer, pictures: outcomes, seconds };
}

async function readPicture(bytes: Uint8Array, model: ModelPackage, tensor: Float32Array, offset: number, thumbnail: boolean, seconds: StageSeconds): Promise<PictureFacts> {
  const header = await timed(seconds, 'decode', () => readHeader(bytes, limits));
  return alone(decodedBytes(header), async () => {
    const made = await preparePicture(bytes, header, model.image, tensor, offset, thumbnail, (stage, work) => timed(seconds, stage, work));
    const { width, height, mediaType, takenAt } = header;
    return { width, height, mediaType, ...(takenAt === undefined ? {} : { takenAt }), ...(made === undefined ? {} : { thumbnail: made }) };
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

/** An encoder worker: decodes, resizes, tokenises and infers, in a process of its own that whoever started it may kill at any time. */
import { Socket } from 'node:net';
import type { Modality } from '../../domain/modality.js';
import { boxesOf, mostTiles } from '../../domain/tiles.js';
import { MixspaceError, toMixspaceError, traceOf } from '../../errors.js';
import { changed, requireUnchanged } from '../package/fingerprint.js';
import { keyOf, readPackage, type ModelPackage } from '../package/model-package.js';
import { versionOfFiles } from '../package/files-version.js';
import { decodedBytes, readHeader, settleDecoder } from '../picture/decode.js';
import { tellsOf } from '../picture/exif/tells.js';
import { preparePicture, type Place, type SentPicture } from '../picture/pipeline.js';
import type { Preprocessing } from '../picture/preprocess.js';
import { Channel } from '../protocol/channel.js';
import type { PictureFacts, PicturesReply, Reply, ReplyBody, Request, RequestBody, StageSeconds, TextsReply, WorkerSettings } from '../protocol/messages.js';
import { loadImageTower, type ImageTower } from './image-tower.js';
import { loadTextTower, type TextTower } from './text-tower.js';
import type { Embeddings } from './tower.js';

process.title = 'mixspace-encoder';
const { packages, limits, session } = JSON.parse(process.argv[2]!) as WorkerSettings;
settleDecoder();

interface TowerOf {
  text: TextTower;
  image: ImageTower;
}

type Guarded<Kind extends Modality> = TowerOf[Kind] & {
  /** Throws a `conflict` where files were written to that the tower computes with. */
  requireUntouched(): Promise<void>;
};

/** By version and modality. */
const loaded = new Map<string, Promise<Guarded<Modality>>>();

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
      const { dimension, oneAtATime, executionProvider, refused } = await towerOf(request.model, request.modality);
      collect();
      return { kind: 'loaded', dimension, oneAtATime, executionProvider, refused };
    }
    case 'unload':
      await unload(request.model, request.modality);
      return { kind: 'unloaded' };
    case 'texts':
      return computed(request.model, 'text', (tower) => encodeTexts(tower, request.texts, request.wantIds ?? false));
    case 'pictures':
      return computed(request.model, 'image', (tower) => encodePictures(tower, request.model.towers.image!, request.pictures));
  }
}

async function computed<Kind extends Modality, T>(model: ModelPackage, modality: Kind, compute: (tower: TowerOf[Kind]) => Promise<T>): Promise<T> {
  const tower = await towerOf(model, modality);
  const answer = await compute(tower);
  await tower.requireUntouched();
  return answer;
}

function towerOf<Kind extends Modality>(model: ModelPackage, modality: Kind): Promise<Guarded<Kind>> {
  const key = `${keyOf(model)} ${modality}`;
  let tower = loaded.get(key) as Promise<Guarded<Kind>> | undefined;
  if (!tower) {
    tower = load(model, modality);
    loaded.set(key, tower as Promise<Guarded<Modality>>);
    tower.catch(() => loaded.delete(key));
  }
  return tower;
}

const loaders: { [Kind in Modality]: (model: ModelPackage) => Promise<TowerOf[Kind]> } = {
  text: (model) => loadTextTower(model.directory, present(model, 'text'), session),
  image: (model) => loadImageTower(present(model, 'image'), session),
};

function present<Kind extends Modality>({ id, towers }: ModelPackage, modality: Kind): NonNullable<ModelPackage['towers'][Kind]> {
  const tower = towers[modality];
  if (!tower) throw new MixspaceError('not_ready', `Model ${id} has no tower for ${modality}.`);
  return tower;
}

async function load<Kind extends Modality>(model: ModelPackage, modality: Kind): Promise<Guarded<Kind>> {
  let tower: TowerOf[Kind] | undefined;
  const { externalData } = model;
  const before = await versionOfFiles(externalData);
  const requireUntouched = async (): Promise<void> => {
    if (externalData.length > 0 && (await versionOfFiles(externalData)) !== before) throw changed(model);
  };
  try {
    tower = await loaders[modality](model);
    return { ...tower, requireUntouched };
  } finally {
    // Afterwards: files that changed while they were loaded are found out, too.
    await requireUnchanged(model, packages).catch(async (error: unknown) => {
      await tower?.release();
      throw error;
    });
  }
}

async function unload(model: ModelPackage, modality: Modality): Promise<void> {
  const key = `${keyOf(model)} ${modality}`;
  const tower = loaded.get(key);
  loaded.delete(key);
  await (await tower)?.release();
  setImmediate(collect);
}

/** Vocabularies are tens of megabytes of small objects, read by way of as much again, and may wait long for a collection of their own. */
function collect(): void {
  globalThis.gc?.();
}

async function encodeTexts(tower: TextTower, texts: string[], wantIds: boolean): Promise<TextsReply> {
  const seconds: StageSeconds = {};
  const encoded = await timed(seconds, 'tokenize', () => texts.map((text) => tower.tokenize(text)));
  const answer = await timed(seconds, 'infer', () => tower.encode(encoded));
  return { kind: 'texts', ...answer, texts: encoded.map(({ ids, truncated }) => ({ tokens: ids.length, truncated, ...(wantIds ? { ids } : {}) })), seconds };
}

async function encodePictures(tower: ImageTower, rules: Preprocessing, pictures: SentPicture[]): Promise<PicturesReply> {
  const seconds: StageSeconds = {};
  const stride = 3 * rules.size ** 2;
  const tensor = new Float32Array(pictures.reduce((sum, { tiles }) => sum + 1 + (typeof tiles === 'string' ? mostTiles : (tiles?.length ?? 0)), 0) * stride);
  const outcomes: PicturesReply['pictures'] = [];
  let read = 0;
  for (const sent of pictures) {
    try {
      const picture = await readPicture(sent, rules, { tensor, offset: read * stride }, seconds);
      outcomes.push({ ok: true, picture });
      read += 1 + (picture.boxes?.length ?? 0);
    } catch (error) {
      const known = toMixspaceError(error);
      outcomes.push({ ok: false, error: known.toPlain(), ...(known.code === 'internal' ? { cause: traceOf(error) } : {}) });
    }
  }
  const answer = await timed(seconds, 'infer', () => encodeSome(tower, tensor, { count: read, stride, atOnce: Math.max(tensorsAtOnce, pictures.length) }));
  return { kind: 'pictures', ...answer, pictures: outcomes, seconds };
}

/** What an inference takes of memory, the process keeps: with tiles, no more at once than there would be pictures. */
const tensorsAtOnce = 4;

/** `stride` numbers an input. */
async function encodeSome(tower: ImageTower, tensor: Float32Array, { count, stride, atOnce }: { count: number; stride: number; atOnce: number }): Promise<Embeddings> {
  if (count <= atOnce) return tower.encode(tensor.subarray(0, count * stride), count);
  const answers: Embeddings[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const some = Math.min(atOnce, count - from);
    answers.push(await tower.encode(tensor.subarray(from * stride, (from + some) * stride), some));
  }
  const embeddings = new Float32Array(answers.reduce((sum, answer) => sum + answer.embeddings.length, 0));
  let at = 0;
  for (const answer of answers) {
    embeddings.set(answer.embeddings, at);
    at += answer.embeddings.length;
  }
  return { embeddings, norms: answers.flatMap(({ norms }) => norms) };
}

async function readPicture(sent: SentPicture, rules: Preprocessing, place: Place, seconds: StageSeconds): Promise<PictureFacts> {
  const header = await timed(seconds, 'decode', () => readHeader(sent.bytes, limits));
  return alone(decodedBytes(header), async () => {
    const { width, height, mediaType } = header;
    const tells = sent.thumbnail ? await timed(seconds, 'decode', () => tellsOf(sent.bytes, mediaType, header.metadata)) : {};
    const { tiles = [] } = sent;
    const boxes = typeof tiles === 'string' ? boxesOf(tiles, { width, height }, rules.size) : tiles;
    const made = await preparePicture({ ...sent, header, boxes }, rules, place, (stage, work) => timed(seconds, stage, work));
    return { width, height, mediaType, ...tells, ...(made === undefined ? {} : { thumbnail: made }), ...(boxes.length === 0 ? {} : { boxes }) };
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

import { crc32 } from 'node:zlib';
import type { ChildProcess } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OpenEncoder } from '../src/encoder/encoder.js';
import { openEncoder, type EncoderOptions } from '../src/encoder/open.js';
import { readPackage } from '../src/encoder/package/model-package.js';
import { readTextEncoding } from '../src/encoder/text/text-encoding.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { tinyModels } from './server.js';
import { bounds, compareEmbeddings, compareIds, comparePixels, golden, limits, type GoldenText } from './parity/compare.js';

const reference = fileURLToPath(new URL('fixtures/reference', import.meta.url));
const bulk = { priority: 'bulk' } as const;
const interactive = { priority: 'interactive' } as const;
const logged: string[] = [];

/** Workers run compiled. */
const startWorker = startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url));

const open = (options: Partial<EncoderOptions> = {}) =>
  openEncoder({ modelsDirectory: reference, defaultModel: 'clip-tiny', workers: 1, limits, startWorker, log: (_, message) => logged.push(message), ...options });
const picture = (name: string) => readFile(join(reference, 'images', name));

let encoder: OpenEncoder;

beforeAll(async () => {
  encoder = await open();
});

afterAll(() => encoder.close());

describe.each(['clip-tiny', 'openclip-tiny', 'siglip-tiny', 'siglip2-tiny', 'chinese-clip-tiny'])('%s', (model) => {
  // Chinese-CLIP's geometry is SigLIP's, and so are its golden pixels.
  test.skipIf(model === 'chinese-clip-tiny')('gives the pixels of the Python reference', async () => {
    const differences = await comparePixels(reference, model);
    expect(differences.length).toBeGreaterThan(3);
    for (const { name, lossless, mean, worst, tensor } of differences) {
      if (lossless) expect([worst, tensor], name).toEqual([0, expect.closeTo(0, 5)]);
      else expect([mean <= bounds.meanPixels, worst <= bounds.worstPixels], name).toEqual([true, true]);
    }
  });

  test('gives the ids of the Python reference for texts', async () => {
    expect(await compareIds(reference, model)).toEqual({ strict: 38, same: 38, different: [] });
  });

  test('gives its embeddings, alone and in any batch', async () => {
    const { image, text, aloneOrTogether, pictures } = await compareEmbeddings(encoder, reference, model);
    expect(pictures).toBe(19);
    expect(image.cosine, image.name).toBeGreaterThanOrEqual(0.9999);
    expect(text.cosine, text.name).toBeGreaterThanOrEqual(0.9999);
    expect(aloneOrTogether).toBeLessThanOrEqual(1e-5);
  });
});

test('maps joined emoji as SentencePiece does, where strict texts have none', async () => {
  const texts = await golden<GoldenText[]>(reference, 'siglip-tiny', 'texts.json');
  const { directory, towers: { text: rules } } = await readPackage(reference, 'siglip-tiny');
  const encoding = await readTextEncoding(directory, rules!);
  for (const { text, note, input_ids: wanted } of texts.filter(({ strict }) => !strict)) {
    const { ids } = encoding.encode(text);
    expect(ids, note).toEqual(wanted.slice(0, ids.length));
  }
});

test('describes its models, the default one first', async () => {
  expect(encoder.models.list().map(({ id }) => id)).toEqual(['clip-tiny', 'chinese-clip-tiny', 'openclip-tiny', 'siglip-tiny', 'siglip2-tiny']);
  const { dimension, contextLength, imageSize, logitScale, fingerprint } = await encoder.models.model();
  expect({ dimension, contextLength, imageSize }).toEqual({ dimension: 64, contextLength: 77, imageSize: 224 });
  expect(logitScale).toBeCloseTo(100, 1);
  expect(fingerprint).toMatch(/^[0-9a-f]{24}$/);
  expect(fingerprint).not.toBe((await encoder.models.model('siglip2-tiny')).fingerprint);
  await expect(encoder.models.model('nope')).rejects.toThrow(expect.objectContaining({ code: 'not_found', message: expect.stringContaining('chinese-clip-tiny, clip-tiny') }));
});

test('leaves a broken package out, serves the rest, and says when none is left', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'mixspace-models-'));
  try {
    await cp(join(reference, 'clip-tiny'), join(directory, 'good'), { recursive: true });
    await cp(join(reference, 'clip-tiny'), join(directory, 'broken'), { recursive: true });
    await writeFile(join(directory, 'broken', 'onnx', 'vision_model.onnx'), 'junk');
    const served = await open({ modelsDirectory: directory, defaultModel: 'good' });
    await expect(served.encodeTexts('broken', ['a dog'], interactive)).rejects.toMatchObject({ code: 'not_ready', message: expect.stringMatching(/broken cannot be used: .*vision_model/) });
    expect(served.models.list()).toMatchObject([{ id: 'good', loadedIn: 1 }, { id: 'broken', problem: expect.stringContaining('vision_model'), loadedIn: 0 }]);
    expect(logged.join()).toContain('broken cannot be used');
    await served.close();
    await expect(open({ modelsDirectory: directory, defaultModel: 'broken' })).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('The model broken cannot be used') });
    await rm(join(directory, 'good'), { recursive: true });
    await expect(open({ modelsDirectory: directory, defaultModel: 'good' })).rejects.toMatchObject({ code: 'not_ready' });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('refuses each bad picture alone, with a sentence, while the rest of the batch is read', async () => {
  const jpeg = await picture('landscape.jpg');
  const png = await picture('off-by-one-225x224.png');
  const huge = Buffer.from(png);
  huge.writeUInt32BE(30_000, 16);
  huge.writeUInt32BE(30_000, 20);
  huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
  const cases: [string, Uint8Array, string, RegExp][] = [
    ['empty', new Uint8Array(0), 'unsupported_media', /empty/],
    ['text renamed', Buffer.from('I am not a picture.'), 'unsupported_media', /text/],
    ['truncated JPEG', jpeg.subarray(0, jpeg.length * 0.6), 'damaged_media', /truncated/],
    ['truncated progressive JPEG', (await picture('progressive.jpg')).subarray(0, 30_000), 'damaged_media', /truncated/],
    ['truncated PNG', png.subarray(0, png.length / 2), 'damaged_media', /truncated/],
    ['truncated WebP', (await picture('cutout.webp')).subarray(0, 20_000), 'damaged_media', /truncated/],
    ['truncated GIF', (await picture('animated.gif')).subarray(0, 9_000), 'damaged_media', /truncated/],
    ['truncated AVIF', (await picture('avif.avif')).subarray(0, 9_000), 'damaged_media', /truncated/],
    ['only a header', jpeg.subarray(0, 20), 'damaged_media', /truncated|broken/],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/"/></svg>'), 'unsupported_media', /SVG/],
    ['PDF', Buffer.from('%PDF-1.7'), 'unsupported_media', /PDF/],
    ['empty HEIC', Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic')]), 'damaged_media', /HEIC/],
    ['30,000 x 30,000', huge, 'too_large', /30000 x 30000/],
    ['too many bytes', new Uint8Array(limits.pictureBytes + 1), 'too_large', /bytes/],
  ];
  const batch = cases.flatMap(([, bytes]) => [bytes, jpeg]);
  const outcomes = await encoder.encodeImages('clip-tiny', batch, bulk);
  for (const [i, [name, , code, sentence]] of cases.entries()) {
    const outcome = outcomes[2 * i]!;
    expect(outcome.ok, name).toBe(false);
    if (!outcome.ok) {
      expect(outcome.error.code, name).toBe(code);
      expect(outcome.error.message, name).toMatch(sentence);
      expect(outcome.error.message, name).toMatch(/^[A-Z].*\.$/);
    }
    expect(outcomes[2 * i + 1]!.ok, `the neighbor of ${name}`).toBe(true);
  }
});

test('tells size after orientation, media type, date and a thumbnail that is never larger', async () => {
  const dated = await sharp(await picture('landscape.jpg')).withExif({ IFD2: { DateTimeOriginal: '2021:06:07 08:09:10' } }).jpeg().toBuffer();
  const [turned, small, taken] = await encoder.encodeImages('clip-tiny', [await picture('exif-6.jpg'), await picture('small-20x15.png'), dated], { ...bulk, thumbnail: true });
  if (!turned?.ok || !small?.ok || !taken?.ok) throw new Error('not read');
  expect(turned.value).toMatchObject({ width: 190, height: 310, mediaType: 'image/jpeg' });
  expect(taken.value.takenAt).toBe('2021-06-07T08:09:10');
  expect(await sharp(taken.value.thumbnail).metadata()).toMatchObject({ format: 'webp', width: 320, height: 240 });
  expect(await sharp(small.value.thumbnail).metadata()).toMatchObject({ format: 'webp', width: 20, height: 15 });
  expect(Math.hypot(...turned.value.embedding)).toBeCloseTo(1, 5);
});

test('reads texts of any kind: special names as plain text, half surrogates, a megabyte', async () => {
  const [plain, named, half, long] = await encoder.encodeTexts('clip-tiny', ['a dog', 'a dog <|endoftext|> a cat', '\ud800 dog', 'dog '.repeat(2 ** 18)], interactive);
  expect(plain).toMatchObject({ tokens: 4, truncated: false });
  expect(named!.tokens).toBeGreaterThan(10);
  expect(half!.truncated).toBe(false);
  expect(long).toMatchObject({ tokens: 77, truncated: true });
});

test('lets interactive texts pass bulk pictures', async () => {
  const bytes = await picture('landscape.jpg');
  let pictured = false;
  const pictures = encoder.encodeImages('clip-tiny', new Array<Buffer>(150).fill(bytes), bulk).then(() => (pictured = true));
  await encoder.encodeTexts('clip-tiny', ['now'], interactive);
  expect(pictured).toBe(false);
  expect(encoder.waiting()).toBeGreaterThan(50);
  await pictures;
});

test('forgets what waits when its caller hangs up', async () => {
  const bytes = await picture('landscape.jpg');
  const caller = new AbortController();
  const pictures = encoder.encodeImages('clip-tiny', new Array<Buffer>(200).fill(bytes), { ...bulk, signal: caller.signal });
  expect(encoder.waiting()).toBeGreaterThan(100);
  caller.abort();
  await expect(pictures).rejects.toMatchObject({ code: 'not_ready' });
  expect(encoder.waiting()).toBe(0);
  await expect(encoder.encodeTexts('clip-tiny', ['still here'], interactive)).resolves.toHaveLength(1);
});

test('lets bulk pictures come to their end while interactive texts keep coming', async () => {
  const texts = Array.from({ length: 4_000 }, (_, i) => `a dog number ${i}`);
  let ended = 0;
  const all = Promise.all(texts.map((text) => encoder.encodeTexts('clip-tiny', [text], interactive).then(() => ended++)));
  await encoder.encodeImages('clip-tiny', [await picture('landscape.jpg')], bulk);
  expect(ended).toBeLessThan(0.7 * texts.length);
  await all;
});

test('refuses what passes the bound of its queue, but takes one large request when nothing of its rank waits', async () => {
  const bounded = await open({ modelsDirectory: tinyModels, queueLimit: 20 });
  const bytes = await picture('landscape.jpg');
  const large = bounded.encodeImages('clip-tiny', new Array<Buffer>(60).fill(bytes), bulk);
  await expect(bounded.encodeTexts('clip-tiny', ['one more'], bulk)).rejects.toMatchObject({ code: 'overloaded', message: expect.stringMatching(/\d+ inputs .* at most 20 may/), retryAfter: expect.any(Number) });
  expect((await large).every(({ ok }) => ok)).toBe(true);
  await expect(bounded.encodeTexts('clip-tiny', ['now'], bulk)).resolves.toHaveLength(1);
  await bounded.close();
});

test('replaces a worker that dies and loses nothing', async () => {
  const workers: ChildProcess[] = [];
  let begun = (): void => undefined;
  const working = new Promise<void>((resolve) => (begun = resolve));
  const watched = await open({
    modelsDirectory: tinyModels,
    startWorker: (settings) => {
      const worker = startWorker(settings);
      workers.push(worker);
      return worker;
    },
    onStage: (stage) => stage === 'queue' && begun(),
  });
  const bytes = await picture('landscape.jpg');
  const pictures = watched.encodeImages('clip-tiny', new Array<Buffer>(60).fill(bytes), bulk);
  await working;
  workers[0]!.kill('SIGKILL');
  expect((await pictures).every(({ ok }) => ok)).toBe(true);
  expect(logged).toContain('An encoder worker died and is replaced.');
  await watched.close();
});

test('gives an input up when two workers died of it', async () => {
  const badDecoder = fileURLToPath(new URL('bad-decoder.mjs', import.meta.url));
  const watched = await open({ modelsDirectory: tinyModels, startWorker: startWorkerFrom(new URL('../dist/encoder/worker/worker.js', import.meta.url), ['--import', badDecoder]) });
  const good = await picture('landscape.jpg');
  const outcomes = await watched.encodeImages('clip-tiny', [good, Buffer.concat([good, Buffer.from('this crashes the decoder')]), good], bulk);
  expect(outcomes).toMatchObject([{ ok: true }, { ok: false, error: { code: 'unprocessable', message: 'This picture ended two workers that encoded it; it is given up.' } }, { ok: true }]);
  expect(watched.workers().replaced).toBe(2);
  await expect(watched.encodeTexts('clip-tiny', ['still here'], interactive)).resolves.toHaveLength(1);
  await watched.close();
});

test('blames the model, not the input, when two workers died that loaded it', async () => {
  const workers: ChildProcess[] = [];
  const watched = await open({
    startWorker: (settings) => {
      const worker = startWorker(settings);
      workers.push(worker);
      return worker;
    },
  });
  // Each check has a worker of its own.
  for (const { id } of watched.models.list()) await watched.models.model(id);
  const texts = watched.encodeTexts('siglip2-tiny', ['a dog'], interactive);
  const before = workers.length;
  workers[0]!.kill('SIGKILL');
  while (workers.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
  workers.at(-1)!.kill('SIGKILL');
  await expect(texts).rejects.toMatchObject({ code: 'not_ready', message: expect.stringContaining('siglip2-tiny cannot be loaded') });
  await expect(watched.encodeTexts('siglip2-tiny', ['still here'], interactive)).resolves.toHaveLength(1);
  await watched.close();
});

test('refuses what waits when it closes, and ends', async () => {
  const closing = await open({ modelsDirectory: tinyModels });
  const bytes = await picture('landscape.jpg');
  const pictures = closing.encodeImages('clip-tiny', new Array<Buffer>(100).fill(bytes), bulk);
  await closing.close();
  const outcomes = await pictures;
  expect(outcomes.some((outcome) => outcome.ok)).toBe(true);
  expect(outcomes.some((outcome) => !outcome.ok && outcome.error.code === 'not_ready')).toBe(true);
  await expect(closing.encodeTexts('clip-tiny', ['late'], interactive)).rejects.toMatchObject({ code: 'not_ready' });
});

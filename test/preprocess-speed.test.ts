/** preprocess_speed: large pictures through the decoder's own resize, all others as the reference does it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEncoder } from '../src/encoder/open.js';
import { readHeader } from '../src/encoder/picture/decode.js';
import { preparePicture } from '../src/encoder/picture/pipeline.js';
import type { Preprocessing } from '../src/encoder/picture/preprocess.js';
import type { PreprocessSpeed } from '../src/encoder/picture/speed.js';
import { startWorkerFrom } from '../src/encoder/pool/worker-process.js';
import { call } from './api.js';
import { cosine, limits } from './parity/compare.js';
import { repository, runMixspace, startServer } from './server.js';
import { fixtures, smallPackage } from './small-towers.js';

const picture = (name: string) => readFile(path.join(fixtures, 'images', name));
const crop: Preprocessing = { geometry: 'crop', interpolation: 'bicubic', size: 224, shortestEdge: 224, mean: [0, 0, 0], std: [1, 1, 1] };
const squash: Preprocessing = { ...crop, geometry: 'squash', interpolation: 'bilinear' };
const pad: Preprocessing = { ...crop, geometry: 'pad', fillColor: 9 };

/** The tower's input, of 255. */
async function pixels(bytes: Uint8Array, preprocessing: Preprocessing, speed: PreprocessSpeed): Promise<Float32Array> {
  const tensor = new Float32Array(3 * preprocessing.size ** 2);
  await preparePicture({ bytes, header: await readHeader(bytes, limits), thumbnail: false }, { ...preprocessing, speed }, { tensor, offset: 0 }, async (_, work) => work());
  return tensor.map((value) => 255 * value);
}

async function difference(bytes: Uint8Array, preprocessing: Preprocessing): Promise<{ mean: number; worst: number }> {
  const [exact, fast] = [await pixels(bytes, preprocessing, 'exact'), await pixels(bytes, preprocessing, 'fast')];
  const apart = exact.map((value, i) => Math.abs(value - fast[i]!));
  return { mean: apart.reduce((sum, value) => sum + value) / apart.length, worst: apart.reduce((most, value) => Math.max(most, value)) };
}

/** Quick to write; what is read is as large. */
const written = { jpeg: {}, webp: { effort: 0 }, png: { compressionLevel: 1 } };

/** A photo enlarged to `width` x `height`, as a file that says how it is stored. */
async function photo(width: number, height: number, format: 'jpeg' | 'webp' | 'png', orientation?: number): Promise<Buffer> {
  const image = sharp(await picture('landscape.jpg')).resize(width, height, { fit: 'fill' });
  return (orientation === undefined ? image : image.withMetadata({ orientation })).toFormat(format, written[format]).toBuffer();
}

describe('pixels', () => {
  test.each([
    ['exif-6.jpg', 'reduced by less than 2'],
    ['small-20x15.png', 'enlarged'],
    ['tall-29x700.png', 'enlarged, and reduced once its edge is cut off'],
    ['cutout.webp', 'with transparency'],
  ])('of %s, %s, are the same either way', async (name) => {
    for (const rules of [crop, squash]) expect(await difference(await picture(name), rules)).toEqual({ mean: 0, worst: 0 });
  });

  test('of large pictures with transparency, of 16 bits, CMYK or TIFF are the same either way', async () => {
    const large = sharp(await photo(1200, 900, 'png'));
    const others = [
      large.clone().ensureAlpha(0.5).png(written.png),
      large.clone().toColourspace('rgb16').png(written.png),
      large.clone().toColourspace('cmyk').jpeg(),
      large.clone().tiff(),
    ];
    for (const other of others) expect(await difference(await other.toBuffer(), crop)).toEqual({ mean: 0, worst: 0 });
  });

  test.each(['jpeg', 'webp', 'png'] as const)('of large %s pictures are near, and not the same', async (format) => {
    for (const [width, height] of [[500, 900], [1340, 1010], [3000, 1700]] as const) {
      const bytes = await photo(width, height, format);
      for (const rules of [crop, squash, pad]) {
        const { mean, worst } = await difference(bytes, rules);
        expect(mean).toBeGreaterThan(0);
        expect(mean, `${width} x ${height}, ${rules.geometry}`).toBeLessThan(0.9);
        expect(worst, `${width} x ${height}, ${rules.geometry}`).toBeLessThan(25);
      }
    }
  });

  test('of large grey pictures are grey, and near', async () => {
    const grey = await sharp(await photo(1800, 1000, 'png')).toColourspace('b-w').jpeg().toBuffer();
    const fast = await pixels(grey, crop, 'fast');
    const plane = crop.size ** 2;
    expect(fast.subarray(0, plane)).toEqual(fast.subarray(2 * plane));
    expect((await difference(grey, crop)).mean).toBeLessThan(1);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('of a large JPEG stored in orientation %i are upright', async (orientation) => {
    const bytes = await photo(1500, 1000, 'jpeg', orientation);
    for (const rules of [crop, squash, pad]) expect((await difference(bytes, rules)).mean).toBeLessThan(0.9);
  });

  test('of truncated large pictures are refused', async () => {
    const whole = await photo(1500, 1000, 'jpeg');
    await expect(pixels(whole.subarray(0, whole.length / 2), crop, 'fast')).rejects.toThrow(/The JPEG is truncated/);
  });
});

describe('served', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mixspace-speed-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('fast is another space: another fingerprint, the same of small pictures, near of large ones, thumbnails upright', async () => {
    const small = await picture('exif-6.jpg');
    const large = await photo(1500, 1000, 'jpeg', 6);
    const made = [];
    for (const speed of ['exact', 'fast'] as const) {
      const encoder = await openEncoder({
        modelsDirectory: path.join(repository, 'models'),
        preprocessSpeed: speed,
        workers: 1,
        limits,
        log: () => undefined,
        startWorker: startWorkerFrom(pathToFileURL(path.join(repository, 'dist/encoder/worker/worker.js'))),
      });
      try {
        const { id, fingerprint, selfTest, preprocessSpeed } = encoder.models.defaultModel;
        const outcomes = await encoder.encodeImages(id, [small, large], { priority: 'bulk', thumbnail: true });
        const images = outcomes.map((outcome) => (outcome.ok ? outcome.value : expect.unreachable(outcome.error.message)));
        expect([selfTest.status, preprocessSpeed]).toEqual(['passed', speed]);
        made.push({ fingerprint, images, thumbnail: await sharp(images[1]!.thumbnail).raw().toBuffer({ resolveWithObject: true }) });
      } finally {
        await encoder.close();
      }
    }
    const [exact, fast] = made as [(typeof made)[0], (typeof made)[0]];
    expect(fast.fingerprint).not.toBe(exact.fingerprint);
    expect(fast.images[0]!.embedding).toEqual(exact.images[0]!.embedding);
    expect(fast.images[1]!.embedding).not.toEqual(exact.images[1]!.embedding);
    expect(cosine(fast.images[1]!.embedding, exact.images[1]!.embedding)).toBeGreaterThan(0.99);
    expect([fast, exact].map(({ thumbnail: { info } }) => [info.width, info.height])).toEqual([[213, 320], [213, 320]]);
    const apart = fast.thumbnail.data.map((value, i) => Math.abs(value - exact.thumbnail.data[i]!));
    expect(apart.reduce((sum, value) => sum + value, 0) / apart.length).toBeLessThan(4);
  });

  test("a package's model.json wins over the setting, and the list of models tells what came of it", async () => {
    for (const [id, card] of [['asks-exact', { preprocess_speed: 'exact' }], ['asks-fast', { preprocess_speed: 'fast' }], ['silent', {}]] as const) {
      const directory = await smallPackage(folder, id);
      const file = path.join(directory, 'model.json');
      await writeFile(file, JSON.stringify({ ...(JSON.parse(await readFile(file, 'utf8')) as object), ...card }));
    }
    const told = async (env: Record<string, string>) => {
      const server = await startServer({ env: { MIXSPACE_MODELS_DIR: folder, ...env } });
      try {
        for (const id of ['asks-exact', 'asks-fast', 'silent']) await call(server.url, 'POST', '/v1/embeddings', { model: id, input: ['a'] });
        const { data } = (await call(server.url, 'GET', '/v1/models')).body as { data: { id: string; preprocess_speed: string; fingerprint: string }[] };
        return new Map(data.map(({ id, preprocess_speed, fingerprint }) => [id, [preprocess_speed, fingerprint] as const]));
      } finally {
        await server.remove();
      }
    };
    const [plain, fast] = [await told({}), await told({ MIXSPACE_PREPROCESS_SPEED: 'fast' })];
    expect(['asks-exact', 'asks-fast', 'silent'].map((id) => [plain.get(id)?.[0], fast.get(id)?.[0]])).toEqual([['exact', 'exact'], ['fast', 'fast'], ['exact', 'fast']]);
    expect(fast.get('silent')![1]).toBe(plain.get('asks-fast')![1]);
    expect(plain.get('silent')![1]).toBe(plain.get('asks-exact')![1]);
    expect(plain.get('silent')![1]).not.toBe(plain.get('asks-fast')![1]);
  });

  test('any other word is refused with what is taken', async () => {
    const { code, stderr } = await runMixspace(['serve', '--preprocess-speed', 'quick']);
    expect(code).not.toBe(0);
    expect(stderr).toContain('--preprocess-speed takes exact or fast, not "quick".');
  });
});

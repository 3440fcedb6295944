/** Pictures of kinds that decoders read differently, beside what Pillow makes of them; test/fixtures/pictures/make.py draws them. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, readHeader } from '../src/encoder/picture/decode.js';
import { fitSquare, type Preprocessing } from '../src/encoder/picture/preprocess.js';
import { base64, call, items, searchIn, type Answer } from './api.js';
import { repository, startServer, type RunningServer } from './server.js';

interface Case {
  kind: string;
  expect: 'pixels' | 'preview' | 'damaged' | 'unsupported';
}

const fixtures = path.join(repository, 'test/fixtures/pictures');
const fixture = (name: string): Promise<Buffer> => readFile(path.join(fixtures, name));
const cases = Object.entries(JSON.parse(readFileSync(path.join(fixtures, 'cases.json'), 'utf8')) as Record<string, Case>);
const taken = cases.filter(([, { expect: expected }]) => expected === 'pixels' || expected === 'preview');
const refused = cases.filter(([, { expect: expected }]) => expected === 'damaged' || expected === 'unsupported');
const limits = { pictureBytes: 50e6, picturePixels: 100e6 };

/** Every pixel counts: no resizing. */
const asItIs = (size: number): Preprocessing => ({ geometry: 'squash', interpolation: 'bicubic', size, shortestEdge: size, mean: [0, 0, 0], std: [1, 1, 1] });
const cropped: Preprocessing = { ...asItIs(224), geometry: 'crop' };

async function squareOf(bytes: Uint8Array, preprocessing: Preprocessing): Promise<{ width: number; height: number; pixels: Uint8Array }> {
  const header = await readHeader(bytes, limits);
  const { pixels, channels } = fitSquare(await decode(bytes, header), preprocessing);
  return { width: header.width, height: header.height, pixels: channels === 3 ? pixels : Uint8Array.from({ length: pixels.length * 3 }, (_, i) => pixels[Math.floor(i / 3)]!) };
}

async function known(file: string): Promise<{ width: number; height: number; data: Buffer }> {
  const { data, info } = await sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

const meanDifference = (one: Uint8Array, other: Uint8Array): number => one.reduce((sum, value, i) => sum + Math.abs(value - other[i]!), 0) / one.length;

let server: RunningServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.remove());

const embed = (image: string): Promise<Answer> => call(server.url, 'POST', '/v1/embeddings', { input: [{ image }] });

describe('Pixels are those of the reference', () => {
  it.each(taken.map(([name, { kind }]) => [kind, name] as const))('%s: %s', async (_, name) => {
    const expected = await known(path.join(fixtures, `${name}.png`));
    const bytes = await fixture(name);
    const header = await readHeader(bytes, limits);
    expect([header.width, header.height]).toEqual([expected.width, expected.height]);
    // Turned upright as the tower's input is, both reduced in the same way, which is compared elsewhere.
    const { pixels } = await squareOf(bytes, asItIs(64));
    const { pixels: right } = fitSquare({ pixels: expected.data, width: expected.width, height: expected.height, channels: 3, orientation: 1 }, asItIs(64));
    expect(meanDifference(right, pixels)).toBeLessThan(/lab/.test(name) ? 0.5 : 0.02);
  });

  const shared = path.resolve(repository, '../shared/cases/pictures');
  const sharedCases = existsSync(shared) ? Object.entries(JSON.parse(readFileSync(path.join(shared, 'cases.json'), 'utf8')) as Record<string, { expect: string; pixels?: string; width?: number; height?: number }>) : [];
  if (sharedCases.length === 0) console.warn(`NOT LOOKED AT: the public test suites' pictures are not at ${shared}.`);

  it.runIf(sharedCases.length > 0)('of public test suites too, and what they refuse is refused by its own code', async () => {
    const wrong: string[] = [];
    for (const [name, { expect: expected, pixels, width, height }] of sharedCases) {
      if (!/pixels|refused/.test(expected)) continue;
      const outcome = await squareOf(await readFile(path.join(shared, name)), cropped).catch((error: { code: string }) => error.code);
      if (typeof outcome === 'string') {
        if (!expected.includes(`refused: ${outcome.replace('_media', '')}`)) wrong.push(`${name}: ${outcome}`);
        continue;
      }
      if (!pixels) wrong.push(`${name} was taken in`);
      else {
        const mean = meanDifference((await known(path.join(shared, pixels))).data, outcome.pixels);
        if (mean > 0.5 || outcome.width !== width || outcome.height !== height) wrong.push(`${name}: ${mean.toFixed(2)}, ${outcome.width} x ${outcome.height}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('What is not read', () => {
  it('is a 415 whose code and sentence tell damage from what is not supported, and the service goes on', async () => {
    const answers = await Promise.all(refused.map(async ([name]) => ({ name, ...(await embed(base64(await fixture(name)))) })));
    expect(Object.fromEntries(answers.map(({ name, status, body }) => [name, [status, body.error.code]]))).toEqual(Object.fromEntries(refused.map(([name, { expect: expected }]) => [name, [415, `${expected}_media`]])));
    for (const { name, body } of answers) {
      const { code, message } = body.error as { code: string; message: string };
      if (code === 'unsupported_media') expect(message, name).not.toMatch(/broken|truncated|damaged/);
      expect(message, name).toMatch(/^The .*\.$/s);
    }
    expect((await embed(base64(await fixture('limited.avif')))).status).toBe(200);
  });

  it.each([
    ['twelve-bits.jpg', /12 bits a sample/],
    ['lossless.jpg', /lossless/],
    ['cgbi.png', /CgBI/],
    ['lzma.tif', /LZMA/],
    ['old-jpeg.tif', /old-style JPEG/],
    ['planes.tif', /tiles of separate planes/],
    ['uncompressed.heif', /unci/],
    ['video.mp4', /is a video \(MP4\)/],
    ['video.webm', /Matroska or WebM video/],
    ['page.pdf', /is a PDF/],
    ['picture.jp2', /JPEG 2000/],
    ['no-preview.dng', /raw file without a preview/],
  ])('is called by its name: %s', async (name, sentence) => {
    await expect(readHeader(await fixture(name), limits)).rejects.toMatchObject({ code: 'unsupported_media', message: expect.stringMatching(sentence) });
  });

  it('does not hold up the service where directories and boxes name themselves', async () => {
    const tiff = await fixture('extra-le.tif');
    const first = tiff.readUInt32LE(4);
    const next = first + 2 + tiff.readUInt16LE(first) * 12;
    const circle = Buffer.from(tiff);
    circle.writeUInt32LE(first, next);
    expect((await squareOf(circle, asItIs(8))).width).toBe(56);
    const raw = await fixture('preview.dng');
    const circular = Buffer.from(raw);
    // Each of its subdirectories is the directory itself.
    const entry = circular.indexOf(Buffer.from([0x4a, 0x01, 4, 0]));
    circular.writeUInt32LE(circular.readUInt32LE(4), entry + 8);
    await expect(readHeader(circular, limits)).rejects.toMatchObject({ code: 'unsupported_media' });
    const vast = Buffer.from(tiff);
    vast.writeUInt16LE(0xffff, first);
    await expect(readHeader(vast, limits)).rejects.toMatchObject({ code: 'damaged_media' });
  });
});

describe('What is taken in', () => {
  it('shows the size, the type and a thumbnail of what was read: a sequence, a part of a canvas, turned PNGs, a raw file', async () => {
    await call(server.url, 'POST', '/v1/collections', { name: 'kinds', originals: 'keep' });
    const names = ['sequence.avif', 'part-local.gif', 'exif-behind.png', 'cmyk16-le.tif', 'preview.cr3', 'preview.dng'];
    const { body } = await call(server.url, 'POST', items('kinds'), { items: await Promise.all(names.map(async (name) => ({ id: name, image: base64(await fixture(name)) }))) });
    expect(body.items).toMatchObject(names.map(() => ({ status: 'created' })));
    for (const name of names) {
      const at = `${items('kinds')}/${name}`;
      const expected = await known(path.join(fixtures, `${name}.png`));
      expect((await call(server.url, 'GET', at)).body, name).toMatchObject({ width: expected.width, height: expected.height });
      const shown = await shownBy(await (await fetch(`${server.url}${at}/image`)).arrayBuffer());
      expect([shown.width, shown.height], name).toEqual([expected.width, expected.height]);
      expect(meanDifference(expected.data, shown.data), name).toBeLessThan(25);
    }
    const original = await fetch(`${server.url}${items('kinds')}/preview.dng/image?size=original`);
    expect(original.headers.get('content-type')).toBe('image/x-adobe-dng');
    expect(Buffer.from(await original.arrayBuffer()).equals(await fixture('preview.dng'))).toBe(true);
  });

  async function shownBy(bytes: ArrayBuffer): ReturnType<typeof known> {
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  }
});

describe('Pictures in text', () => {
  it('are read through white space of any length, wherever it stands, and nothing behind the padding', async () => {
    const sound = (await fixture('interlaced.gif')).toString('base64');
    const { body } = await embed(sound);
    const lines = sound.replace(/.{76}/g, '$&\r\n');
    const gap = ' '.repeat(1_100_000);
    for (const each of [`${lines}\r\n`, `${sound}${gap}`, `${gap}${sound}`, `${sound.slice(0, 401)}${gap}${sound.slice(401)}${gap}`]) {
      const answer = await embed(each);
      expect(answer.status).toBe(200);
      expect(answer.body.data[0].embedding).toEqual(body.data[0].embedding);
    }
    const padded = Buffer.from('ab').toString('base64');
    for (const each of [`${padded}${gap}AAAA`, `${sound.slice(0, 400)}*${gap}`]) expect((await embed(each)).body.error).toMatchObject({ code: 'invalid_request', param: 'input[0].image' });
  });

  it('are pictures where a string begins as the data URI of one: embedded, searched with and classified as such', async () => {
    const bytes = await fixture('limited.avif');
    const uri = `data:image/avif;base64,${base64(bytes)}`;
    const asPicture = (await embed(base64(bytes))).body.data[0].embedding as number[];
    const { body } = await call(server.url, 'POST', '/v1/embeddings', { input: [uri, 'data: image of a cat', { text: uri.slice(0, 60) }] });
    expect(body.data[0].embedding).toEqual(asPicture);
    expect(body.data[1].embedding).not.toEqual(asPicture);
    expect(body.data[2].embedding).not.toEqual(asPicture);
    expect((await call(server.url, 'POST', '/v1/embeddings', { input: uri })).body.data[0].embedding).toEqual(asPicture);

    const search = (query: unknown) => call(server.url, 'POST', searchIn('kinds'), { query, limit: 3 });
    const matches = (answer: Answer) => answer.body.matches.map(({ id, similarity }: { id: string; similarity: number }) => [id, similarity]);
    expect(matches(await search(uri))).toEqual(matches(await search({ image: base64(bytes) })));
    expect(matches(await search([{ input: uri, weight: 2 }]))).toEqual(matches(await search({ image: base64(bytes) })));

    const classify = async (input: unknown) => (await call(server.url, 'POST', '/v1/classify', { input: [input], labels: ['a cat', 'noise'] })).body.data;
    expect(await classify(uri)).toEqual(await classify({ image: base64(bytes) }));
    const { status, body: refusal } = await call(server.url, 'POST', '/v1/embeddings', { input: ['a', 'data:image/png;base64,AAAA'] });
    expect([status, refusal.error.code]).toEqual([415, 'unsupported_media']);
    expect(refusal.error.param).toMatch(/^input\[1\]/);
  });
});

describe('Damage', () => {
  interface Edit {
    cut: number;
    set: [at: number, value: number][];
    refused: boolean;
  }
  const damage = Object.entries(JSON.parse(readFileSync(path.join(fixtures, 'damage.json'), 'utf8')) as Record<string, Edit[]>);

  it.each(damage)('at random places of a file is never taken in where the reference refuses it: %s', async (name, edits) => {
    const sound = await fixture(name);
    const outcomes = await Promise.all(
      edits.map(async ({ cut, set, refused: byReference }, i) => {
        const broken = Buffer.from(sound.subarray(0, cut));
        for (const [at, value] of set) if (at < cut) broken[at] = value;
        const code = await squareOf(broken, asItIs(8)).then(() => 'taken', (error: { code?: string }) => error.code ?? 'crash');
        return { i, code, byReference };
      }),
    );
    expect(outcomes.filter(({ code, byReference }) => byReference && code === 'taken')).toEqual([]);
    expect(outcomes.filter(({ code }) => !['taken', 'damaged_media', 'unsupported_media', 'too_large', 'unprocessable'].includes(code))).toEqual([]);
    // And damage is told: what the reference refuses is mostly called damaged.
    const told = outcomes.filter(({ byReference }) => byReference);
    expect(told.filter(({ code }) => code === 'damaged_media').length).toBeGreaterThanOrEqual(told.length * 0.7);
  });
});

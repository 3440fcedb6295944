import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Interpolation } from '../src/encoder/picture/axis-weights.js';
import { decode, decodeStrip, readHeader, stripsOf } from '../src/encoder/picture/decode.js';
import { preparePicture, type Timed } from '../src/encoder/picture/pipeline.js';
import { fitSquare, writeTensor, type Preprocessing } from '../src/encoder/picture/preprocess.js';
import { resize, Resizing, type Bitmap, type Orientation, type Window } from '../src/encoder/picture/resize.js';

/** Pillow's resize, slowly: every pixel of both passes, weights from its formula, sums as whole numbers. */
function slowly(source: Bitmap, width: number, height: number, interpolation: Interpolation): Bitmap {
  const downFirst = source.height > height && source.height - height > 2 * (source.width - width);
  const across = (bitmap: Bitmap) => onePass(bitmap, width, bitmap.height, interpolation);
  const down = (bitmap: Bitmap) => onePass(bitmap, bitmap.width, height, interpolation);
  return downFirst ? across(down(source)) : down(across(source));
}

/** One of the two sizes stays. */
function onePass(source: Bitmap, width: number, height: number, interpolation: Interpolation): Bitmap {
  const { channels } = source;
  if (width === source.width && height === source.height) return source;
  const horizontal = width !== source.width;
  const [from, to] = horizontal ? [source.width, width] : [source.height, height];
  const taps = Array.from({ length: to }, (_, i) => weightsAt(i, from, to, interpolation));
  const pixels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const { start, weights } = taps[horizontal ? x : y]!;
        const sum = weights.reduce((all, weight, k) => {
          const [sx, sy] = horizontal ? [start + k, y] : [x, start + k];
          return all + weight * source.pixels[(sy * source.width + sx) * channels + c]!;
        }, 2 ** 21);
        pixels[(y * width + x) * channels + c] = Math.max(0, Math.min(255, Math.floor(sum / 2 ** 22)));
      }
    }
  }
  return { pixels, width, height, channels, orientation: 1 };
}

function weightsAt(i: number, from: number, to: number, interpolation: Interpolation): { start: number; weights: number[] } {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = (interpolation === 'bicubic' ? 2 : 1) * stretch;
  const center = (i + 0.5) * scale;
  const start = Math.max(0, Math.trunc(center - support + 0.5));
  const end = Math.min(from, Math.trunc(center + support + 0.5));
  const exact = Array.from({ length: end - start }, (_, k) => kernel(Math.abs((k + start - center + 0.5) * (1 / stretch)), interpolation));
  const total = exact.reduce((sum, weight) => sum + weight, 0);
  const fixed = (weight: number) => Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
  return { start, weights: exact.map((weight) => fixed((total === 0 ? weight : weight / total) * 2 ** 22)) };
}

function kernel(t: number, interpolation: Interpolation): number {
  if (interpolation === 'bilinear') return Math.max(0, 1 - t);
  const a = -0.5;
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
}

function cut({ pixels, width, channels }: Bitmap, window: Window): Bitmap {
  const rows = Array.from({ length: window.height }, (_, y) => {
    const from = ((window.top + y) * width + window.left) * channels;
    return pixels.subarray(from, from + window.width * channels);
  });
  return { pixels: new Uint8Array(Buffer.concat(rows)), width: window.width, height: window.height, channels, orientation: 1 };
}

/** How the upright bitmap would be stored under an EXIF orientation: each stored pixel looked up. */
function storedAs(upright: Bitmap, orientation: Orientation): Bitmap {
  const { channels } = upright;
  const [width, height] = orientation >= 5 ? [upright.height, upright.width] : [upright.width, upright.height];
  const pixels = new Uint8Array(upright.pixels.length);
  const [w, h] = [upright.width - 1, upright.height - 1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [ux, uy] = ([[x, y], [w - x, y], [w - x, h - y], [x, h - y], [y, x], [w - y, x], [w - y, h - x], [y, h - x]] as const)[orientation - 1]!;
      for (let c = 0; c < channels; c++) pixels[(y * width + x) * channels + c] = upright.pixels[(uy * upright.width + ux) * channels + c]!;
    }
  }
  return { pixels, width, height, channels, orientation };
}

function filled(width: number, height: number, channels: 1 | 3, seed: number, kind: 'noise' | 'edges' | 'ramp'): Bitmap {
  const pixels = new Uint8Array(width * height * channels);
  let state = seed | 1;
  for (let i = 0; i < pixels.length; i++) {
    state = Math.imul(state ^ (state << 13), 0x9e3779b1) >>> 0;
    pixels[i] = kind === 'noise' ? state >>> 24 : kind === 'edges' ? (state >>> 31) * 255 : i;
  }
  return { pixels, width, height, channels, orientation: 1 };
}

function expectSame({ pixels, ...shape }: Bitmap, { pixels: expected, ...expectedShape }: Bitmap): void {
  expect(shape).toEqual(expectedShape);
  expect(Buffer.compare(pixels, expected), 'difference of the pixels').toBe(0);
}

const interpolation = fc.constantFrom<Interpolation>('bicubic', 'bilinear');
const bitmap = (edge: fc.Arbitrary<number>) =>
  fc.tuple(edge, edge, fc.constantFrom(1 as const, 3 as const), fc.integer(), fc.constantFrom('noise', 'edges', 'ramp')).map(([w, h, channels, seed, kind]) => filled(w, h, channels, seed, kind as 'noise'));
const orientation = fc.integer({ min: 1, max: 8 }) as fc.Arbitrary<Orientation>;
const edge = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 130 }));

test('resizes, cuts and turns to the very pixels of the formula, up and down, in both orders of the passes', () => {
  fc.assert(
    fc.property(bitmap(edge), edge, edge, fc.tuple(fc.double({ max: 1, min: 0, noNaN: true }), fc.double({ max: 1, min: 0, noNaN: true })), orientation, interpolation, (upright, width, height, [across, down], how, mode) => {
      const window = { left: Math.floor((across * width) / 2), top: Math.floor((down * height) / 2), width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
      for (const part of [window, { left: 0, top: 0, width, height }]) {
        expectSame(resize(storedAs(upright, how), width, height, part, mode), cut(slowly(upright, width, height, mode), part));
      }
    }),
    { numRuns: 250 },
  );
});

test.each([
  ['a column of many rows', 1, 70_001, 40, 300],
  ['a row of many columns', 70_001, 1, 300, 40],
  ['more rows than a band holds', 1201, 901, 60, 45],
  ['a tall picture squashed, rows first', 300, 2400, 32, 32],
])('gives the same for %s', (_, w, h, width, height) => {
  const source = filled(w, h, 3, w, 'noise');
  const window = { left: 0, top: 0, width, height };
  const expected = slowly(source, width, height, 'bicubic');
  for (const how of [1, 3, 6, 8] as const) expectSame(resize(storedAs(source, how), width, height, window, 'bicubic'), expected);
});

test('takes rows a few at a time, and two pictures side by side', () => {
  const [one, two] = [filled(333, 222, 3, 1, 'noise'), filled(200, 310, 1, 2, 'edges')];
  const window = { left: 3, top: 5, width: 50, height: 40 };
  const [first, second] = [new Resizing(one, 70, 60, window, 'bicubic'), new Resizing(two, 70, 60, window, 'bilinear')];
  for (let y = 0; y < 310; y += 7) {
    if (y < 222) first.take(one.pixels.subarray(y * 333 * 3, (y + 7) * 333 * 3));
    second.take(two.pixels.subarray(y * 200, (y + 7) * 200));
  }
  expectSame(first.finish(), cut(slowly(one, 70, 60, 'bicubic'), window));
  expectSame(second.finish(), cut(slowly(two, 70, 60, 'bilinear'), window));
  expect(() => new Resizing(one, 70, 60, window, 'bicubic').finish()).toThrow('0 of 222 rows');
});

describe('a picture too large to be decoded at once', () => {
  const limits = { pictureBytes: 50e6, picturePixels: 100e6 };
  const preprocessing: Preprocessing = { geometry: 'crop', interpolation: 'bicubic', size: 64, shortestEdge: 72, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };
  const timed: Timed = async (_, work) => work();

  test('is read in strips to the same numbers, and gets the same thumbnail', async () => {
    const small = filled(60, 40, 3, 5, 'noise');
    const bytes = await sharp(small.pixels, { raw: { width: 60, height: 40, channels: 3 } }).resize(12_000, 7_000, { kernel: 'nearest', fit: 'fill' }).withMetadata({ orientation: 8 }).jpeg({ quality: 90 }).toBuffer();
    const header = await readHeader(bytes, limits);
    expect(header).toMatchObject({ width: 7_000, height: 12_000 });
    const strips = stripsOf(header);
    expect(strips).toEqual([{ top: 0, height: 3_500 }, { top: 3_500, height: 3_500 }]);

    const parts = [];
    for (const strip of strips) parts.push((await decodeStrip(bytes, header, strip)).pixels);
    const { width, height } = header.stored;
    const square = fitSquare({ pixels: Buffer.concat(parts), width, height, channels: 3, orientation: 8 }, preprocessing);
    const expected = new Float32Array(3 * 64 * 64);
    writeTensor(square, preprocessing, expected, 0);
    const tensor = new Float32Array(3 * 64 * 64);
    const thumbnail = await preparePicture({ bytes, header, thumbnail: true }, preprocessing, { tensor, offset: 0 }, timed);
    expect(tensor).toEqual(expected);
    expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'webp', width: 187, height: 320 });
    const whole = await decode(bytes, header);
    expectSame(fitSquare(whole, preprocessing), square);
  });
});

test('turns thumbnails as the picture is turned', async () => {
  const limits = { pictureBytes: 1e6, picturePixels: 1e6 };
  const preprocessing: Preprocessing = { geometry: 'squash', interpolation: 'bilinear', size: 8, shortestEdge: 8, mean: [0, 0, 0], std: [1, 1, 1] };
  const upright = filled(3, 2, 3, 9, 'edges');
  const large = onePass(onePass(upright, 30, 2, 'bilinear'), 30, 20, 'bilinear');
  for (const how of [1, 2, 3, 4, 5, 6, 7, 8] as const) {
    const { pixels, width, height } = storedAs(large, how);
    const png = await sharp(pixels, { raw: { width, height, channels: 3 } }).withMetadata({ orientation: how }).png().toBuffer();
    const thumbnail = await preparePicture({ bytes: png, header: await readHeader(png, limits), thumbnail: true }, preprocessing, { tensor: new Float32Array(3 * 64), offset: 0 }, async (_, work) => work());
    const { data, info } = await sharp(thumbnail).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 30, height: 20 });
    const difference = data.reduce((sum, value, i) => sum + Math.abs(value - large.pixels[i]!), 0) / data.length;
    expect(difference, `orientation ${how}`).toBeLessThan(12);
  }
});

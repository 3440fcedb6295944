/** From bytes to pixels to a tower's input, on pictures small enough to be reckoned by hand. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decode, readHeader } from '../src/encoder/picture/decode.js';
import { fitOf, fitSquare, framed, writeTensor, type Preprocessing } from '../src/encoder/picture/preprocess.js';
import type { Bitmap } from '../src/encoder/picture/resize.js';
import { thumbnailFrom, thumbnailOf } from '../src/encoder/picture/thumbnail.js';

const limits = { pictureBytes: 50e6, picturePixels: 100e6 };
const crop: Preprocessing = { geometry: 'crop', interpolation: 'bicubic', size: 8, shortestEdge: 8, mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] };

async function decoded(bytes: Uint8Array): Promise<Bitmap> {
  return decode(bytes, await readHeader(bytes, limits));
}

const raw = (data: number[], width: number, height: number, channels: 1 | 2 | 3 | 4) => sharp(Uint8Array.from(data), { raw: { width, height, channels } });

describe('Where a picture is cut', () => {
  it.each<[number, number, number, number, number, number]>([
    // Width and height; what it is resized to; where the square of 8 begins. The long edge is cut off, not rounded.
    [100, 100, 8, 8, 0, 0],
    [200, 100, 16, 8, 4, 0],
    [100, 195, 8, 15, 0, 3],
    [199, 100, 15, 8, 3, 0],
    [100, 174, 8, 13, 0, 2],
    [29, 700, 8, 193, 0, 92],
    [3, 2, 12, 8, 2, 0],
  ])('%d x %d', (width, height, toWidth, toHeight, left, top) => {
    expect(fitOf(width, height, crop)).toEqual({ width: toWidth, height: toHeight, window: { left, top, width: 8, height: 8 } });
    const { window } = fitOf(width, height, { ...crop, cropRounding: 'half_even' });
    expect(window).toMatchObject({ left: roundedHalf(toWidth - 8), top: roundedHalf(toHeight - 8) });
  });
  /** As Python rounds: 1.5 and 2.5 are both 2. */
  const roundedHalf = (edge: number): number => [0, 0, 1, 2, 2, 2, 3, 4, 4][edge] ?? 92;

  it('takes no more than the middle where its shortest edge is longer than the square', () => {
    expect(fitOf(60, 30, { ...crop, shortestEdge: 10 })).toEqual({ width: 20, height: 10, window: { left: 6, top: 1, width: 8, height: 8 } });
  });

  it('pads to the middle of the square, the odd pixel to the right and below', () => {
    const picture: Bitmap = { pixels: Uint8Array.from([1, 2, 3, 4, 5, 6]), width: 3, height: 2, channels: 1, orientation: 1 };
    const { pixels } = framed(picture, { ...crop, geometry: 'pad', size: 6, fillColor: 9 });
    expect([...pixels]).toEqual([
      ...Array(12).fill(9),
      9, 1, 2, 3, 9, 9,
      9, 4, 5, 6, 9, 9,
      ...Array(12).fill(9),
    ]);
  });
});

describe('What the tower is given', () => {
  it('is each plane of its own, less the mean, by the deviation', () => {
    const square: Bitmap = { pixels: Uint8Array.from([0, 51, 102, 255, 204, 153]), width: 2, height: 1, channels: 3, orientation: 1 };
    const tensor = new Float32Array(8).fill(7);
    writeTensor(square, crop, tensor, 1);
    const expected = [(0 - 0.5) / 0.5, (1 - 0.5) / 0.5, (0.2 - 0.25) / 0.25, (0.8 - 0.25) / 0.25, 0.4 / 2, 0.6 / 2];
    expect([...tensor]).toEqual([7, ...expected.map((value) => expect.closeTo(value, 6) as number), 7]);
  });

  it('is the same grey three times where the picture is grey', () => {
    const tensor = new Float32Array(6);
    writeTensor({ pixels: Uint8Array.from([0, 255]), width: 2, height: 1, channels: 1, orientation: 1 }, crop, tensor, 0);
    expect([...tensor]).toEqual([-1, 1, -1, 3, 0, 0.5]);
  });

  it.each([1, 3] as const)('keeps a flat color what it is, larger or smaller (%d channels)', (channels) => {
    for (const value of [0, 1, 77, 128, 254, 255]) {
      for (const [width, height] of [[30, 20], [8, 8], [3, 5], [9, 100]] as const) {
        const { pixels } = fitSquare({ pixels: new Uint8Array(width * height * channels).fill(value), width, height, channels, orientation: 1 }, crop);
        expect(new Set(pixels)).toEqual(new Set([value]));
      }
    }
  });

  it('is the nearest number to what bilinear halving gives', () => {
    // Two halved to one by weights of 1/2, and by 1/4 3/4 at the edges of what bilinear looks at: 4 pixels for each.
    const { pixels } = fitSquare({ pixels: Uint8Array.from([0, 100, 101, 200]), width: 4, height: 1, channels: 1, orientation: 1 }, { ...crop, geometry: 'squash', interpolation: 'bilinear', size: 1 });
    const weights = [1, 3, 3, 1].map((weight) => weight / 8);
    expect([...pixels]).toEqual([Math.round([0, 100, 101, 200].reduce((sum, value, i) => sum + value * weights[i]!, 0))]);
  });
});

describe('What is decoded', () => {
  it('of grey of 16 bits is the nearest of 8 bits', async () => {
    const samples = [0, 128, 129, 257, 32767, 32768, 65406, 65407, 65535, 300];
    const png = await sharp(Uint16Array.from(samples), { raw: { width: samples.length, height: 1, channels: 1 } }).toColourspace('grey16').png().toBuffer();
    expect(await sharp(png).metadata()).toMatchObject({ depth: 'ushort', channels: 1 });
    const { pixels, channels } = await decoded(png);
    expect([channels, ...pixels]).toEqual([1, ...samples.map((sample) => Math.round(sample / 257))]);
  });

  it('of what is transparent lies on white', async () => {
    const png = await raw([0, 0, 0, 0, 10, 20, 30, 255, 100, 0, 200, 128], 3, 1, 4).png().toBuffer();
    const half = (value: number): number => Math.round((value * 128 + 255 * 127) / 255);
    expect([...(await decoded(png)).pixels]).toEqual([255, 255, 255, 10, 20, 30, half(100), half(0), half(200)]);
  });

  it('of an animation is its first frame', async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 250), Buffer.alloc(8 * 8 * 3, 5)]);
    const gif = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } }).gif().toBuffer();
    const { pixels, width, height } = await decoded(gif);
    expect([width, height, new Set(pixels)]).toEqual([8, 8, new Set([250])]);
  });

  it.each(['jpeg', 'png', 'webp', 'tiff'] as const)('of a picture that is cut off is nothing: %s', async (format) => {
    const noise = Uint8Array.from({ length: 100 * 100 * 3 }, (_, i) => (i * 2_654_435_761) >>> 24);
    const whole = await sharp(noise, { raw: { width: 100, height: 100, channels: 3 } }).toFormat(format).toBuffer();
    expect((await decoded(whole)).pixels).toHaveLength(noise.length);
    for (const share of [0.5, 0.9]) await expect(decoded(whole.subarray(0, Math.floor(whole.length * share))), String(share)).rejects.toMatchObject({ code: expect.stringMatching(/_media$/) });
  });
});

describe('A picture that a camera turned', () => {
  const corners = [[250, 10, 10], [10, 250, 10], [10, 10, 250], [250, 250, 10]];
  /** A color in each corner, wider than high. */
  const flag = (): Promise<Buffer> => {
    const [width, height] = [48, 32];
    const pixels = Array.from({ length: height * width }, (_, i) => corners[(i % width < width / 2 ? 0 : 1) + (i < (height * width) / 2 ? 0 : 2)]!).flat();
    return raw(pixels, width, height, 3).png().toBuffer();
  };
  /** Which color each corner has, from the left above to the right below. */
  async function cornersOf(bytes: Uint8Array): Promise<{ size: number[]; colors: number[] }> {
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const colors = [[4, 4], [info.width - 5, 4], [4, info.height - 5], [info.width - 5, info.height - 5]].map(([x, y]) => {
      const at = (y! * info.width + x!) * 3;
      const far = (color: number[]): number => color.reduce((sum, value, c) => sum + Math.abs(value - data[at + c]!), 0);
      return corners.indexOf(corners.toSorted((a, b) => far(a) - far(b))[0]!);
    });
    return { size: [info.width, info.height], colors };
  }
  /** By EXIF's own words: where row 0 and column 0 of what is stored are seen. */
  const seen: Record<number, number[]> = { 1: [0, 1, 2, 3], 2: [1, 0, 3, 2], 3: [3, 2, 1, 0], 4: [2, 3, 0, 1], 5: [0, 2, 1, 3], 6: [2, 0, 3, 1], 7: [3, 1, 2, 0], 8: [1, 3, 0, 2] };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is seen upright, by the tower and in its thumbnail: orientation %d', async (orientation) => {
    const jpeg = await sharp(await flag()).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).withMetadata({ orientation }).toBuffer();
    const header = await readHeader(jpeg, limits);
    const size = orientation >= 5 ? [32, 48] : [48, 32];
    expect([header.width, header.height]).toEqual(size);
    const bitmap = await decode(jpeg, header);
    for (const thumbnail of [await thumbnailOf(bitmap), await thumbnailFrom(jpeg, header)]) expect(await cornersOf(thumbnail)).toEqual({ size, colors: seen[orientation] });
    const square = fitSquare(bitmap, { ...crop, geometry: 'squash', size: 32 });
    expect((await cornersOf(await raw([...square.pixels], 32, 32, 3).png().toBuffer())).colors).toEqual(seen[orientation]);
  });

  it('as an AVIF is turned by its container alone, whatever stands in its EXIF and XMP', async () => {
    const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';
    for (const avif of [await sharp(await flag()).avif({ lossless: true }).withXmp(xmp).toBuffer(), await sharp(await flag()).avif({ lossless: true }).withMetadata({ orientation: 6 }).toBuffer()]) {
      const header = await readHeader(avif, limits);
      const { data, info } = await sharp(avif).raw().toBuffer({ resolveWithObject: true });
      expect([header.width, header.height]).toEqual([info.width, info.height]);
      const upright = (await cornersOf(await sharp(data, { raw: info }).png().toBuffer())).colors;
      expect((await cornersOf(await thumbnailOf(await decode(avif, header)))).colors).toEqual(upright);
    }
  });

  it.each([[20, 15], [320, 320], [640, 480], [100, 900]])('has a thumbnail of at most 320 pixels, and never a larger one than itself: %d x %d', async (width, height) => {
    const png = await sharp({ create: { width, height, channels: 3, background: '#808080' } }).png().toBuffer();
    const shrink = Math.min(1, 320 / Math.max(width, height));
    const metadata = await sharp(await thumbnailOf(await decoded(png))).metadata();
    expect([metadata.format, metadata.width, metadata.height]).toEqual(['webp', Math.round(width * shrink), Math.round(height * shrink)]);
  });
});

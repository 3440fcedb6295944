import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { base64, call } from './api.js';
import { pngChunk } from './pictures.js';
import { startServer, type RunningServer } from './server.js';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { MIXSPACE_WORKERS: '1', MIXSPACE_CACHE: '0' } });
});
afterAll(() => server.remove());

const flat = (side: number) => sharp({ create: { width: side, height: side, channels: 3, background: '#0a7' }, limitInputPixels: false });
const embed = (bytes: Uint8Array) => call(server.url, 'POST', '/v1/embeddings', { input: [{ image: base64(bytes) }] });

/** A GIF of one frame as large as itself, which has no pixels. */
function emptyGif(side: number): Buffer {
  const bytes = Buffer.from('474946383961000000008000000000000000ff21f90401000000002c0000000000000000000202440100' + '3b', 'hex');
  for (const at of [6, 8, 32, 34]) bytes.writeUInt16LE(side, at);
  return bytes;
}

/** Interlaced, 16 bits, with alpha: all that makes a PNG slow. */
function deepInterlacedPng(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([16, 6, 0, 0, 1], 8);
  const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const;
  const length = passes.reduce((sum, [x, y, right, down]) => sum + (8 * Math.ceil((side - x) / right) + 1) * Math.ceil((side - y) / down), 0);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(Buffer.alloc(length))), pngChunk('IEND', Buffer.alloc(0))]);
}

/** A progressive JPEG whose empty color planes are told again and again, bit by bit and coefficient by coefficient. */
async function manyScans(side: number, count: number): Promise<Buffer> {
  const jpeg = await flat(side).jpeg({ progressive: true, quality: 90 }).toBuffer();
  const starts: number[] = [];
  for (let at = jpeg.indexOf('ffda', 0, 'hex'); at >= 0; at = jpeg.indexOf('ffda', at + 2, 'hex')) starts.push(at);
  const color = jpeg.subarray(starts[2], starts[3]);
  const scans = Array.from({ length: count }, (_, i) => {
    const scan = Buffer.from(color);
    const bit = 12 - (i % 13);
    scan[7] = scan[8] = 1 + Math.floor(i / 13);
    scan[9] = bit === 12 ? 12 : ((bit + 1) << 4) | bit;
    return scan;
  });
  return Buffer.concat([jpeg.subarray(0, starts[2]), ...scans, Buffer.from('ffd9', 'hex')]);
}

/** EXIF whose thousand entries each hold the same 60,000 numbers. */
async function repeatingExif(): Promise<Buffer> {
  const exif = Buffer.alloc(60_008);
  exif.write('II*\0\x08\0\0\0', 'latin1');
  exif.writeUInt16LE(1000, 8);
  for (let i = 0; i < 1000; i++) {
    const at = 10 + 12 * i;
    exif.writeUInt16LE(0x9000 + i, at);
    exif.writeUInt16LE(1, at + 2);
    exif.writeUInt32LE(60_000, at + 4);
    exif.writeUInt32LE(8, at + 8);
  }
  const png = await flat(8).png().toBuffer();
  return Buffer.concat([png.subarray(0, 33), pngChunk('eXIf', exif), png.subarray(33)]);
}

async function processorSeconds(): Promise<number> {
  const { body } = await call<string>(server.url, 'GET', '/metrics');
  return Number(/^mixspace_encoder_cpu_seconds (\S+)/m.exec(body)![1]);
}

/** A second, and as much for the rest of the worker's work: each takes many times as long where it is decoded or read whole. */
const bound = 2;

it.each<[string, () => Buffer | Promise<Buffer>, number, RegExp?]>([
  ['a GIF of 43 bytes and 100 megapixels', () => emptyGif(9999), 413, /9999 x 9999 pixels in 43 bytes of GIF.* at most 22 megapixels/],
  ['a WebP of 38 bytes and 100 megapixels', () => flat(9999).webp({ lossless: true, effort: 0 }).toBuffer(), 413, /bytes of WebP.* at most 40 megapixels/],
  ['an interlaced PNG of 16 bits with alpha', () => deepInterlacedPng(6000), 413, /bytes of PNG/],
  ['a progressive JPEG of 700 scans', () => manyScans(4000, 700), 413, /bytes of JPEG/],
  ['EXIF that says the same a thousand times', repeatingExif, 200],
  ['a plain flat PNG of 64 megapixels', () => flat(8000).png().toBuffer(), 200],
])('spends no more than a second or two of processor time on %s', async (_, make, status, sentence) => {
  const bytes = await make();
  await embed(await flat(8).png().toBuffer());
  const before = await processorSeconds();
  const answer = await embed(bytes);
  // The figure is of the last answer.
  await embed(await flat(8).png().toBuffer());
  const spent = (await processorSeconds()) - before;
  expect([answer.status, spent < bound], `${spent} s`).toEqual([status, true]);
  if (sentence) expect(answer.body.error).toMatchObject({ code: 'too_large', param: 'input[0].image', message: expect.stringMatching(sentence) });
}, 120_000);

/** Pictures for the tests, drawn here. */
import { deflateSync, crc32 } from 'node:zlib';
import sharp from 'sharp';

const backdrop = { create: { width: 320, height: 240, channels: 3 as const, background: { r: 200, g: 40, b: 40 } } };

/** Flat colors with a shape on it: pictures that differ by seed. */
export async function drawn(seed: number, format: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff' | 'gif' = 'png', width = 320, height = 240): Promise<Buffer> {
  const hue = (seed * 47) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="hsl(${hue},70%,60%)"/><circle cx="${(seed * 31) % width}" cy="${(seed * 17) % height}" r="${20 + (seed % 50)}" fill="hsl(${(hue + 180) % 360},80%,40%)"/></svg>`;
  return sharp(Buffer.from(svg)).flatten({ background: 'white' }).toFormat(format).toBuffer();
}

export async function cmyk(): Promise<Buffer> {
  return sharp(backdrop).toColourspace('cmyk').jpeg().toBuffer();
}

export async function grey16(): Promise<Buffer> {
  return sharp(backdrop).toColourspace('grey16').png().toBuffer();
}

export async function greyAlpha(): Promise<Buffer> {
  return sharp(Buffer.alloc(64 * 64 * 2, 128), { raw: { width: 64, height: 64, channels: 2 } }).toColourspace('b-w').png().toBuffer();
}

export async function rotatedByExif(): Promise<Buffer> {
  return sharp(backdrop).withMetadata({ orientation: 6 }).jpeg().toBuffer();
}

export async function animated(format: 'gif' | 'webp'): Promise<Buffer> {
  const frames = Buffer.concat([Buffer.alloc(64 * 64 * 3, 250), Buffer.alloc(64 * 64 * 3, 5)]);
  return sharp(frames, { raw: { width: 64, height: 128, channels: 3, pageHeight: 64 } }).toFormat(format).toBuffer();
}

/** A whole and valid PNG of 30,000 x 30,000 black pixels in some 100 kB. */
export function vastPng(side = 30_000): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((Math.ceil(side / 8) + 1) * side);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', header), pngChunk('IDAT', deflateSync(rows)), pngChunk('IEND', Buffer.alloc(0))]);
}

/** One chunk of a PNG, with its length and checksum. */
export function pngChunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(body.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** Where each format of a picture keeps what it tells of itself. What is not as the format says ends the search, not the reading of the picture. */
import { inflateSync } from 'node:zlib';
import { longestXmp, readTiff } from './tiff-block.js';

export interface Blocks {
  /** A TIFF file of the wanted entries alone. */
  exif?: Buffer;
  /** A packet of XMP. */
  xmp?: Buffer;
  /** Photoshop's resources, as in a JPEG's APP13, IPTC-IIM among them. */
  photoshop?: Buffer;
}

/** `metadata`: what the decoder found, of formats whose boxes it has opened. */
export function blocksOf(bytes: Uint8Array, mediaType: string, metadata: { exif?: Buffer | undefined; xmp?: Buffer | undefined }): Blocks {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Found();
  try {
    if (mediaType === 'image/jpeg') readJpeg(whole, found);
    else if (mediaType === 'image/png') readPng(whole, found);
    else if (mediaType === 'image/webp') readWebp(whole, found);
    // TIFF, and what is laid out like it.
    else found.exif(whole);
  } catch {
    // Lengths that lead beyond the end.
  }
  if (metadata.exif) found.exif(metadata.exif);
  if (metadata.xmp) found.xmp(metadata.xmp);
  return found.blocks;
}

/** Of several, the first holds. */
class Found {
  readonly blocks: Blocks = {};

  /** With or without what makers, and formats, put before it. */
  exif(block: Buffer): void {
    if (this.blocks.exif) return;
    const start = tiffStart(block);
    const read = start === undefined ? undefined : safely(() => readTiff(block.subarray(start)));
    if (!read) return;
    this.blocks.exif = read.wanted;
    if (read.xmp) this.xmp(read.xmp);
    if (read.iptc) this.iptc(read.iptc);
  }

  xmp(packet: Buffer): void {
    if (packet.length <= longestXmp) this.blocks.xmp ??= packet;
  }

  photoshop(resources: Buffer): void {
    this.blocks.photoshop ??= resources;
  }

  /** Records alone, without the resource that they are in. */
  iptc(records: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(records.length);
    this.photoshop(Buffer.concat([Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0', 'latin1'), length, records]));
  }
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** `Exif\0\0`, a length of four bytes and the like stand before it. */
const longestLead = 32;

function tiffStart(block: Buffer): number | undefined {
  const head = block.toString('latin1', 0, longestLead + 4);
  const at = [head.indexOf('II*\0'), head.indexOf('MM\0*')].filter((each) => each >= 0);
  return at.length === 0 ? undefined : Math.min(...at);
}

/** Of a JPEG's segments, and of another format's chunks. */
const mostSegments = 4096;
const mostChunks = 65_536;
const xmpMark = 'http://ns.adobe.com/xap/1.0/\0';

/** ISO/IEC 10918-1, B.1: segments up to the first scan. */
function readJpeg(bytes: Buffer, found: Found): void {
  for (let at = 2, segments = 0; segments < mostSegments && at + 4 <= bytes.length; segments++) {
    // What lies between segments is passed over, as decoders do.
    at = bytes.indexOf(0xff, at);
    if (at < 0) return;
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1]!;
    if (marker === 0xda || marker === 0xd9) return;
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    const payload = bytes.subarray(at + 4, at + 2 + length);
    const head = payload.toString('latin1', 0, 40);
    if (marker === 0xe1 && /^[^]{0,4}Exif\0/i.test(head)) found.exif(payload);
    else if (marker === 0xe1 && head.startsWith(xmpMark)) found.xmp(payload.subarray(xmpMark.length));
    else if (marker === 0xed && head.startsWith('Photoshop 3.0\0')) found.photoshop(payload);
    at += 2 + Math.max(2, length);
  }
}

const longestInflated = 2 * longestXmp + 65_536;
const mostProfiles = 8;

/** PNG, third edition, 11.3: chunks before and behind the pixels. */
function readPng(bytes: Buffer, found: Found): void {
  let profiles = 0;
  for (let at = 8, chunks = 0; chunks < mostChunks && at + 12 <= bytes.length; chunks++) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
    if (type === 'IEND') return;
    if (type === 'eXIf') found.exif(body);
    else if ((type === 'tEXt' || type === 'zTXt' || type === 'iTXt') && profiles < mostProfiles) {
      const keyword = body.toString('latin1', 0, Math.min(body.length, 80)).split('\0')[0]!;
      const profile = /^Raw profile type (exif|APP1|xmp|iptc)$/i.exec(keyword)?.[1]?.toLowerCase();
      if (profile === undefined && keyword !== 'XML:com.adobe.xmp') continue;
      profiles++;
      const text = safely(() => textOf(type, body.subarray(keyword.length + 1)));
      if (!text) continue;
      if (profile === undefined) found.xmp(text);
      else takeProfile(profile, rawProfile(text), found);
    }
  }
}

/** What follows the keyword and its NUL. @throws Error: it is not what was compressed, or too long. */
function textOf(type: 'tEXt' | 'zTXt' | 'iTXt', rest: Buffer): Buffer {
  const inflated = (from: Buffer): Buffer => inflateSync(from, { maxOutputLength: longestInflated });
  if (type === 'tEXt') return rest.subarray(0, longestInflated);
  if (type === 'zTXt') return inflated(rest.subarray(1));
  // The language, and the keyword in it.
  const text = rest.subarray(rest.indexOf(0, rest.indexOf(0, 2) + 1) + 1);
  return rest[0] === 1 ? inflated(text) : text.subarray(0, longestInflated);
}

/** As ImageMagick writes them: a name, a number of bytes, and those in hexadecimal, on lines. */
function rawProfile(text: Buffer): Buffer {
  const [, hex = ''] = /^\s*[^\n]{0,80}\n *\d+\s+([\da-f\s]*)/i.exec(text.toString('latin1')) ?? [];
  return Buffer.from(hex.replace(/\s+/g, ''), 'hex');
}

/** IPTC-IIM, 1.6: the tag marker. */
const firstOfRecord = 0x1c;

function takeProfile(profile: string, bytes: Buffer, found: Found): void {
  if (profile === 'iptc' && bytes[0] === firstOfRecord) found.iptc(bytes);
  else if (profile === 'iptc') found.photoshop(Buffer.concat([Buffer.from('Photoshop 3.0\0', 'latin1'), bytes]));
  else if (profile === 'xmp') found.xmp(bytes);
  else if (bytes.toString('latin1', 0, xmpMark.length) === xmpMark) found.xmp(bytes.subarray(xmpMark.length));
  else found.exif(bytes);
}

/** RFC 9649. */
function readWebp(bytes: Buffer, found: Found): void {
  for (let at = 12, chunks = 0; chunks < mostChunks && at + 8 <= bytes.length; chunks++) {
    const length = bytes.readUInt32LE(at + 4);
    const type = bytes.toString('latin1', at, at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'EXIF') found.exif(body);
    else if (type === 'XMP ') found.xmp(body);
    at += 8 + length + (length % 2);
  }
}

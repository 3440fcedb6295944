/** A PNG's chunks (W3C PNG, third edition), as far as they tell what the decoder does not: orientation behind the pixels, and Apple's own kind. */
import { crc32, inflateSync } from 'node:zlib';
import { orientationIn, orientationInXmp } from './exif-orientation.js';
import type { Orientation } from './resize.js';

const signatureBytes = 8;
/** Length, type and checksum. */
const frameBytes = 12;
/** Of an unpacked text; those that hold EXIF are some kilobytes. */
const mostText = 2 ** 20;

/** Xcode's PNG: no zlib header, blue before red, colors multiplied by alpha. It says so in its first chunk. */
export function isApplePng(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16)).toString('latin1', 12) === 'CgBI';
}

/** What the chunks say, and whether those before the pixels are as they were written. */
export interface PngFacts {
  orientation: Orientation;
  /** One before the pixels has another checksum than it says. The decoder looks at those of the pixels and of the chunks it cannot do without. */
  isDamaged: boolean;
}

/** Orientation by eXIf wherever that stands, else by ImageMagick's `Raw profile type exif`, else by XMP. */
export function readPng(bytes: Uint8Array): PngFacts {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let exif: Buffer | undefined;
  // Of each the last: only that is unpacked.
  let profile: Text | undefined;
  let xmp: Text | undefined;
  let isDamaged = false;
  let isBehindPixels = false;
  for (let at = signatureBytes; at + frameBytes <= file.length; ) {
    const length = file.readUInt32BE(at);
    const end = at + frameBytes + length;
    if (end > file.length) break;
    const type = file.toString('latin1', at + 4, at + 8);
    const content = file.subarray(at + 8, end - 4);
    if (type === 'IDAT') isBehindPixels = true;
    else if (!isBehindPixels && crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) isDamaged = true;
    if (type === 'eXIf') exif = content;
    else if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') {
      if (hasKeyword(content, profileKeyword)) profile = { type, content: content.subarray(profileKeyword.length) };
      else if (type === 'iTXt' && hasKeyword(content, xmpKeyword)) xmp = { type, content: content.subarray(xmpKeyword.length) };
    } else if (type === 'IEND') break;
    at = end;
  }
  const told = profile && unpacked(profile);
  const orientation = orientationIn(exif ?? (told && exifOf(told))) ?? orientationInXmp(xmp && unpacked(xmp)?.toString('latin1')) ?? 1;
  return { orientation, isDamaged };
}

/** A line's end, `exif`, the count of bytes, and those in hexadecimal digits. */
function exifOf(profile: Buffer): Buffer {
  return Buffer.from(profile.toString('latin1').split('\n').slice(3).join('').replace(/\s+/g, ''), 'hex');
}

interface Text {
  type: 'tEXt' | 'zTXt' | 'iTXt';
  /** Behind the keyword. */
  content: Buffer;
}

const profileKeyword = 'Raw profile type exif\0';
const xmpKeyword = 'XML:com.adobe.xmp\0';
const hasKeyword = (content: Buffer, keyword: string): boolean => content.toString('latin1', 0, keyword.length) === keyword;

function unpacked({ type, content }: Text): Buffer | undefined {
  if (type === 'tEXt') return content;
  let packed = content.subarray(1);
  if (type === 'iTXt') {
    // Flag, method, language, NUL, keyword in that language, NUL.
    const text = content.indexOf(0, content.indexOf(0, 2) + 1) + 1;
    if (content[0] !== 1) return content.subarray(text, text + mostText);
    packed = content.subarray(text);
  }
  try {
    return inflateSync(packed, { maxOutputLength: mostText });
  } catch {
    return undefined;
  }
}

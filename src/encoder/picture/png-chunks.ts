/** A PNG's chunks (W3C PNG, third edition), as far as they tell what the decoder does not: orientation behind the pixels, and Apple's own kind. */
import { inflateSync } from 'node:zlib';
import { orientationIn } from './exif-orientation.js';
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

/** By its eXIf wherever that stands, else by ImageMagick's `Raw profile type exif`; undefined where neither says one. */
export function pngOrientation(bytes: Uint8Array): Orientation | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let exif: Buffer | undefined;
  let profile: Buffer | undefined;
  for (let at = signatureBytes; at + frameBytes <= file.length; ) {
    const length = file.readUInt32BE(at);
    const end = at + frameBytes + length;
    if (end > file.length) break;
    const type = file.toString('latin1', at + 4, at + 8);
    const content = file.subarray(at + 8, end - 4);
    if (type === 'eXIf') exif = content;
    else if (type === 'tEXt' || type === 'zTXt' || type === 'iTXt') profile = rawProfile(type, content) ?? profile;
    else if (type === 'IEND') break;
    at = end;
  }
  return orientationIn(exif ?? profile);
}

/** A keyword, a NUL, and for `zTXt` a method and deflate; then a line's end, `exif`, the count of bytes, and those in hexadecimal digits. */
function rawProfile(type: 'tEXt' | 'zTXt' | 'iTXt', content: Buffer): Buffer | undefined {
  const keyword = 'Raw profile type exif\0';
  if (content.toString('latin1', 0, keyword.length) !== keyword) return undefined;
  const text = textBehind(type, content.subarray(keyword.length));
  const digits = text?.toString('latin1').split('\n').slice(3).join('').replace(/\s+/g, '');
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}

function textBehind(type: 'tEXt' | 'zTXt' | 'iTXt', content: Buffer): Buffer | undefined {
  if (type === 'tEXt') return content;
  let packed = content.subarray(1);
  if (type === 'iTXt') {
    // Flag, method, language, NUL, keyword in that language, NUL.
    const text = content.indexOf(0, content.indexOf(0, 2) + 1) + 1;
    if (content[0] !== 1) return content.subarray(text);
    packed = content.subarray(text);
  }
  try {
    return inflateSync(packed, { maxOutputLength: mostText });
  } catch {
    return undefined;
  }
}

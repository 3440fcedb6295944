import { isUtf8 } from 'node:buffer';

const quote = 0x22;
const backslash = 0x5c;
/** Shorter runs are not worth looking at four bytes at once. */
const nearBytes = 24;
const keptBytes = 2 ** 20;
/** Longer ones get all the room they may need, which costs nothing until it is written to: to copy them again and again does. */
const copiedBytes = 2 ** 23;
const noWords = new Int32Array(0);

/** The bytes of a chunk, and the same four at a time from its first aligned one on. */
export interface Chunk {
  bytes: Buffer;
  words: Int32Array;
  firstWord: number;
  /** A character a byte; made when it is first asked for. */
  latin1: string | undefined;
}

export function chunkOf(bytes: Buffer): Chunk {
  const firstWord = (4 - (bytes.byteOffset & 3)) & 3;
  const words = bytes.length < nearBytes ? noWords : new Int32Array(bytes.buffer, bytes.byteOffset + firstWord, (bytes.length - firstWord) >> 2);
  return { bytes, firstWord, words, latin1: undefined };
}

/**
 * Where a run of plain characters ends: at a quote, a backslash, a control character or the chunk's end. The complement
 * (`~`) of that place where the run is not of ASCII alone.
 */
export function endOfRun({ bytes, words, firstWord }: Chunk, from: number): number {
  let all = 0;
  let at = from;
  const near = Math.min(bytes.length, from + nearBytes);
  for (; at < near; at++) {
    const byte = bytes[at]!;
    if (byte === quote || byte === backslash || byte < 0x20) return all < 0x80 ? at : ~at;
    all |= byte;
  }
  for (; at < bytes.length && ((at - firstWord) & 3) !== 0; at++) {
    const byte = bytes[at]!;
    if (byte === quote || byte === backslash || byte < 0x20) return all < 0x80 ? at : ~at;
    all |= byte;
  }
  if (at < bytes.length) {
    let index = (at - firstWord) >> 2;
    let high = 0;
    for (; index < words.length; index++) {
      const word = words[index]!;
      const quoted = word ^ 0x22222222;
      const slashed = word ^ 0x5c5c5c5c;
      // The high bit of a byte is set where it is below the one subtracted: a control character, a quote, a backslash.
      if ((((word - 0x20202020) & ~word) | ((quoted - 0x01010101) & ~quoted) | ((slashed - 0x01010101) & ~slashed)) & 0x80808080) break;
      high |= word;
    }
    if (high & 0x80808080) all |= 0x80;
    at = firstWord + index * 4;
  }
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === quote || byte === backslash || byte < 0x20) break;
    all |= byte;
  }
  return all < 0x80 ? at : ~at;
}

/** Bytes of a string that are still coming, in one piece of memory. */
export class StringBytes {
  readonly #most: number;
  #held = Buffer.alloc(0);
  length = 0;
  isAscii = true;

  /** `most`: bytes that it may come to. */
  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Buffer, from: number, to: number): void {
    this.#grow(to - from);
    this.#held.set(bytes.subarray(from, to), this.length);
    this.length += to - from;
  }

  /** As UTF-8. */
  addCodePoint(code: number): void {
    this.#grow(4);
    const held = this.#held;
    if (code < 0x80) held[this.length++] = code;
    else {
      this.isAscii = false;
      if (code < 0x800) held[this.length++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) held[this.length++] = 0xe0 | (code >> 12);
        else {
          held[this.length++] = 0xf0 | (code >> 18);
          held[this.length++] = 0x80 | ((code >> 12) & 0x3f);
        }
        held[this.length++] = 0x80 | ((code >> 6) & 0x3f);
      }
      held[this.length++] = 0x80 | (code & 0x3f);
    }
  }

  /** What was added, which is forgotten; undefined where it is not UTF-8. */
  take(): string | undefined {
    const text = decoded(this.#held, 0, this.length, this.isAscii);
    this.length = 0;
    this.isAscii = true;
    if (this.#held.length > keptBytes) this.#held = Buffer.alloc(0);
    return text;
  }

  #grow(by: number): void {
    if (this.length + by <= this.#held.length) return;
    const needed = this.length + by;
    const larger = Buffer.allocUnsafeSlow(needed > copiedBytes ? Math.max(needed, this.#most) : Math.max(256, needed, 2 * this.#held.length));
    larger.set(this.#held.subarray(0, this.length));
    this.#held = larger;
  }
}

/** undefined where it is not UTF-8. */
export function decoded(bytes: Buffer, from: number, to: number, isAscii: boolean): string | undefined {
  if (isAscii) return bytes.toString('latin1', from, to);
  return isUtf8(bytes.subarray(from, to)) ? bytes.toString('utf8', from, to) : undefined;
}

const rememberedKeys = new Array<string>(512).fill('');
const longestRemembered = 32;

/** A key of ASCII: the same few stand in a body thousands of times. */
export function asciiKey(bytes: Buffer, from: number, to: number): string {
  const length = to - from;
  if (length === 0 || length > longestRemembered) return bytes.toString('latin1', from, to);
  const slot = (length * 31 + bytes[from]! * 7 + bytes[to - 1]! * 13 + bytes[from + (length >> 1)]!) & 511;
  const remembered = rememberedKeys[slot]!;
  if (remembered.length === length) {
    let at = 0;
    while (at < length && remembered.charCodeAt(at) === bytes[from + at]) at++;
    if (at === length) return remembered;
  }
  return (rememberedKeys[slot] = bytes.toString('latin1', from, to));
}

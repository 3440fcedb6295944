import { MixspaceError } from '../../errors.js';
import { containerValues, type JsonBounds, type ListBounds } from './bounds.js';
import { readNumber } from './number.js';
import { shownPath, type PathPart } from '../field-path.js';
import { asciiKey, chunkOf, decoded, endOfRun, StringBytes, type Chunk } from './string-bytes.js';

const quote = 0x22;
const backslash = 0x5c;
const space = Buffer.from(' ');
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const literals = new Map<number, [name: Buffer, value: boolean | null]>([
  [0x74, [Buffer.from('true'), true]],
  [0x66, [Buffer.from('false'), false]],
  [0x6e, [Buffer.from('null'), null]],
]);
/** What stands behind a backslash; `u` apart. */
const escapes = new Map([...'"\\/bfnrt'].map((name, index) => [name.charCodeAt(0), '"\\/\b\f\n\r\t'.charCodeAt(index)]));

/** What may come next. */
const enum Expect {
  Start,
  Value,
  ValueOrEnd,
  KeyOrEnd,
  Key,
  Colon,
  CommaOrEnd,
  InString,
  Nothing,
}

/** A list or an object that has begun. */
interface Open {
  list: unknown[] | undefined;
  object: Record<string, unknown>;
  key: string;
  entries: number;
  most: number;
  bounds: ListBounds | undefined;
}

export interface JsonNames {
  /** As a sentence begins with it: `The body`. */
  text: string;
  /** What errors name, and the paths in it begin with; empty for a body. */
  root?: string;
  /** What errors of its outermost level name, where `root` is empty. */
  param?: string;
}

/**
 * Reads JSON (RFC 8259) from its bytes as they come and makes the value meanwhile: no part of it is read twice, and
 * what is over a bound, malformed or would be changed by reading is refused as soon as it is met. Every key is an own
 * property, `__proto__` too.
 */
export class JsonReader {
  readonly #bounds: JsonBounds;
  readonly #names: JsonNames;
  readonly #open: Open[] = [];
  #top: Open | undefined;
  #expect: Expect = Expect.Start;
  #root: unknown;
  #values = 0;
  /** Bytes before the chunk that is read. */
  #before = 0;
  /** A token that the last chunk cut. */
  #rest: Buffer | undefined;
  readonly #string: StringBytes;
  #isKey = false;

  constructor(bounds: JsonBounds, names: JsonNames) {
    this.#bounds = bounds;
    this.#names = names;
    this.#string = new StringBytes(bounds.asciiBytes);
  }

  /** Read so far, as the bounds count them. */
  get values(): number {
    return this.#values;
  }

  /** @throws MixspaceError `invalid_request`, `too_large`: it names the field; nothing more may be written then. */
  write(bytes: Buffer): void {
    const rest = this.#rest;
    this.#rest = undefined;
    const all = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
    const end = this.#read(all);
    if (end < all.length) this.#rest = Buffer.from(all.subarray(end));
    this.#before += end;
  }

  /** The value. @throws as `write`. */
  end(): unknown {
    this.write(space);
    if (this.#rest !== undefined || this.#expect !== Expect.Nothing) {
      throw this.#expect === Expect.Start || (this.#expect === Expect.Value && this.#open.length === 0)
        ? this.#unread('is empty: send JSON')
        : this.#unread('is not JSON that can be read: it ends too early');
    }
    return this.#root;
  }

  /** Up to where it could be read: what stands behind is a token that needs more bytes. */
  #read(bytes: Buffer): number {
    const chunk = chunkOf(bytes);
    let at = 0;
    while (at < bytes.length) {
      if (this.#expect === Expect.InString) {
        const next = this.#readString(chunk, at);
        if (next < 0) return ~next;
        at = next;
        continue;
      }
      const byte = bytes[at]!;
      if (this.#expect === Expect.Start) {
        if (byte === byteOrderMark[0]) {
          if (bytes.length < 3) return at;
          if (bytes.subarray(0, 3).equals(byteOrderMark)) at = 3;
          else throw this.#malformed(bytes, at);
        }
        this.#expect = Expect.Value;
        continue;
      }
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        at++;
        continue;
      }
      switch (this.#expect) {
        case Expect.ValueOrEnd:
        case Expect.Value: {
          const next = this.#readValue(chunk, at, byte);
          if (next < 0) return at;
          at = next;
          break;
        }
        case Expect.CommaOrEnd:
          if (byte === 0x2c) this.#expect = this.#top!.list === undefined ? Expect.Key : Expect.Value;
          else if (byte === (this.#top!.list === undefined ? 0x7d : 0x5d)) this.#close();
          else throw this.#malformed(bytes, at);
          at++;
          break;
        case Expect.KeyOrEnd:
        case Expect.Key:
          if (byte === quote) {
            this.#isKey = true;
            this.#expect = Expect.InString;
          } else if (byte === 0x7d && this.#expect === Expect.KeyOrEnd) this.#close();
          else throw this.#malformed(bytes, at);
          at++;
          break;
        case Expect.Colon:
          if (byte !== 0x3a) throw this.#malformed(bytes, at);
          this.#expect = Expect.Value;
          at++;
          break;
        default:
          throw this.#malformed(bytes, at);
      }
    }
    return at;
  }

  /** Where what follows begins; -1 where the chunk cuts the value. */
  #readValue(chunk: Chunk, at: number, byte: number): number {
    const { bytes } = chunk;
    if (byte === 0x5d && this.#expect === Expect.ValueOrEnd) {
      this.#close();
      return at + 1;
    }
    this.#admit(byte === 0x5b || byte === 0x7b ? containerValues : 1);
    if (byte === quote) {
      this.#isKey = false;
      this.#expect = Expect.InString;
      return at + 1;
    }
    if (byte === 0x5b || byte === 0x7b) {
      this.#begin(byte === 0x5b);
      return at + 1;
    }
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const number = readNumber(chunk, at);
      if (number.problem === 'malformed') throw this.#malformed(bytes, number.end);
      if (number.problem === 'cut') return this.#withdraw(1);
      if (number.problem !== undefined) throw this.#fault(number.problem);
      this.#add(number.value);
      return number.end;
    }
    const literal = literals.get(byte);
    if (literal === undefined) throw this.#malformed(bytes, at);
    const [name, value] = literal;
    const seen = Math.min(name.length, bytes.length - at);
    for (let i = 1; i < seen; i++) if (bytes[at + i] !== name[i]) throw this.#malformed(bytes, at + i);
    if (seen < name.length) return this.#withdraw(1);
    this.#add(value);
    return at + name.length;
  }

  /** Where what follows begins; the complement of the place that is to be read again where the chunk cuts an escape. */
  #readString(chunk: Chunk, from: number): number {
    const { bytes } = chunk;
    const string = this.#string;
    let at = from;
    for (;;) {
      const found = endOfRun(chunk, at);
      const end = found < 0 ? ~found : found;
      if (end < bytes.length && bytes[end] === quote && string.length === 0) {
        this.#checkLength(end - at, found >= 0);
        this.#endString(this.#isKey && found >= 0 ? asciiKey(bytes, at, end) : decoded(bytes, at, end, found >= 0));
        return end + 1;
      }
      if (end > at) {
        if (found < 0) string.isAscii = false;
        this.#checkLength(string.length + end - at, string.isAscii);
        string.add(bytes, at, end);
      }
      if (end === bytes.length) return end;
      if (bytes[end] === quote) {
        this.#endString(string.take());
        return end + 1;
      }
      if (bytes[end] !== backslash) throw this.#malformed(bytes, end);
      at = this.#readEscape(bytes, end);
      if (at < 0) return ~end;
      this.#checkLength(string.length, string.isAscii);
    }
  }

  /** Behind the escape that begins at `at`; -1 where the chunk cuts it. */
  #readEscape(bytes: Buffer, at: number): number {
    if (at + 1 >= bytes.length) return -1;
    const name = bytes[at + 1]!;
    const plain = escapes.get(name);
    if (plain !== undefined) {
      this.#string.addCodePoint(plain);
      return at + 2;
    }
    if (name !== 0x75) throw this.#malformed(bytes, at + 1);
    const unit = this.#readUnit(bytes, at + 2);
    if (unit < 0) return -1;
    if (unit < 0xd800 || unit > 0xdfff) {
      this.#string.addCodePoint(unit);
      return at + 6;
    }
    // Whether the other half follows can be seen in the next two bytes, or in the unit they begin.
    if (unit < 0xdc00) {
      if (at + 6 >= bytes.length || (bytes[at + 6] === backslash && at + 7 >= bytes.length)) return -1;
      if (bytes[at + 6] === backslash && bytes[at + 7] === 0x75) {
        const low = this.#readUnit(bytes, at + 8);
        if (low < 0) return -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
          this.#string.addCodePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
          return at + 12;
        }
      }
    }
    throw this.#fault(`It holds half of a surrogate pair (\\u${unit.toString(16)}), which is no character.`);
  }

  #readUnit(bytes: Buffer, at: number): number {
    let unit = 0;
    for (let i = at; i < at + 4; i++) {
      if (i >= bytes.length) return -1;
      const byte = bytes[i]!;
      const letter = byte | 0x20;
      if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
      else if (letter >= 0x61 && letter <= 0x66) unit = unit * 16 + letter - 0x57;
      else throw this.#malformed(bytes, i);
    }
    return unit;
  }

  #endString(text: string | undefined): void {
    if (text === undefined) throw this.#fault(this.#isKey ? 'It has a key that is not UTF-8.' : 'It is not UTF-8.');
    if (!this.#isKey) return this.#add(text);
    const top = this.#top!;
    const isRepeated = Object.hasOwn(top.object, text);
    if (!isRepeated) this.#admit(containerValues);
    top.key = text;
    this.#expect = Expect.Colon;
    if (isRepeated) throw this.#fault('It stands twice in its object.');
  }

  #begin(isList: boolean): void {
    const { depth, entries, lists } = this.#bounds;
    if (this.#open.length === depth) throw this.#fault(`JSON nests at most ${depth} levels.`);
    const top = this.#top;
    const own = top ? (top.list ? top.bounds?.element : top.bounds?.fields?.get(top.key)) : this.#names.root ? lists.fields?.get(this.#names.root) : lists;
    this.#open.push((this.#top = { list: isList ? [] : undefined, object: {}, key: '', entries: 0, most: (isList ? own?.limit : undefined) ?? entries, bounds: own }));
    this.#expect = isList ? Expect.ValueOrEnd : Expect.KeyOrEnd;
  }

  #close(): void {
    const { list, object } = this.#open.pop()!;
    this.#top = this.#open.at(-1);
    this.#add(list ?? object);
  }

  /** Into the list or object that has begun. */
  #add(value: unknown): void {
    const top = this.#top;
    if (top === undefined) {
      this.#root = value;
      this.#expect = Expect.Nothing;
      return;
    }
    if (top.list !== undefined) top.list.push(value);
    else if (top.key === '__proto__') Object.defineProperty(top.object, top.key, { value, enumerable: true, configurable: true, writable: true });
    else top.object[top.key] = value;
    this.#expect = Expect.CommaOrEnd;
  }

  #admit(values: number): void {
    this.#values += values;
    if (this.#values > this.#bounds.values) {
      throw this.#error('too_large', `${this.#names.text} holds more than ${this.#bounds.values} values (a key, a list and an object count ${containerValues} each): send less at once.`, this.#path());
    }
    const top = this.#top;
    if (top === undefined || (top.list === undefined) !== (this.#expect === Expect.InString && this.#isKey) || ++top.entries <= top.most) return;
    const path = this.#path(this.#open.length - 1);
    if (top.list !== undefined && top.most === top.bounds?.limit) throw this.#error('too_large', top.bounds.message!, path);
    throw this.#tooLarge(top.list === undefined ? `An object has at most ${top.most} keys.` : `A list has at most ${top.most} entries.`, path);
  }

  /** Of the value that is cut and will be read again. */
  #withdraw(values: number): -1 {
    this.#values -= values;
    if (this.#top?.list !== undefined) this.#top.entries--;
    return -1;
  }

  #checkLength(bytes: number, isAscii: boolean): void {
    const { keyBytes, asciiBytes, otherBytes } = this.#bounds;
    if (this.#isKey) {
      if (bytes > keyBytes) throw this.#tooLarge(`A key is at most ${keyBytes} bytes of UTF-8.`);
    } else if (bytes > (isAscii ? asciiBytes : otherBytes)) {
      throw this.#tooLarge(isAscii ? `A string is at most ${asciiBytes} bytes.` : `A string that is no base64 is at most ${otherBytes} bytes of UTF-8.`);
    }
  }

  /** Of the value that is read now, or of the innermost of `levels` that have begun. */
  #path(levels = this.#open.length): string {
    const parts = this.#open.slice(0, levels).map(({ list, key }): PathPart => (list === undefined ? key : list.length));
    const isAtKey = this.#expect === Expect.KeyOrEnd || this.#expect === Expect.Key || (this.#expect === Expect.InString && this.#isKey);
    return shownPath(isAtKey && levels === this.#open.length ? parts.slice(0, -1) : parts, this.#names.root);
  }

  #malformed(bytes: Buffer, at: number): MixspaceError {
    if (at >= bytes.length) return this.#unread('is not JSON that can be read: it ends too early');
    const byte = bytes[at]!;
    const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `the byte 0x${byte.toString(16).padStart(2, '0')}`;
    return this.#unread(`is not JSON that can be read: ${shown} at byte ${this.#before + at} does not belong there`);
  }

  #unread(what: string): MixspaceError {
    return this.#error('invalid_request', `${this.#names.text} ${what}.`, this.#path());
  }

  #fault(message: string): MixspaceError {
    return this.#named('invalid_request', message, this.#path());
  }

  #tooLarge(message: string, path = this.#path()): MixspaceError {
    return this.#named('too_large', message, path);
  }

  #named(code: 'invalid_request' | 'too_large', message: string, path: string): MixspaceError {
    return this.#error(code, path ? `${path}: ${message}` : message, path);
  }

  #error(code: 'invalid_request' | 'too_large', message: string, path: string): MixspaceError {
    const param = path || this.#names.param;
    return new MixspaceError(code, message, param ? { param } : {});
  }
}

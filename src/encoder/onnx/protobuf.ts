import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes that are read in place: a Buffer's, or a file's, of which little is held. */
export interface Bytes {
  readonly length: number;
  /** They stay as they are only until the next call. */
  subarray(from: number, to: number): Buffer;
}

/** A field of protocol buffers' wire format: places in the bytes. */
export interface Field {
  number: number;
  /** 0 a varint, 1 eight bytes, 2 bytes of a length, 5 four bytes. */
  wireType: number;
  start: number;
  /** Of its value. */
  from: number;
  to: number;
}

/** A tag and a length, ten bytes each at most. */
const longestHead = 20;

/** Of one message, in order; what a field holds is passed over unread. Throws where the bytes are no such thing. */
export function* fieldsOf(bytes: Bytes, from = 0, to = bytes.length): Generator<Field, void> {
  for (let at = from; at < to; ) {
    const head = bytes.subarray(at, Math.min(at + longestHead, to));
    const tag = readVarint(head, 0);
    const [number, wireType] = [Math.floor(tag.value / 8), tag.value % 8];
    if (number === 0) throw new Error('it is no ONNX file.');
    let value = tag.end;
    let length: number;
    if (wireType === 2) ({ value: length, end: value } = readVarint(head, tag.end));
    else if (wireType === 0) length = readVarint(head, tag.end).end - tag.end;
    else if (wireType === 1) length = 8;
    else if (wireType === 5) length = 4;
    else throw new Error('it is no ONNX file.');
    const field: Field = { number, wireType, start: at, from: at + value, to: at + value + length };
    if (field.to > to) throw new Error('it ends too early.');
    yield field;
    at = field.to;
  }
}

/** Of a message in a field. */
export function fieldsIn(bytes: Bytes, { wireType, from, to }: Field): Generator<Field, void> {
  if (wireType !== 2) throw new Error('it is no ONNX file.');
  return fieldsOf(bytes, from, to);
}

/** Names and paths are shorter. */
const longestText = 65_536;

export function textIn(bytes: Bytes, { wireType, from, to }: Field): string {
  if (wireType !== 2 || to - from > longestText) throw new Error('it is no ONNX file.');
  return bytes.subarray(from, to).toString('utf8');
}

export function numberIn(bytes: Bytes, { wireType, from, to }: Field): number {
  if (wireType !== 0) throw new Error('it is no ONNX file.');
  return readVarint(bytes.subarray(from, to), 0).value;
}

/** Seven bits a byte, the lowest first. Exact up to 2^53, which no length reaches. */
function readVarint(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  for (let end = at, weight = 1; end < bytes.length && end < at + 10; weight *= 128) {
    const byte = bytes[end++]!;
    value += (byte % 128) * weight;
    if (byte < 128) return { value, end };
  }
  throw new Error(at + 10 <= bytes.length ? 'it is no ONNX file.' : 'it ends too early.');
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}

const windowBytes = 65_536;

/** A file's bytes through a window, which moves to where they are asked for: weights that nobody reads are not read. */
export class FileBytes implements Bytes {
  readonly length: number;
  readonly #descriptor: number;
  #window = Buffer.alloc(0);
  #start = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.length = fstatSync(this.#descriptor).size;
  }

  /** Throws where the file has become shorter. */
  subarray(from: number, to: number): Buffer {
    if (from < this.#start || to > this.#start + this.#window.length) {
      const window = Buffer.allocUnsafe(Math.max(to - from, Math.min(windowBytes, this.length - from)));
      let filled = 0;
      while (filled < window.length) {
        const read = readSync(this.#descriptor, window, filled, window.length - filled, from + filled);
        if (read === 0) throw new Error('it ends too early.');
        filled += read;
      }
      [this.#window, this.#start] = [window, from];
    }
    return this.#window.subarray(from - this.#start, to - this.#start);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2), as views of the file. */

export interface Box {
  type: string;
  /** What follows size and type. */
  content: Buffer;
}

/** More of them, one behind the other, are in no picture. */
const mostBoxes = 4096;

/** Those that lie in `bytes` one behind the other, up to one that leads out of it; `onlyWhole` throws a RangeError there. */
export function boxesIn(bytes: Buffer, rest: 'anyRest' | 'onlyWhole' = 'anyRest'): Box[] {
  const boxes: Box[] = [];
  let at = 0;
  while (at + 8 <= bytes.length && boxes.length < mostBoxes) {
    let size = bytes.readUInt32BE(at);
    let head = 8;
    if (size === 1 && at + 16 <= bytes.length) {
      size = Number(bytes.readBigUInt64BE(at + 8));
      head = 16;
    } else if (size === 0) size = bytes.length - at;
    if (size < head || at + size > bytes.length) break;
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), content: bytes.subarray(at + head, at + size) });
    at += size;
  }
  if (rest === 'onlyWhole' && at !== bytes.length) throw new RangeError('A box leads out of the one around it');
  return boxes;
}

/** The first of a kind, found along `path` through boxes in boxes. */
export function boxAt(bytes: Buffer, ...path: string[]): Buffer | undefined {
  let within: Buffer | undefined = bytes;
  for (const type of path) {
    if (within === undefined) return undefined;
    within = boxesIn(within).find((box) => box.type === type)?.content;
  }
  return within;
}

/** Version and flags, which begin a full box. */
export const fullBoxBytes = 4;

/** Reads numbers one behind the other. Beyond the end it throws a RangeError. */
export class BoxReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Of 0 to 8 bytes, big-endian. */
  number(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#bytes.readUInt8(this.#at++);
    return value;
  }

  letters(count: number): string {
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError('The box ends before its text');
    return this.#bytes.toString('latin1', this.#at - count, this.#at);
  }
}

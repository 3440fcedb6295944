/**
 * One image file directory of a TIFF (TIFF 6.0, section 2; BigTIFF) or of an EXIF block, which has the same form. Only
 * the directory itself is walked, once, and of a field no more values are read than are asked for: a file can name the
 * same bytes again and again.
 */

/** Bytes a value of each field type takes. */
const valueBytes: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8 };
const types = { byte: 1, short: 3, long: 4, rational: 5, directory: 13, long8: 16 };

/** Real ones have dozens. */
const mostFields = 4096;

interface Field {
  type: number;
  count: number;
  /** Of its entry in the directory. */
  at: number;
  /** Of its first value. */
  values: number;
}

/** Where it is of the kind that has 64-bit offsets. */
interface Sizes {
  offset: 4 | 8;
  count: 2 | 8;
  entry: 12 | 20;
}
const classic: Sizes = { offset: 4, count: 2, entry: 12 };
const big: Sizes = { offset: 8, count: 8, entry: 20 };

export class TiffDirectory {
  readonly #file: Buffer;
  readonly #little: boolean;
  readonly #sizes: Sizes;
  readonly #fields = new Map<number, Field>();
  /** Of the directory behind it; 0: there is none. */
  readonly next: number;

  private constructor(file: Buffer, little: boolean, sizes: Sizes, at: number) {
    this.#file = file;
    this.#little = little;
    this.#sizes = sizes;
    const count = this.#number(at, sizes.count);
    const first = at + sizes.count;
    const end = first + count * sizes.entry;
    if (count > mostFields) throw new RangeError('The directory has too many fields');
    if (end > file.length) throw new RangeError('The directory leads out of the file');
    for (let entry = first; entry < end; entry += sizes.entry) this.#take(entry);
    this.next = end + sizes.offset <= file.length ? this.#number(end, sizes.offset) : 0;
  }

  #take(at: number): void {
    const { offset } = this.#sizes;
    const tag = this.#number(at, 2);
    const type = this.#number(at + 2, 2);
    const count = this.#number(at + 4, offset);
    const place = at + 4 + offset;
    const bytes = count * (valueBytes[type] ?? 1);
    if (!this.#fields.has(tag)) this.#fields.set(tag, { type, count, at, values: bytes <= offset ? place : this.#number(place, offset) });
  }

  /** The first. @throws RangeError where there is none that lies in the file. */
  static first(bytes: Uint8Array): TiffDirectory {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const order = file.toString('latin1', 0, 2);
    if (order !== 'II' && order !== 'MM') throw new RangeError('No byte order is told');
    const little = order === 'II';
    const isBig = (little ? file.readUInt16LE(2) : file.readUInt16BE(2)) === 43;
    const at = !isBig ? (little ? file.readUInt32LE(4) : file.readUInt32BE(4)) : Number(little ? file.readBigUInt64LE(8) : file.readBigUInt64BE(8));
    return new TiffDirectory(file, little, isBig ? big : classic, at);
  }

  /** Another of the same file. @throws RangeError where it does not lie in it. */
  other(at: number): TiffDirectory {
    return new TiffDirectory(this.#file, this.#little, this.#sizes, at);
  }

  has(tag: number): boolean {
    return this.#fields.has(tag);
  }

  count(tag: number): number {
    return this.#fields.get(tag)?.count ?? 0;
  }

  /** Whether all of its values lie in the file. */
  isWhole(tag: number): boolean {
    const field = this.#fields.get(tag);
    return field !== undefined && field.values + field.count * (valueBytes[field.type] ?? 1) <= this.#file.length;
  }

  /** Where its values lie, if in the file. */
  place(tag: number): { at: number; bytes: number } | undefined {
    const field = this.#fields.get(tag);
    return field && this.isWhole(tag) ? { at: field.values, bytes: field.count * (valueBytes[field.type] ?? 1) } : undefined;
  }

  /** Its first values, whole numbers without sign and fractions as quotients; none where it is not there, of another type or outside the file. */
  numbers(tag: number, atMost: number): number[] {
    const field = this.#fields.get(tag);
    if (field === undefined) return [];
    const { type, values } = field;
    const size = valueBytes[type];
    if (size === undefined || ![types.byte, types.short, types.long, types.rational, types.directory, types.long8].includes(type)) return [];
    const count = Math.min(field.count, atMost);
    if (values + count * size > this.#file.length) return [];
    return Array.from({ length: count }, (_, i) => {
      const at = values + i * size;
      return type === types.rational ? this.#number(at, 4) / this.#number(at + 4, 4) : this.#number(at, size as 1 | 2 | 4 | 8);
    });
  }

  /** The only value, or the first. */
  number(tag: number): number | undefined {
    return this.numbers(tag, 1)[0];
  }

  /**
   * The same file with this directory as its only one, of the fields that `keep` names; those of `set` are short numbers,
   * at most two, in place of what they were. What the fields point to stays where it is; the directory lies behind it all.
   */
  rewritten(keep: ReadonlySet<number>, set: ReadonlyMap<number, number[]>): Uint8Array {
    const { offset, count, entry } = this.#sizes;
    const tags = [...new Set([...[...this.#fields.keys()].filter((tag) => keep.has(tag)), ...set.keys()])].sort((a, b) => a - b);
    const start = Math.ceil(this.#file.length / 8) * 8;
    const out = Buffer.alloc(start + count + tags.length * entry + offset);
    this.#file.copy(out);
    const write = (value: number, at: number, size: 2 | 4 | 8): void => {
      const digits = Buffer.alloc(8);
      digits.writeBigUInt64BE(BigInt(value));
      (this.#little ? digits.reverse().subarray(0, size) : digits.subarray(8 - size)).copy(out, at);
    };
    write(start, offset, offset);
    write(tags.length, start, count);
    tags.forEach((tag, i) => {
      const at = start + count + i * entry;
      const values = set.get(tag);
      if (values === undefined) return void this.#file.copy(out, at, this.#fields.get(tag)!.at, this.#fields.get(tag)!.at + entry);
      write(tag, at, 2);
      write(types.short, at + 2, 2);
      write(values.length, at + 4, offset);
      values.forEach((value, place) => write(value, at + 4 + offset + 2 * place, 2));
    });
    return out;
  }

  #number(at: number, size: 1 | 2 | 4 | 8): number {
    const file = this.#file;
    if (size === 8) return Number(this.#little ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));
    return this.#little ? file.readUIntLE(at, size) : file.readUIntBE(at, size);
  }
}

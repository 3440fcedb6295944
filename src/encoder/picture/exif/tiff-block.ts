/** Of a block of EXIF, or of a TIFF file, what is asked for alone: a directory can name the same bytes again and again, so that reading all of it has no bound. */

/** Bytes of a value's number, by type (TIFF 6.0; 129 is UTF-8, of EXIF 3.0). */
const sizes: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1 };
const types = { ascii: 2, long: 4 } as const;
const isText = (type: number): boolean => [1, 2, 7, 129].includes(type);

const tags = {
  exifDirectory: 0x8769,
  gpsDirectory: 0x8825,
  xmp: 0x02bc,
  iptc: 0x83bb,
};
/** By directory. Texts are told as such, whatever type they were given. */
const texts = new Set([0x010e, 0x010f, 0x0110, 0x013b, 0x9003, 0x9011, 0xa433, 0xa434]);
const main = new Set([0x010e, 0x010f, 0x0110, 0x0112, 0x013b, 0x4746, 0x9003, 0x9c9b, 0x9c9e]);
const exif = new Set([0x829a, 0x829d, 0x8827, 0x9003, 0x9011, 0x920a, 0xa433, 0xa434]);
/** Latitude, longitude and altitude, each with what it is counted from. */
const gps = new Set([1, 2, 3, 4, 5, 6]);

/** Bytes of one value. */
const longestValue = 2048;
export const longestXmp = 131_072;
const longestIptc = 60_000;

export interface TiffBlock {
  /** A TIFF file of the wanted entries alone. */
  wanted: Buffer;
  /** The packet of XMP, and the records of IPTC-IIM, that it holds. */
  xmp?: Buffer;
  iptc?: Buffer;
}

/** `undefined` where the bytes are no TIFF. */
export function readTiff(bytes: Buffer): TiffBlock | undefined {
  const mark = bytes.toString('latin1', 0, 4);
  if (mark !== 'II*\0' && mark !== 'MM\0*') return undefined;
  const tiff = new Tiff(bytes, mark === 'II*\0');
  if (bytes.length < 8) return undefined;
  const entries = tiff.directory(tiff.long(4));
  const directoryAt = (tag: number): Entry[] => {
    const found = entries.find((entry) => entry.tag === tag);
    return found ? tiff.directory(tiff.long(found.at + 8)) : [];
  };
  const xmp = entries.find(({ tag, type, bytes: { length } }) => tag === tags.xmp && isText(type) && length <= longestXmp);
  const iptc = entries.find(({ tag, bytes: { length } }) => tag === tags.iptc && length <= longestIptc);
  return {
    wanted: tiff.written([
      { entries: wantedOf(entries, main) },
      { entries: wantedOf(directoryAt(tags.exifDirectory), exif), tag: tags.exifDirectory },
      { entries: wantedOf(directoryAt(tags.gpsDirectory), gps), tag: tags.gpsDirectory },
    ]),
    ...(xmp ? { xmp: xmp.bytes } : {}),
    ...(iptc ? { iptc: iptc.bytes } : {}),
  };
}

interface Entry {
  tag: number;
  type: number;
  /** Where it lies: tag, type, count, value or its offset. */
  at: number;
  /** Its value. */
  bytes: Buffer;
}

/** Each tag once, the first. */
function wantedOf(entries: Entry[], wanted: Set<number>): Entry[] {
  const found = new Map<number, Entry>();
  for (const entry of entries) if (wanted.has(entry.tag) && !found.has(entry.tag) && entry.bytes.length > 0) found.set(entry.tag, entry);
  return [...found.values()];
}

const entryBytes = 12;

class Tiff {
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, little: boolean) {
    this.#bytes = bytes;
    this.#little = little;
  }

  long(at: number): number {
    return this.#little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  #short(at: number): number {
    return this.#little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  /** As much of it as is there; entries of types that are unknown, and values beyond the end, are none. */
  directory(offset: number): Entry[] {
    if (offset + 2 > this.#bytes.length) return [];
    const count = Math.min(this.#short(offset), Math.floor((this.#bytes.length - offset - 2) / entryBytes));
    const entries: Entry[] = [];
    for (let i = 0; i < count; i++) {
      const at = offset + 2 + i * entryBytes;
      const type = this.#short(at + 2);
      const length = (sizes[type] ?? 0) * this.long(at + 4);
      const from = length <= 4 ? at + 8 : this.long(at + 8);
      if (length > 0 && from + length <= this.#bytes.length) entries.push({ tag: this.#short(at), type, at, bytes: this.#bytes.subarray(from, from + length) });
    }
    return entries;
  }

  /** The main directory, and behind it those that it names by their tags. */
  written([first, ...others]: { entries: Entry[]; tag?: number }[]): Buffer {
    const directories = [first!, ...others.filter(({ entries }) => entries.length > 0)];
    const starts: number[] = [];
    let end = 8;
    directories.forEach(({ entries }, i) => {
      starts.push(end);
      end += 2 + entryBytes * (entries.length + (i === 0 ? directories.length - 1 : 0)) + 4;
    });
    const values: Buffer[] = [];
    const head = Buffer.alloc(end);
    const putShort = (value: number, at: number): number => (this.#little ? head.writeUInt16LE(value, at) : head.writeUInt16BE(value, at));
    const putLong = (value: number, at: number): number => (this.#little ? head.writeUInt32LE(value, at) : head.writeUInt32BE(value, at));
    this.#bytes.copy(head, 0, 0, 4);
    putLong(starts[0]!, 4);
    directories.forEach(({ entries }, i) => {
      const links = i === 0 ? directories.slice(1).map(({ tag }, j) => ({ tag: tag!, start: starts[j + 1]! })) : [];
      let at = starts[i]!;
      putShort(entries.length + links.length, at);
      at += 2;
      for (const { tag, type, bytes } of entries) {
        const value = bytes.subarray(0, longestValue - (longestValue % sizes[type]!));
        const written = texts.has(tag) && isText(type) ? types.ascii : type;
        putShort(tag, at);
        putShort(written, at + 2);
        putLong(value.length / sizes[type]!, at + 4);
        if (value.length <= 4) value.copy(head, at + 8);
        else {
          putLong(end, at + 8);
          values.push(value);
          end += value.length;
        }
        at += entryBytes;
      }
      for (const { tag, start } of links) {
        putShort(tag, at);
        putShort(types.long, at + 2);
        putLong(1, at + 4);
        putLong(start, at + 8);
        at += entryBytes;
      }
    });
    return Buffer.concat([head, ...values]);
  }
}

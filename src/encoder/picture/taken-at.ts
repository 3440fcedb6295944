/**
 * When a picture was taken, from a block of EXIF (CIPA DC-008: TIFF's directories), with or without `Exif\0\0` before it.
 * Nothing else is read: a directory can name the same bytes again and again, so that reading all of it has no bound.
 */
const tags = { exifDirectory: 0x8769, dateTimeOriginal: 0x9003 };
const entryBytes = 12;
/** `YYYY:MM:DD HH:MM:SS`, ended by a NUL. */
const dateBytes = 20;

/** `YYYY-MM-DDTHH:MM:SS` as its DateTimeOriginal tells it, no zone; undefined where it tells none that can be. */
export function takenAt(block: Uint8Array | undefined): string | undefined {
  if (!block) return undefined;
  const whole = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const bytes = whole.toString('latin1', 0, 6) === 'Exif\0\0' ? whole.subarray(6) : whole;
  try {
    const order = bytes.toString('latin1', 0, 2);
    if (order !== 'II' && order !== 'MM') return undefined;
    const tiff = new Tiff(bytes, order === 'II');
    const main = tiff.long(4);
    const exif = tiff.entry(main, tags.exifDirectory);
    const date = exif === undefined ? undefined : tiff.entry(tiff.long(exif + 8), tags.dateTimeOriginal);
    return date === undefined ? undefined : iso(bytes.toString('latin1', tiff.long(date + 8), tiff.long(date + 8) + dateBytes));
  } catch {
    // An offset beyond the end.
    return undefined;
  }
}

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

  /** Where a directory's entry with this tag lies: tag, type, count, value or its offset. */
  entry(directory: number, tag: number): number | undefined {
    const count = this.#short(directory);
    for (let i = 0; i < count; i++) {
      const at = directory + 2 + i * entryBytes;
      if (this.#short(at) === tag) return at;
    }
    return undefined;
  }

  #short(at: number): number {
    return this.#little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }
}

function iso(text: string): string | undefined {
  const found = /^(\d{4}):(\d{2}):(\d{2}) (\d{2}):(\d{2}):(\d{2})/.exec(text);
  if (!found) return undefined;
  const said = `${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6]}`;
  const date = new Date(`${said}Z`);
  // What rolls over, as the 31st of February does, is no date.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(said) ? said : undefined;
}

/** The items of a HEIF file (ISO/IEC 23008-12): which is the picture, of what it is made, and what is said of it. */
import { boxAt, boxesIn, BoxReader, fullBoxBytes, type Box } from './iso-boxes.js';

const mostItems = 4096;
/** Places and references of all items together. */
const mostEntries = 65_536;
/** Items may overlap; how many times the file's own length may be taken out of it. */
const mostTakings = 4;

interface Extent {
  offset: number;
  length: number;
}

interface Location {
  /** 0: in the file; 1: in the `idat` box. */
  method: number;
  extents: Extent[];
}

export class HeifItems {
  readonly #file: Buffer;
  readonly #meta: Buffer;
  readonly primary: number;
  readonly #types = new Map<number, string>();
  readonly #locations = new Map<number, Location>();
  readonly #properties = new Map<number, Box[]>();
  #entries = 0;
  #taken = 0;
  readonly #references: { type: string; from: number; to: number[] }[] = [];

  /** As strict as libavif. @throws RangeError, TypeError where the file is broken or has no items. */
  constructor(bytes: Uint8Array) {
    this.#file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const meta = boxAt(this.#file, 'meta');
    if (meta === undefined) throw new TypeError('There are no items');
    this.#meta = meta.subarray(fullBoxBytes);
    const all = boxesIn(this.#meta, 'onlyWhole');
    const [handler] = all;
    const isPicture = handler?.type === 'hdlr' && handler.content.length >= 20 && handler.content.readUInt32BE(4) === 0 && handler.content.toString('latin1', 8, 12) === 'pict';
    if (!isPicture || handler.content[0] !== 0) throw new TypeError('The items are no pictures');
    const boxes = new Map(all.reverse().map(({ type, content }) => [type, content] as const));
    const required = (type: string): Buffer => {
      const content = boxes.get(type);
      if (content === undefined) throw new TypeError(`There is no ${type} box`);
      return content;
    };
    const pitm = required('pitm');
    this.primary = pitm[0] === 0 ? pitm.readUInt16BE(4) : pitm.readUInt32BE(4);
    this.#readTypes(required('iinf'));
    this.#readLocations(required('iloc'));
    this.#readProperties(required('iprp'));
    const references = boxes.get('iref');
    if (references) this.#readReferences(references);
  }

  typeOf(item: number): string | undefined {
    return this.#types.get(item);
  }

  /** Those said of it, in their order. */
  propertiesOf(item: number): Box[] {
    return this.#properties.get(item) ?? [];
  }

  property(item: number, type: string): Buffer | undefined {
    return this.propertiesOf(item).find((box) => box.type === type)?.content;
  }

  /** Items that `item` refers to. */
  referred(type: string, item: number): number[] {
    return this.#references.filter((each) => each.type === type && each.from === item).flatMap(({ to }) => to);
  }

  /** Items that refer to `item`. */
  referring(type: string, item: number): number[] {
    return this.#references.filter((each) => each.type === type && each.to.includes(item)).map(({ from }) => from);
  }

  /** Its bytes. @throws RangeError where they do not lie in the file. */
  dataOf(item: number): Buffer {
    const location = this.#locations.get(item);
    if (location === undefined) throw new TypeError('The item lies nowhere');
    const from = location.method === 0 ? this.#file : location.method === 1 ? boxAt(this.#meta, 'idat') : undefined;
    if (from === undefined) throw new TypeError('The item lies in another');
    const pieces = location.extents.map(({ offset, length }) => {
      const end = length === 0 ? from.length : offset + length;
      if (end > from.length || offset > end) throw new RangeError('The item leads out of the file');
      return from.subarray(offset, end);
    });
    this.#taken += pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#taken > mostTakings * this.#file.length) throw new RangeError('The items are longer than the file');
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  #readTypes(iinf: Buffer): void {
    for (const { type, content } of boxesIn(iinf.subarray(iinf[0] === 0 ? 6 : 8), 'onlyWhole')) {
      if (type !== 'infe' || content[0]! < 2) continue;
      const reader = new BoxReader(content, fullBoxBytes);
      const item = reader.number(content[0] === 2 ? 2 : 4);
      reader.number(2);
      this.#types.set(item, reader.letters(4));
    }
  }

  #readLocations(iloc: Buffer): void {
    const version = iloc[0]!;
    const reader = new BoxReader(iloc, fullBoxBytes);
    const sizes = reader.number(2);
    const [offsetBytes, lengthBytes, baseBytes, indexBytes] = [12, 8, 4, 0].map((shift) => (sizes >> shift) & 15) as [number, number, number, number];
    if ([offsetBytes, lengthBytes, baseBytes, indexBytes].some((each) => each % 4 !== 0 || each > 8)) throw new RangeError('Numbers of an unknown length');
    const count = reader.number(version < 2 ? 2 : 4);
    for (let i = 0; i < Math.min(count, mostItems); i++) {
      const item = reader.number(version < 2 ? 2 : 4);
      const method = version === 0 ? 0 : reader.number(2) & 15;
      reader.number(2);
      const base = reader.number(baseBytes);
      const extents: Extent[] = [];
      for (let left = reader.number(2); left > 0; left--) {
        this.#count();
        if (version > 0) reader.number(indexBytes);
        extents.push({ offset: base + reader.number(offsetBytes), length: reader.number(lengthBytes) });
      }
      this.#locations.set(item, { method, extents });
    }
  }

  #readProperties(iprp: Buffer): void {
    const all = boxesIn(boxAt(iprp, 'ipco') ?? Buffer.alloc(0), 'onlyWhole');
    for (const { type, content } of boxesIn(iprp)) {
      if (type !== 'ipma') continue;
      const reader = new BoxReader(content, fullBoxBytes);
      const wide = (content[3]! & 1) !== 0;
      const count = Math.min(reader.number(4), mostItems);
      for (let i = 0; i < count; i++) {
        const item = reader.number(content[0] === 0 ? 2 : 4);
        const properties: Box[] = [];
        for (let left = reader.number(1); left > 0; left--) {
          const index = wide ? reader.number(2) & 0x7fff : reader.number(1) & 0x7f;
          const box = all[index - 1];
          if (box) properties.push(box);
          else if (index > 0) throw new RangeError('A property is not there');
        }
        this.#properties.set(item, properties);
      }
    }
  }

  #readReferences(iref: Buffer): void {
    const bytes = iref[0] === 0 ? 2 : 4;
    for (const { type, content } of boxesIn(iref.subarray(fullBoxBytes), 'onlyWhole')) {
      const reader = new BoxReader(content);
      const from = reader.number(bytes);
      const to: number[] = [];
      for (let left = reader.number(2); left > 0; left--) {
        this.#count();
        to.push(reader.number(bytes));
      }
      this.#references.push({ type, from, to });
    }
  }

  #count(): void {
    if (++this.#entries > mostEntries) throw new RangeError('There are too many items');
  }
}

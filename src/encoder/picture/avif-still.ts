/** The smallest AVIF file around one AV1 picture, whose samples a decoder gives as they are: it is told that they are RGB of full range. */

export interface Av1Picture {
  width: number;
  height: number;
  /** The content of its av1C box. */
  configuration: Buffer;
  /** Its OBUs. */
  data: Buffer;
  monochrome: boolean;
  bits: number;
}

const box = (type: string, ...content: Buffer[]): Buffer => {
  const length = content.reduce((sum, each) => sum + each.length, 8);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...content], length);
};
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const long = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};
const version = (value: number): Buffer => bytes(value, 0, 0, 0);

/** Matrix 0 (ISO/IEC 23091-2) leaves luma in green, and the color planes in blue and red, each sample repeated where they are halved. */
const asTheyAre = Buffer.concat([Buffer.from('nclx'), bytes(0, 1, 0, 13, 0, 0, 0x80)]);

/** AV1-ISOBMFF and MIAF's least: one item, `av01`, with its size, depth, configuration and colors. */
export function stillOf({ width, height, configuration, data, monochrome, bits }: Av1Picture): Buffer {
  const ftyp = box('ftyp', Buffer.from('avif'), long(0), Buffer.from('avifmif1miaf'));
  const channels = monochrome ? 1 : 3;
  const properties = box(
    'iprp',
    box(
      'ipco',
      box('ispe', version(0), long(width), long(height)),
      box('pixi', version(0), bytes(channels, ...Array<number>(channels).fill(bits))),
      box('av1C', configuration),
      box('colr', asTheyAre),
    ),
    box('ipma', version(0), long(1), bytes(0, 1, 4, 1, 2, 0x83, 4)),
  );
  const metaWith = (offset: number): Buffer =>
    box(
      'meta',
      version(0),
      box('hdlr', version(0), long(0), Buffer.from('pict'), Buffer.alloc(13)),
      box('pitm', version(0), bytes(0, 1)),
      box('iloc', version(0), bytes(0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1), long(offset), long(data.length)),
      box('iinf', version(0), bytes(0, 1), box('infe', version(2), bytes(0, 1, 0, 0), Buffer.from('av01'), bytes(0))),
      properties,
    );
  const offset = ftyp.length + metaWith(0).length + 8;
  return Buffer.concat([ftyp, metaWith(offset), box('mdat', data)]);
}

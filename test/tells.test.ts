/** What pictures tell of when, where and with what they were taken, through the API, beside known answers and exiftool. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, items } from './api.js';
import { drawn, pngChunk } from './pictures.js';
import { repository, runMixspace, startServer, type RunningServer } from './server.js';

let server: RunningServer;
let folder: string;
beforeAll(async () => {
  [server, folder] = await Promise.all([startServer(), mkdtemp(path.join(tmpdir(), 'mixspace-tells-'))]);
}, 60_000);
afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

type Entry = [tag: number, type: number, value: Buffer | string];
interface Directories {
  main?: Entry[];
  exif?: Entry[];
  gps?: Entry[];
}
const typeBytes: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1 };

/** EXIF as CIPA DC-008 lays it out, by its own words and nobody's code. */
function tiff({ main = [], exif = [], gps = [] }: Directories, little = true): Buffer {
  const short = (value: number): Buffer => { const bytes = Buffer.alloc(2); if (little) bytes.writeUInt16LE(value); else bytes.writeUInt16BE(value); return bytes; };
  const long = (value: number): Buffer => { const bytes = Buffer.alloc(4); if (little) bytes.writeUInt32LE(value); else bytes.writeUInt32BE(value); return bytes; };
  const lists = [main, exif, gps];
  const links = ([[0x8769, 1], [0x8825, 2]] as const).filter(([, list]) => lists[list]!.length > 0);
  const sizes = [2 + 12 * (main.length + links.length) + 4, ...[exif, gps].map((list) => (list.length === 0 ? 0 : 2 + 12 * list.length + 4))];
  const starts = [8, 8 + sizes[0]!, 8 + sizes[0]! + sizes[1]!];
  let end = 8 + sizes[0]! + sizes[1]! + sizes[2]!;
  const values: Buffer[] = [];
  const written = ([tag, type, value]: Entry): Buffer => {
    const bytes = Buffer.from(value as string, 'latin1');
    const head = Buffer.concat([short(tag), short(type), long(bytes.length / typeBytes[type]!)]);
    if (bytes.length <= 4) return Buffer.concat([head, bytes, Buffer.alloc(4 - bytes.length)]);
    values.push(bytes);
    end += bytes.length;
    return Buffer.concat([head, long(end - bytes.length)]);
  };
  const directories = lists.map((list, i) => {
    if (list.length === 0 && i > 0) return Buffer.alloc(0);
    const entries = [...list.map(written), ...(i === 0 ? links.map(([tag, at]) => Buffer.concat([short(tag), short(4), long(1), long(starts[at]!)])) : [])];
    return Buffer.concat([short(entries.length), ...entries, long(0)]);
  });
  return Buffer.concat([Buffer.from(little ? 'II*\0' : 'MM\0*', 'latin1'), long(8), ...directories, ...values]);
}
const dated = (date: string, more: Entry[] = []): Directories => ({ main: [[0x010f, 2, 'Maker\0'], [0x0110, 2, 'Model X\0']], exif: [[0x9003, 2, date], ...more] });
const rationals = (...values: number[]): Buffer => Buffer.concat(values.map((value) => { const bytes = Buffer.alloc(8); bytes.writeUInt32LE(Math.round(value * 10_000)); bytes.writeUInt32LE(10_000, 4); return bytes; }));

let seeds = 0;
const plain = (format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> => drawn(3000 + seeds++, format, 24, 16);
const segment = (marker: number, payload: Buffer): Buffer => { const length = Buffer.alloc(2); length.writeUInt16BE(payload.length + 2); return Buffer.concat([Buffer.from([0xff, marker]), length, payload]); };
const inJpeg = async (block: Buffer, lead = 'Exif\0\0', marker = 0xe1): Promise<Buffer> => { const jpeg = await plain('jpeg'); return Buffer.concat([jpeg.subarray(0, 2), segment(marker, Buffer.concat([Buffer.from(lead, 'latin1'), block])), jpeg.subarray(2)]); };
const inPng = async (chunk: Buffer, where: 'before' | 'behind' = 'before'): Promise<Buffer> => { const png = await plain('png'); const at = where === 'before' ? 33 : png.length - 12; return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at)]); };
const riff = (type: string, body: Buffer): Buffer => { const length = Buffer.alloc(4); length.writeUInt32LE(body.length); return Buffer.concat([Buffer.from(type), length, body, Buffer.alloc(body.length % 2)]); };
async function inWebp(block: Buffer): Promise<Buffer> {
  const size = Buffer.alloc(6);
  size.writeUIntLE(23, 0, 3);
  size.writeUIntLE(15, 3, 3);
  const body = Buffer.concat([riff('VP8X', Buffer.concat([Buffer.from([8, 0, 0, 0]), size])), (await plain('webp')).subarray(12), riff('EXIF', block)]);
  return riff('RIFF', Buffer.concat([Buffer.from('WEBP'), body]));
}
const profile = (block: Buffer, name = 'exif'): Buffer => Buffer.from(`\n${name}\n${String(block.length).padStart(8)}\n${block.toString('hex').replace(/.{72}/g, '$&\n')}\n`);
const xmp = (attributes: string, inner = ''): Buffer =>
  Buffer.from(`<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" ${attributes}>${inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`);
const xmpInJpeg = (packet: Buffer): Promise<Buffer> => inJpeg(packet, 'http://ns.adobe.com/xap/1.0/\0');
/** Grey, 8 x 8, uncompressed, with what else is to stand in its directories. */
function tiffPicture({ main = [], ...others }: Directories, shade = 100): Buffer {
  const short = (value: number): string => String.fromCharCode(value & 255, value >> 8);
  const of = (strip: number): Buffer => tiff({ main: [[0x0100, 3, short(8)], [0x0101, 3, short(8)], [0x0102, 3, short(8)], [0x0103, 3, short(1)], [0x0106, 3, short(1)], ...main.filter(([tag]) => tag < 0x0111), [0x0111, 4, `${short(strip)}\0\0`], [0x0116, 3, short(8)], [0x0117, 3, short(64)], ...main.filter(([tag]) => tag > 0x0117)], ...others });
  return Buffer.concat([of(of(0).length), Buffer.alloc(64, shade)]);
}

async function send(collection: string, files: [name: string, bytes: Buffer][]): Promise<Map<string, any>> {
  await call(server.url, 'POST', '/v1/collections', { name: collection });
  for (let from = 0; from < files.length; from += 100) {
    const form = new FormData();
    for (const [name, bytes] of files.slice(from, from + 100)) form.append('file', new Blob([new Uint8Array(bytes)]), name);
    form.append('metadata', JSON.stringify(files.slice(from, from + 100).map(([name]) => ({ id: name }))));
    const { body } = await call(server.url, 'POST', items(collection), form);
    expect(body.items.filter(({ status }: any) => status !== 'created')).toEqual([]);
  }
  const { body } = await call(server.url, 'GET', `${items(collection)}?limit=1000`);
  return new Map(body.items.map((each: any) => [each.id, each]));
}

/** What a camera wrote, and what is to be told of it. */
const dates: [name: string, written: string, told: string | undefined][] = [
  ['plain', '2019:07:08 09:10:11\0', '2019-07-08T09:10:11'],
  ['two NULs', '2019:07:08 09:10:11\0\0', '2019-07-08T09:10:11'],
  ['no NUL', '2019:07:08 09:10:11', '2019-07-08T09:10:11'],
  ['many NULs', `2019:07:08 09:10:11${'\0'.repeat(300)}`, '2019-07-08T09:10:11'],
  ['spaces', '  2019:07:08 09:10:11 \0', '2019-07-08T09:10:11'],
  ['a fraction', '2019:07:08 09:10:11.25\0', '2019-07-08T09:10:11'],
  ['dashes', '2019-07-08 09:10:11\0', '2019-07-08T09:10:11'],
  ['ISO 8601', '2019-07-08T09:10:11\0', '2019-07-08T09:10:11'],
  ['one digit', '2019:7:8 9:1:2\0', '2019-07-08T09:01:02'],
  ['no seconds', '2019:07:08 09:10\0', '2019-07-08T09:10'],
  ['a day alone', '2019:07:08\0', '2019-07-08'],
  ['leap day', '2024:02:29 10:00:00\0', '2024-02-29T10:00:00'],
  ['a century', '2000:02:29 10:00:00\0', '2000-02-29T10:00:00'],
  ['the last second', '9999:12:31 23:59:59\0', '9999-12-31T23:59:59'],
  ['zeros', '0000:00:00 00:00:00\0', undefined],
  ['blanks', '    :  :     :  :  \0', undefined],
  ['nothing but spaces', `${' '.repeat(19)}\0`, undefined],
  ['30 February', '2023:02:30 10:00:00\0', undefined],
  ['no leap year', '2023:02:29 10:00:00\0', undefined],
  ['no leap century', '1900:02:29 10:00:00\0', undefined],
  ['month 13', '2019:13:01 00:00:00\0', undefined],
  ['month 0', '2019:00:10 00:00:00\0', undefined],
  ['day 0', '2019:07:00 00:00:00\0', undefined],
  ['hour 24', '2019:07:08 24:00:00\0', undefined],
  ['minute 60', '2019:07:08 10:60:00\0', undefined],
  ['second 60', '9999:12:31 23:59:60\0', undefined],
  ['words', 'yesterday at noon..\0', undefined],
  ['a year alone', '2019\0', undefined],
  ['bytes', '\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe\xfd\0', undefined],
];
const slug = (name: string): string => name.replace(/\W+/g, '-');

async function everyDate(): Promise<[string, Buffer][]> {
  const files: [string, Buffer][] = [];
  for (const [name, written] of dates) {
    files.push([`${slug(name)}.le.jpg`, await inJpeg(tiff(dated(written)))], [`${slug(name)}.be.jpg`, await inJpeg(tiff(dated(written), false))]);
    files.push([`${slug(name)}.png`, await inPng(pngChunk('eXIf', tiff(dated(written))))], [`${slug(name)}.webp`, await inWebp(tiff(dated(written), false))]);
    files.push([`${slug(name)}.tif`, tiffPicture(dated(written), files.length % 256)]);
  }
  return files;
}

describe('What a picture tells', () => {
  it('of when it was taken is right or absent, in every format, and equal to what exiftool reads', { timeout: 60_000 }, async () => {
    const files = await everyDate();
    const told = await send('dates', files);
    const wrong = dates.flatMap(([name, , expected]) => ['le.jpg', 'be.jpg', 'png', 'webp', 'tif'].map((kind) => [`${slug(name)}.${kind}`, told.get(`${slug(name)}.${kind}`)?.taken_at, expected])).filter(([, got, expected]) => got !== expected);
    expect(wrong).toEqual([]);
    expect([...told.values()].map(({ exif }) => exif.camera)).toEqual(Array(files.length).fill('Maker Model X'));

    if (!existsSync('/usr/bin/exiftool')) return console.warn('test/tells.test.ts: exiftool is not here (Debian: libimage-exiftool-perl); its reading is not compared.');
    for (const [name, bytes] of files) await writeFile(path.join(folder, name), bytes);
    const table: { SourceFile: string; DateTimeOriginal?: string; Make?: string; Model?: string }[] = JSON.parse(execFileSync('exiftool', ['-q', '-j', '-n', '-DateTimeOriginal', '-Make', '-Model', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    const ours = table.map(({ SourceFile, DateTimeOriginal, Make, Model }) => ({ item: told.get(path.basename(SourceFile)), theirs: `${DateTimeOriginal ?? ''}`, camera: [`${Make}`, Model] }));
    const numbers = (text: string): string => (text.match(/\d+/g) ?? []).map(Number).slice(0, 6).join(' ');
    expect(ours.filter(({ item, theirs }) => item.taken_at !== undefined && numbers(item.taken_at) !== numbers(theirs))).toEqual([]);
    expect(ours.filter(({ item, camera }) => item.exif.make !== camera[0] || item.exif.model !== camera[1])).toEqual([]);
    expect(ours).toHaveLength(files.length);
  });

  it('is found wherever formats and makers put it', async () => {
    const block = tiff(dated('2019:07:08 09:10:11\0'));
    const avif = await sharp(await plain('png')).withExif({ IFD0: { Make: 'Maker', Model: 'Model X' }, IFD2: { DateTimeOriginal: '2019:07:08 09:10:11' } }).avif().toBuffer();
    const files: [string, Buffer][] = [
      ['maker prefix', await inJpeg(block, '\0\x08ABExif\0\0')], ['small letters', await inJpeg(block, 'exif\0\0')], ['odd NUL', await inJpeg(block, 'Exif\0\xff')],
      ['behind the pixels', await inPng(pngChunk('eXIf', block), 'behind')], ['marked in PNG', await inPng(pngChunk('eXIf', Buffer.concat([Buffer.from('Exif\0\0'), block])))],
      ['marked in WebP', await inWebp(Buffer.concat([Buffer.from('Exif\0\0'), block]))],
      ['zTXt', await inPng(pngChunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0'), deflateSync(profile(Buffer.concat([Buffer.from('Exif\0\0'), block])))])))],
      ['tEXt', await inPng(pngChunk('tEXt', Buffer.concat([Buffer.from('Raw profile type APP1\0'), profile(Buffer.concat([Buffer.from('Exif\0\0'), block]), 'generic profile')])), 'behind')],
      ['iTXt', await inPng(pngChunk('iTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\x01\0\0\0'), deflateSync(profile(block))])))],
      ['bytes, not ASCII', await inJpeg(tiff({ main: [[0x010f, 2, 'Maker\0'], [0x0110, 7, 'Model X\0']], exif: [[0x9003, 7, '2019:07:08 09:10:11\0']] }))],
      ['in the main directory', await inJpeg(tiff({ main: [[0x010f, 2, 'Maker\0'], [0x0110, 2, 'Model X\0'], [0x9003, 2, '2019:07:08 09:10:11\0']] }))],
      ['AVIF', avif],
      ['XMP', await xmpInJpeg(xmp('exif:DateTimeOriginal="2019-07-08T09:10:11" tiff:Make="Maker" tiff:Model="Model X"'))],
      ['XMP over longer XMP', await xmpInJpeg(Buffer.concat([xmp('exif:DateTimeOriginal="2019-07-08T09:10:11" tiff:Make="Maker" tiff:Model="Model X"'), Buffer.from('li>\n</rdf:Bag></x:xmpmeta><?xpacket end="r"?>')]))],
      ['XMP in PNG', await inPng(pngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'), deflateSync(xmp('photoshop:DateCreated="2019-07-08T09:10:11" tiff:Make="Maker" tiff:Model="Model X"'))])))],
      ['XMP in TIFF', tiffPicture({ main: [[0x010f, 2, 'Maker\0'], [0x0110, 2, 'Model X\0'], [0x02bc, 1, xmp('exif:DateTimeOriginal="2019-07-08T09:10:11.5+02:00"')]] })],
      ['IPTC', await inJpeg(Buffer.concat([Buffer.from('8BIM\x04\x04\0\0\0\0\0\x1a', 'latin1'), Buffer.from('\x1c\x02\x37\0\x0820190708\x1c\x02\x3c\0\x06091011', 'latin1'), Buffer.alloc(2)]), 'Photoshop 3.0\0', 0xed)],
    ];
    const told = await send('places', files);
    expect(files.map(([name]) => [name, told.get(name)?.taken_at, told.get(name)?.exif?.camera])).toEqual(files.map(([name]) => [name, '2019-07-08T09:10:11', name === 'IPTC' ? undefined : 'Maker Model X']));
    expect(told.get('XMP in TIFF').exif.offset).toBe('+02:00');
    const heic = await send('phone', [['house.heic', await readFile(path.join(repository, 'test/fixtures/heic/house.heic'))]]);
    expect(heic.get('house.heic').taken_at).toBe('2023-04-05T06:07:08');
  });

  it('of the camera, the place, the settings and in words can be filtered, ordered, counted and exported', async () => {
    const latin = (text: string): string => Buffer.from(text).toString('latin1');
    const utf16 = Buffer.from('eins;zwei\0', 'utf16le');
    const full = await inJpeg(tiff({
      main: [[0x010e, 2, latin('Am Strand – früh\0')], [0x010f, 2, 'NIKON CORPORATION\0'], [0x0110, 2, 'NIKON D90 \0'], [0x0112, 3, '\x06\0'], [0x4746, 3, '\x04\0'], [0x9c9e, 1, utf16]],
      exif: [[0x829a, 5, rationals(0.008)], [0x829d, 5, rationals(2.8)], [0x8827, 3, '\x90\x01'], [0x9003, 2, '2020:05:06 07:08:09\0'], [0x9011, 2, '-03:30\0'], [0x920a, 5, rationals(35)], [0xa434, 2, 'AF-S 35mm f/1.8G\0']],
      gps: [[1, 2, 'S\0'], [2, 5, rationals(33, 51, 24.48)], [3, 2, 'W\0'], [4, 5, rationals(151, 12, 55.08)], [5, 1, '\x01'], [6, 5, rationals(12.5)]],
    }));
    const words = await xmpInJpeg(xmp('xmp:Rating="5" tiff:Make="Apple" tiff:Model="iPhone 12 Pro"', '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Día 海</rdf:li></rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>zwei</rdf:li></rdf:Bag></dc:subject>'));
    const odd = await inJpeg(tiff({ main: [[0x0112, 3, '\x09\0'], [0x010f, 2, '   \0'], [0x4746, 3, '\x63\0']], exif: [[0x9011, 2, '+25:00\0'], [0x829d, 5, Buffer.alloc(8)], [0x9003, 2, '2021:01:02 03:04:05\0']], gps: [[1, 2, 'N\0'], [2, 5, rationals(99, 0, 0)], [3, 2, 'E\0'], [4, 5, rationals(10, 0, 0)]] }));
    const told = await send('full', [['trip/full.jpg', full], ['trip/words.jpg', words], ['odd.jpg', odd], ['bare.png', await plain('png')]]);
    expect(told.get('trip/full.jpg')).toMatchObject({ taken_at: '2020-05-06T07:08:09', width: 16, height: 24 });
    expect(told.get('trip/full.jpg').exif).toEqual({
      camera: 'NIKON D90', make: 'NIKON CORPORATION', model: 'NIKON D90', lens: 'AF-S 35mm f/1.8G', latitude: -33.8568, longitude: -151.2153, altitude: -12.5, orientation: 6, offset: '-03:30',
      iso: 400, f_number: 2.8, exposure_time: 0.008, focal_length: 35, description: 'Am Strand – früh', keywords: ['eins', 'zwei'], rating: 4,
    });
    expect(told.get('trip/words.jpg').exif).toEqual({ camera: 'Apple iPhone 12 Pro', make: 'Apple', model: 'iPhone 12 Pro', title: 'Día 海', keywords: ['sea', 'zwei'], rating: 5 });
    expect(told.get('odd.jpg')).toMatchObject({ taken_at: '2021-01-02T03:04:05' });
    expect([told.get('odd.jpg').exif, told.get('bare.png').exif, told.get('bare.png').taken_at]).toEqual([undefined, undefined, undefined]);

    const found = async (filter: object, sort?: string): Promise<string[]> => (await call(server.url, 'GET', `${items('full')}?filter=${encodeURIComponent(JSON.stringify(filter))}${sort === undefined ? '' : `&sort=${sort}`}`)).body.items.map(({ id }: any) => id);
    expect(await found({ '$item.exif.camera': { $prefix: 'NIKON' } })).toEqual(['trip/full.jpg']);
    expect(await found({ '$item.exif.keywords': 'zwei', '$item.exif.rating': { $gte: 4 } }, '-$item.exif.rating')).toEqual(['trip/words.jpg', 'trip/full.jpg']);
    expect(await found({ '$item.exif.latitude': { $lt: -33, $gt: -34 } })).toEqual(['trip/full.jpg']);
    expect(await found({ '$item.exif.camera': { $exists: false } }, '$item.taken_at')).toEqual(['odd.jpg', 'bare.png']);
    expect(await found({ '$item.folder': 'trip', '$item.exif.iso': 400 })).toEqual(['trip/full.jpg']);
    const matches = await call(server.url, 'POST', '/v1/collections/full/search', { query: 'x', filter: { '$item.exif.model': 'iPhone 12 Pro' }, group_by: '$item.exif.camera' });
    expect(matches.body.matches.map(({ id, exif, group }: any) => [id, exif.rating, group.value])).toEqual([['trip/words.jpg', 5, 'Apple iPhone 12 Pro']]);
    const { facets } = (await call(server.url, 'GET', '/v1/collections/full/facets?fields=$item.exif.camera,$item.exif.keywords,$item.folder')).body;
    expect(facets['$item.exif.camera']).toEqual({ values: [{ value: 'Apple iPhone 12 Pro', count: 1 }, { value: 'NIKON D90', count: 1 }], other: 0, missing: 2 });
    expect(facets['$item.exif.keywords'].values[0]).toEqual({ value: 'zwei', count: 2 });
    expect(facets['$item.folder']).toEqual({ values: [{ value: 'trip', count: 2 }], other: 0, missing: 2 });
    const wrong = await call(server.url, 'GET', `${items('full')}?filter=${encodeURIComponent('{"$item.exif.colour": 1}')}`);
    expect([wrong.status, wrong.body.error.param, wrong.body.error.message]).toEqual([400, 'filter.$item.exif.colour', expect.stringContaining('$item.exif.camera')]);

    const lines = (await call<string>(server.url, 'GET', '/v1/collections/full/export')).body.trim().split('\n').map((line) => JSON.parse(line));
    expect(lines.find(({ id }) => id === 'trip/words.jpg').exif.title).toBe('Día 海');
    const { stdout } = await runMixspace(['search', 'x', '--collection', 'full', '--all', '--plain', '--url', server.url]);
    expect(stdout).toMatch(/trip\/full\.jpg +2020-05-06 07:08:09, NIKON D90\n/);
  });

  it('that is hostile is left out, and costs little', async () => {
    const wide = (tag: (i: number) => number, type: number, count: number, entries = 5000): Buffer => {
      const block = Buffer.alloc(65_000, 0x41);
      block.write('II*\0\x08\0\0\0', 'latin1');
      block.writeUInt16LE(entries, 8);
      for (let i = 0; i < entries; i++) {
        block.writeUInt16LE(tag(i), 10 + 12 * i);
        block.writeUInt16LE(type, 12 + 12 * i);
        block.writeUInt32LE(count, 14 + 12 * i);
        block.writeUInt32LE(8, 18 + 12 * i);
      }
      return block;
    };
    const bomb = deflateSync(Buffer.alloc(4e6, 0x20));
    const files: [string, Buffer][] = [
      ['same', await inJpeg(wide(() => 0x010f, 2, 60_000))],
      ['all', await inJpeg(wide((i) => i, 2, 60_000))],
      ['itself', await inJpeg(wide(() => 0x8769, 4, 1, 50))],
      ['beyond', await inJpeg(wide((i) => 0x9000 + i, 2, 0xffff_ffff))],
      ['bombs', await inPng(Buffer.concat(Array.from({ length: 2 }, () => pngChunk('zTXt', Buffer.concat([Buffer.from('Raw profile type exif\0\0'), bomb])))))],
      ['deep', await xmpInJpeg(xmp('', `${'<dc:a xmlns:q="u">'.repeat(2500)}${'</dc:a>'.repeat(2500)}`))],
      ['half', await xmpInJpeg(xmp('exif:DateTimeOriginal="2019-07-08').subarray(0, -40))],
      ['prototype', await xmpInJpeg(xmp('dc:__proto__="a" dc:constructor="b" xmp:toString="c"'))],
      ['cut', await inJpeg(tiff(dated('2019:07:08 09:10:11\0')).subarray(0, 40))],
    ];
    const told = await send('hostile', files);
    expect(files.map(([name]) => told.get(name)?.taken_at)).toEqual(files.map(() => undefined));
    expect((await call(server.url, 'GET', '/healthz')).status).toBe(200);
  });

  const cases = path.join(repository, '../shared/cases/pictures');
  it('in the cases that were read wrongly', async () => {
    if (!existsSync(cases)) return console.warn(`test/tells.test.ts: ${cases} is not here; its cases are not read.`);
    const names = (await readdir(cases)).filter((name) => name.startsWith('jpeg-date-'));
    const expected = JSON.parse(await readFile(path.join(cases, 'cases.json'), 'utf8')) as Record<string, { expect: string }>;
    const told = await send('cases', await Promise.all(names.map(async (name): Promise<[string, Buffer]> => [name, await readFile(path.join(cases, name))])));
    expect(names.map((name) => [name, told.get(name).taken_at === undefined ? 'no taken_at' : 'taken_at'])).toEqual(names.map((name) => [name, expected[name]!.expect]));
    expect(told.get('jpeg-date-two-nuls-lost.jpg')).toMatchObject({ taken_at: '2004-08-30T17:33:34', exif: { camera: 'PENTAX Optio S4i' } });
  });
});

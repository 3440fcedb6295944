/** What a picture's file tells of when, where and with what it was taken: EXIF (CIPA DC-008), XMP (ISO 16684-1) and IPTC-IIM. */
import ExifReader, { type ExpandedTags, type IncludeTagsOptions } from 'exifreader';
import { exifLimits, type Exif, type Tells } from '../../../domain/exif.js';
import { blocksOf, type Blocks } from './containers.js';
import { momentOf, offsetOf, type Moment } from './dates.js';

/** `metadata`: what the decoder found. Whatever the bytes are: nothing is thrown, and what cannot be is not told. */
export function tellsOf(bytes: Uint8Array, mediaType: string, metadata: { exif?: Buffer | undefined; xmp?: Buffer | undefined }): Tells {
  const { exif, xmp, iptc } = tagsOf(blocksOf(bytes, mediaType, metadata));
  const taken = takenOf(exif, xmp, iptc);
  const told = clean({
    ...cameraOf(exif, xmp),
    lens: exif.text('LensModel') ?? xmp.text('LensModel') ?? xmp.text('Lens'),
    ...placeOf(exif),
    orientation: inRange(exif.number('Orientation') ?? xmp.number('Orientation'), 1, 8),
    offset: taken?.offset,
    iso: positive(exif.number('ISOSpeedRatings') ?? xmp.number('ISOSpeedRatings')),
    f_number: positive(exif.number('FNumber')),
    exposure_time: positive(exif.number('ExposureTime')),
    focal_length: positive(exif.number('FocalLength')),
    title: xmp.text('title') ?? exif.text('XPTitle') ?? iptc.text('Object Name'),
    description: xmp.text('description') ?? exif.text('ImageDescription') ?? iptc.text('Caption/Abstract'),
    artist: exif.text('Artist') ?? xmp.text('creator') ?? iptc.text('By-line'),
    keywords: keywordsOf(exif, xmp, iptc),
    rating: inRange(xmp.number('Rating') ?? exif.number('Rating'), -1, 5),
  });
  return { ...(taken ? { takenAt: taken.local } : {}), ...(Object.keys(told).length > 0 ? { exif: told } : {}) };
}

/** What the Metadata Working Group's guidelines (2.0, "Date/Time") hold for the original's time, in their order; when it was digitised or changed is another matter. */
function takenOf(exif: Tags, xmp: Tags, iptc: Tags): Moment | undefined {
  const told = exif.text('DateTimeOriginal');
  const taken = told === undefined ? undefined : momentOf(told);
  if (taken) {
    const offset = offsetOf(exif.text('OffsetTimeOriginal')) ?? taken.offset;
    return offset === undefined ? taken : { ...taken, offset };
  }
  for (const name of ['DateTimeOriginal', 'DateCreated']) {
    const found = momentOf(xmp.text(name) ?? '');
    if (found) return found;
  }
  const [, year, month, day] = /^(\d{4})-?(\d\d)-?(\d\d)$/.exec(iptc.text('Date Created') ?? '') ?? [];
  const [, hour, minute, second, zone] = /^(\d\d):?(\d\d):?(\d\d)([+-]\d\d:?\d\d)?$/.exec(iptc.text('Time Created') ?? '') ?? [];
  return year === undefined ? undefined : momentOf(`${year}-${month}-${day}${hour === undefined ? '' : ` ${hour}:${minute}:${second}${zone ?? ''}`}`);
}

function cameraOf(exif: Tags, xmp: Tags): Pick<Exif, 'camera' | 'make' | 'model'> | Record<string, never> {
  const make = exif.text('Make') ?? xmp.text('Make');
  const model = exif.text('Model') ?? xmp.text('Model');
  if (make === undefined && model === undefined) return {};
  const first = make?.split(/\s+/)[0]?.toLowerCase() ?? '';
  const camera = make === undefined || model?.toLowerCase().startsWith(first) ? (model ?? make!) : model === undefined ? make : `${make} ${model}`;
  return { camera: camera.slice(0, exifLimits.characters), ...(make === undefined ? {} : { make }), ...(model === undefined ? {} : { model }) };
}

function placeOf(exif: Tags): Pick<Exif, 'latitude' | 'longitude' | 'altitude'> | Record<string, never> {
  const latitude = inRange(exif.degrees('GPSLatitude', 'S'), -90, 90, false);
  const longitude = inRange(exif.degrees('GPSLongitude', 'W'), -180, 180, false);
  if (latitude === undefined || longitude === undefined) return {};
  const height = exif.number('GPSAltitude');
  const altitude = height === undefined ? undefined : inRange(exif.number('GPSAltitudeRef') === 1 ? -height : height, -12_000, 100_000, false);
  return { latitude: rounded(latitude, 7), longitude: rounded(longitude, 7), ...(altitude === undefined ? {} : { altitude: rounded(altitude, 2) }) };
}

function keywordsOf(exif: Tags, xmp: Tags, iptc: Tags): string[] | undefined {
  const told = [xmp.texts('subject'), iptc.texts('Keywords'), exif.text('XPKeywords')?.split(';') ?? []].find((list) => list.length > 0) ?? [];
  const words = told.slice(0, mostLooked).map((word) => word.trim().slice(0, exifLimits.keywordCharacters).toWellFormed()).filter(Boolean);
  return words.length === 0 ? undefined : [...new Set(words)].slice(0, exifLimits.keywords);
}

const mostLooked = 1000;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
const positive = (value: number | undefined): number | undefined => (value !== undefined && value > 0 ? Number(value.toPrecision(9)) : undefined);

function inRange(value: number | undefined, from: number, to: number, whole = true): number | undefined {
  return value !== undefined && value >= from && value <= to && (!whole || Number.isInteger(value)) ? value : undefined;
}

function clean(fields: { [Field in keyof Exif]: Exif[Field] | undefined }): Exif {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The tags of one kind, as the library tells them. */
class Tags {
  readonly #tags: Record<string, unknown>;

  constructor(tags: object | undefined) {
    this.#tags = (tags ?? {}) as Record<string, unknown>;
  }

  text(name: string): string | undefined {
    return this.texts(name)[0];
  }

  /** Without control characters, and what is blank. */
  texts(name: string): string[] {
    const tag = this.#tag(name);
    return (Array.isArray(tag) ? tag : [tag]).slice(0, mostLooked).flatMap((each) => textsIn(each as Tag | undefined)).map(readable).filter((text) => text !== '');
  }

  number(name: string): number | undefined {
    const tag = this.#tag(name) as Tag | undefined;
    const value = tag?.computed ?? tag?.value;
    const first: unknown = Array.isArray(value) ? (value.length === 2 && tag?.computed === undefined ? undefined : value[0]) : value;
    const number = typeof first === 'string' && first.trim() !== '' ? Number(first) : first;
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
  }

  /** Of degrees, minutes and seconds. */
  degrees(name: string, negative: string): number | undefined {
    const parts = (this.#tag(name) as Tag | undefined)?.computed;
    if (!Array.isArray(parts) || parts.length === 0 || parts.length > 3 || !parts.every((part) => typeof part === 'number' && Number.isFinite(part))) return undefined;
    const [degrees = 0, minutes = 0, seconds = 0] = parts as number[];
    const reference = this.text(`${name}Ref`)?.[0]?.toUpperCase();
    return (degrees + minutes / 60 + seconds / 3600) * (reference === negative ? -1 : 1);
  }

  #tag(name: string): unknown {
    return Object.hasOwn(this.#tags, name) ? this.#tags[name] : undefined;
  }
}

interface Tag {
  value?: unknown;
  computed?: unknown;
  description?: unknown;
}

/** An ASCII tag's value is the texts between its NULs, of which the first is it; XMP's the text, or a list of such tags. */
function textsIn(tag: Tag | undefined): string[] {
  const value = tag?.value;
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return [];
  if (value.every((each) => typeof each === 'string')) return [value.find((each) => each !== undefined) ?? ''];
  if (value.every((each) => typeof each === 'number')) return typeof tag?.description === 'string' ? [tag.description] : [];
  return value.slice(0, mostLooked).flatMap((each) => (typeof each === 'object' && each !== null && typeof (each as Tag).value === 'string' ? [(each as Tag).value as string] : []));
}

function readable(text: string): string {
  return text.slice(0, exifLimits.characters).replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]+/g, ' ').trim().toWellFormed();
}

const ofIptc = ['Date Created', 'Time Created', 'Keywords', 'Object Name', 'Caption/Abstract', 'By-line'];

/** Each block by itself: of all else that is in a file the library sees nothing. */
function tagsOf({ exif, xmp, photoshop }: Blocks): { exif: Tags; xmp: Tags; iptc: Tags } {
  return {
    exif: new Tags(exif && read(exif, { exif: true }).exif),
    xmp: new Tags(xmp && isShallow(xmp) ? read(packet(xmp), { xmp: true }).xmp : undefined),
    iptc: new Tags(photoshop && read(inJpeg(photoshop), { iptc: ofIptc }).iptc),
  };
}

function read(bytes: Buffer, includeTags: IncludeTagsOptions): ExpandedTags {
  try {
    return ExifReader.load(bytes, { expanded: true, computed: true, includeTags });
  } catch {
    return {};
  }
}

/** The library knows a packet by its first words; behind its end may stand what is left of a longer one that was there before. */
function packet(xmp: Buffer): Buffer {
  const text = xmp.toString('latin1').replace(/^\xef\xbb\xbf/, '');
  const end = text.indexOf(packetEnd);
  const whole = end < 0 ? text : text.slice(0, end + packetEnd.length);
  return Buffer.from(whole.startsWith('<?xpacket begin') ? whole : `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>${whole}`, 'latin1');
}
const packetEnd = '</x:xmpmeta>';

function inJpeg(photoshop: Buffer): Buffer {
  const length = Buffer.alloc(2);
  const payload = photoshop.subarray(0, 65_533);
  length.writeUInt16BE(payload.length + 2);
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xed]), length, payload, Buffer.from([0xff, 0xd9])]);
}

/** Each level of elements costs the reader of XML all that were declared above it. */
const deepest = 64;

function isShallow(xmp: Buffer): boolean {
  const text = xmp.toString('latin1');
  let depth = 0;
  for (let at = text.indexOf('<'); at >= 0; ) {
    const end = text.indexOf('>', at);
    if (end < 0) return true;
    const first = text[at + 1];
    if (first === '/') depth--;
    else if (first !== '!' && first !== '?' && text[end - 1] !== '/' && ++depth > deepest) return false;
    at = text.indexOf('<', end);
  }
  return true;
}

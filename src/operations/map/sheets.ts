/** Sheets of small thumbnails, many points' pictures in one. */
import { createHash } from 'node:crypto';
import { MixspaceError } from '../../errors.js';
import { mapLimited } from '../../map-limited.js';
import type { Catalog } from '../../store/catalog.js';
import { Turns } from '../turns.js';
import type { LiveMap } from './live-map.js';

export const sheetShape = { columns: 8, rows: 8, size: 64 } as const;
export const ofSheet = sheetShape.columns * sheetShape.rows;
/** Thumbnails are at most 320 px wide and high. */
const mostPixels = 512 * 512;
const readAtOnce = 8;
const quality = 80;
const keptBytes = 32 * 2 ** 20;
const channels = 4;

/** With the first sheet: few services make any. */
const loadSharp = () => import('sharp');

export class Sheets {
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;
  readonly #turns = new Turns();

  /**
   * WebP: the pictures of the points from `n * 64` on, by rows, each scaled into its square, what is left transparent. Of
   * a point without a thumbnail, nothing. `isWhole`: none is left out that may be told another time. One whose tag is among
   * the `known` is not made.
   * @throws MixspaceError `not_found`: there are not so many sheets.
   */
  async of(catalog: Catalog, map: LiveMap, n: number, known: readonly string[] = []): Promise<Sheet> {
    const from = n * ofSheet;
    if (from >= map.count) throw new MixspaceError('not_found', `There is no sheet ${n}: the map has ${Math.ceil(map.count / ofSheet)}.`, { param: 'n' });
    const { keys, embeddings } = await map.now();
    const to = Math.min(map.count, from + ofSheet);
    // What a picture is follows its embedding's key.
    const name = [map.collection, map.job, n, ...keys.subarray(from, to), ...embeddings.subarray(from, to)].join(' ');
    const tag = createHash('sha1').update(name).digest('base64url');
    // Only whole ones are told with their tags.
    if (known.includes(tag)) return { tag, bytes: undefined, isWhole: true };
    // One after the other: each takes all that decodes.
    return this.#turns.take('sheet', async () => {
      const kept = this.#kept.get(name);
      const sheet = kept ? { bytes: kept, isWhole: true } : await this.#made(catalog, map, [...keys.subarray(from, to)].map((key, i) => (key === 0 ? undefined : map.points.ids[from + i])));
      if (sheet.isWhole) this.#keep(name, sheet.bytes);
      return { tag, ...sheet };
    });
  }

  #keep(name: string, sheet: Uint8Array): void {
    if (this.#kept.delete(name)) this.#bytes -= sheet.byteLength;
    this.#kept.set(name, sheet);
    this.#bytes += sheet.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= keptBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
  }

  async #made(catalog: Catalog, { collection }: LiveMap, ids: (string | undefined)[]): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
    const { default: sharp } = await loadSharp();
    const { columns, rows, size } = sheetShape;
    const [width, height] = [columns * size, rows * size];
    let isWhole = true;
    const pixels = Buffer.alloc(width * height * channels);
    await mapLimited(ids, readAtOnce, async (id, i) => {
      const picture = id === undefined ? undefined : await thumbnailOf(catalog, collection, id);
      if (picture === 'unknown') isWhole = false;
      if (!picture || picture === 'unknown') return;
      const left = (i % columns) * size + ((size - picture.width) >> 1);
      const top = Math.floor(i / columns) * size + ((size - picture.height) >> 1);
      for (let y = 0; y < picture.height; y++) picture.pixels.copy(pixels, ((top + y) * width + left) * channels, y * picture.width * channels, (y + 1) * picture.width * channels);
    });
    return { bytes: await sharp(pixels, { raw: { width, height, channels } }).webp({ quality, effort: 2 }).toBuffer(), isWhole };
  }
}

interface Sheet {
  /** Names what is in it. */
  tag: string;
  bytes: Uint8Array | undefined;
  isWhole: boolean;
}

/** RGBA. Undefined where there is none, or it cannot be read. */
async function thumbnailOf(catalog: Catalog, collection: string, id: string): Promise<{ pixels: Buffer; width: number; height: number } | 'unknown' | undefined> {
  const picture = await catalog.getPicture(collection, id, 'thumbnail').catch(told);
  if (picture === 'unknown' || picture === 'none') return picture === 'none' ? undefined : picture;
  const { default: sharp } = await loadSharp();
  const { size } = sheetShape;
  const raw = sharp(picture.bytes, { limitInputPixels: mostPixels }).resize(size, size, { fit: 'inside' }).toColourspace('srgb').ensureAlpha().raw();
  const read = await raw.toBuffer({ resolveWithObject: true }).catch(() => undefined);
  return read?.info.channels === channels ? { pixels: read.data, width: read.info.width, height: read.info.height } : undefined;
}

function told(error: unknown): 'none' | 'unknown' {
  if (error instanceof MixspaceError && error.code === 'not_found') return 'none';
  if (error instanceof MixspaceError && error.code === 'not_ready') return 'unknown';
  throw error;
}
